import {cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import fc from 'fast-check'
import {jsonText} from '../../src/render/json-text.ts'
import {quoteWord} from '../../src/render/launch/shell-quote.ts'
import {harmless, wrap} from '../../src/render/style.ts'
import {actingIn, HOSTILE_TEXT} from './hostile.ts'
import {root, servefit} from './spawn.ts'

/** Clears the screen, sets the title, begins a sequence in one character, turns the direction of writing. */
const HOSTILE = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u202Egnp.exe\u200F'
const ACTING = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u061C\u200B-\u200F\u202A-\u202E\u2066-\u2069]/

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('names from elsewhere cannot act on the terminal', () => {
  it('of a folder, in every command that prints them', () => {
    const model = join(folder, `ft${HOSTILE}`)
    mkdirSync(model)
    cpSync(join(root, 'test', 'fixtures', 'configs', 'qwen3-14b.json'), join(model, 'config.json'))
    for (const command of ['check', 'plan', 'compare']) {
      const {stdout, stderr, code} = servefit([command, model, '--gpu', '1xh100-sxm'])
      expect(code, stderr).toBe(0)
      expect(stdout, command).toContain('ft?')
      expect(ACTING.exec(stdout + stderr)?.[0], command).toBeUndefined()
    }
  })

  it('of a pasted output and of a machine document', () => {
    const rows = `index, name, memory.total [MiB], memory.free [MiB]\n0, NVIDIA ${HOSTILE} RTX 1234, 24576 MiB, 24000 MiB\n`
    const document = JSON.stringify({gpus: [{name: `NVIDIA ${HOSTILE} RTX 1234`, vendor: 'nvidia', memoryBytes: 24 * 2 ** 30, computeCapability: 8.6}]})
    writeFileSync(join(folder, 'machine.json'), document)
    for (const machine of ['-', join(folder, 'machine.json')])
      for (const command of ['check', 'plan', 'compare']) {
        const {stdout, stderr} = servefit([command, 'qwen3-8b', '--machine', machine], {input: rows})
        // plan ranks by speed and asks for the bandwidth of a card that nobody knows.
        expect(command === 'plan' ? stderr : stdout).toContain('RTX 1234')
        expect(ACTING.exec(stdout + stderr)?.[0], `${command} ${machine}`).toBeUndefined()
      }
  })

  it('of an argument that is wrong', () => {
    for (const args of [
      ['machines', HOSTILE],
      ['gpus', HOSTILE],
      ['models', HOSTILE],
      ['check', 'qwen3-8b', '--machine', HOSTILE],
    ]) {
      const {stderr, code} = servefit(args)
      expect(code).toBe(2)
      expect(ACTING.exec(stderr)?.[0]).toBeUndefined()
    }
  })

  it('whether they were made harmless or only wrapped', () => {
    expect(harmless(HOSTILE)).not.toMatch(ACTING)
    expect(harmless('Qwen3 32B é 日本')).toBe('Qwen3 32B é 日本')
    expect(wrap(`\u001B[1mbold\u001B[22m \u001B]0;x\u0007 \u009B`, 80)).toBe('\u001B[1mbold\u001B[22m ?]0;x? ?')
  })

  it('of every character there is', () => {
    const through: string[] = []
    for (let code = 0; code <= 0x10ffff; code++) if (actingIn(harmless(String.fromCodePoint(code)).replace('\n', '\u0000'))) through.push(code.toString(16))
    expect(through).toEqual([])
    // What is only seen stays: letters, marks that stand on them, emoji in their form, blanks that do not break.
    for (const text of ['Zürich', 'e\u0301', '\u2764\uFE0F', '4\u00A0GiB', '日本語', 'नमस्ते']) expect(harmless(text)).toBe(text)
  })

  it('JSON spells them out, and means the same', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 40}), fc.constantFrom(undefined, 2), (text, indent) => {
        const json = jsonText({[text]: `${text}${HOSTILE_TEXT}`}, indent)
        expect(actingIn(json)).toBeUndefined()
        expect(JSON.parse(json)).toEqual({[text]: `${text}${HOSTILE_TEXT}`})
      }),
    )
  })

  it('a command to copy writes them by their bytes', () => {
    // U+009B is C2 9B in UTF-8, U+202E is E2 80 AE.
    expect(quoteWord('a\u009Bb')).toBe(`'a'"$(printf '\\302\\233')"'b'`)
    expect(quoteWord('\u202E')).toBe(`"$(printf '\\342\\200\\256')"`)
  })
})
