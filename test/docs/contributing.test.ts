import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {compile} from '../../src/build/compile-data.ts'
import {catalogueOf} from '../../src/catalogue/contents.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {upgradeOf} from '../../src/planner/diff/index.ts'
import type {Context} from '../../src/planner/world/index.ts'
import {root} from '../commands/spawn.ts'

/** Blocks of the page with the file that each is, or is added to. */
const blocks = new Map(
  [...readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').matchAll(/^```yaml (\S+)\n([\s\S]*?)^```$/gm)].map(([, path, text]) => [path!, text!]),
)

let folder = ''
let context: Context
let problems: string[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-contributing-'))
  cpSync(join(root, 'data'), join(folder, 'data'), {recursive: true})
  for (const [path, text] of blocks) {
    mkdirSync(dirname(join(folder, path)), {recursive: true})
    writeFileSync(join(folder, path), path.startsWith('data/engines/') ? withRelease(readFileSync(join(folder, path), 'utf8'), text) : text)
  }
  const compiled = compile(folder)
  problems = compiled.problems
  const files = JSON.parse(JSON.stringify(Object.fromEntries(compiled.files))) as Record<string, unknown>
  const absent = async () => {
    throw new Error('nothing beside the data is asked for')
  }
  const catalogue = catalogueOf({has: (path) => Object.hasOwn(files, path), read: (path) => files[path]})
  context = {catalogue, engines: new Map(), detect: absent, readMachine: absent, readModel: absent}
}, 60_000)
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** As the page says: the line at the end of `versions`, and the newest version moved. */
function withRelease(text: string, line: string): string {
  const version = /version: ([\d.]+)/.exec(line)![1]!
  const rows = [...text.matchAll(/^ {2}- \{version: .*\}\n/gm)]
  const last = rows.at(-1)!
  const end = last.index + last[0].length
  return `${text.slice(0, end)}${line}${text.slice(end)}`.replace(/^newestVersion: .*$/m, `newestVersion: ${version}`)
}

describe('the walk-throughs of CONTRIBUTING.md', () => {
  it('are three, and their files compile', () => {
    expect([...blocks.keys()]).toEqual(['data/models/acme/acme-3b.yaml', 'data/gpus/nvidia/acme-a1.yaml', 'data/engines/vllm.yaml'])
    expect(problems).toEqual([])
  })

  it('a model is known by its name', async () => {
    const {best} = await answer(context, {model: 'acme-3b', gpu: '1xrtx-4090'})
    expect(best.verdict).toBe('fits')
    // Embedding and head 2 x 64,000 x 2,048; 28 layers: attention 2,048 x (2,048 + 2 x 1,024) + 2,048 x 2,048, feed-forward 3 x 2,048 x 8,192, two norms; a last norm.
    const layer = 2048 * (2048 + 2 * 1024) + 2048 * 2048 + 3 * 2048 * 8192 + 2 * 2048
    const bytes = 2 * (2 * 64_000 * 2048 + 28 * layer + 2048)
    const weights = best.memory.terms.filter(({part}) => part === 'weights').reduce((sum, term) => sum + term.bytes, 0)
    expect(Math.abs(weights / bytes - 1)).toBeLessThan(0.01)
  })

  it('a card is known by its name', async () => {
    const {best} = await answer(context, {model: 'qwen3-32b', gpu: '1xacme-a1'})
    expect(best.machine.gpus[0]!.memoryBytes).toBe(49_140 * 2 ** 20)
    expect(best.verdict).toBe('fits')
  })

  it('a release is the newest, and compared with the one before', async () => {
    const {best} = await answer(context, {model: 'qwen3-8b', gpu: '1xrtx-4090'})
    expect(best.deployment.engineVersion).toBe('0.34.0')
    const upgrade = await upgradeOf(context, {model: 'qwen3-32b', gpu: '2xrtx-4090'}, ['0.33.0', '0.34.0'], 0)
    expect(upgrade.to).toBe('0.34.0')
    // Nothing was said of it but that it is there.
    expect(upgrade.figures).toEqual([])
  })
})
