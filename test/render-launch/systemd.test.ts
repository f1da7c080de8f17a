import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatOf} from '../../src/render/launch/formats.ts'
import {actingIn} from '../commands/hostile.ts'
import {anyFolder, anyStart} from './any-text.ts'
import {expectedWords, NASTY, startable} from './startables.ts'

/** Words of a command line as systemd.syntax(7) splits them: quotes, C escapes, then specifiers and variables. */
function execWords(unit: string): string[] {
  const joined = unit.replaceAll('\\\n', ' ')
  const line = joined
    .split('\n')
    .find((candidate) => candidate.startsWith('ExecStart='))!
    .slice('ExecStart='.length)
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => (quoted === undefined ? plain! : unescaped(quoted)))
  return words.map((word) => {
    expect(word.replaceAll('%%', '')).not.toContain('%')
    expect(word.replaceAll('$$', '')).not.toContain('$')
    return word.replaceAll('%%', '%').replaceAll('$$', '$')
  })
}

const unescaped = (text: string): string =>
  text.replace(/\\(?:x([0-9a-f]{2})|U([0-9a-f]{8})|(.))/g, (_, byte, codePoint, character) =>
    character === undefined ? String.fromCodePoint(Number.parseInt(byte ?? codePoint, 16)) : character,
  )

const unitOf = (given: Parameters<typeof startable>[0]): string => formatOf('systemd').write(startable(given))[0]!.text

describe('a systemd unit', () => {
  it('starts exactly the words that were meant', () => {
    fc.assert(
      fc.property(anyStart, anyFolder, (given, model) => {
        const start = startable({...given, model})
        const words = execWords(unitOf({...given, model}))
        const image = words.indexOf(start.image!)
        expect(words.slice(image + 1)).toEqual(expectedWords(start).slice(1))
        expect(words.slice(0, image)).toContain(`SERVEFIT_TEST=${given.setting}`)
      }),
      {numRuns: 150},
    )
  })

  it('has one section of each kind, whatever stands in it', () => {
    const unit = unitOf({values: NASTY, setting: NASTY.join('')})
    expect(unit.split('\n').filter((line) => line.startsWith('['))).toEqual(['[Unit]', '[Service]', '[Install]'])
    expect(actingIn(unit)).toBeUndefined()
  })

  const there = spawnSync('systemd-analyze', ['--version']).status === 0 && spawnSync('docker', ['--version']).status === 0
  if (!there) console.warn('systemd-analyze and docker are not both installed: units are not verified')
  it.skipIf(!there)('passes systemd-analyze verify', () => {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-unit-'))
    try {
      writeFileSync(join(folder, 'docker.service'), '[Service]\nExecStart=/bin/true\n')
      writeFileSync(join(folder, 'qwen3-32b.service'), unitOf({values: NASTY, setting: NASTY.join('')}))
      expect(
        execFileSync('systemd-analyze', ['verify', '--man=no', './qwen3-32b.service', './docker.service'], {cwd: folder, encoding: 'utf8', stdio: 'pipe'}),
      ).toBe('')
    } finally {
      rmSync(folder, {recursive: true})
    }
  })
})
