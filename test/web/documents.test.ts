import {join} from 'node:path'
import {readdirSync, readFileSync, statSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import type {CheckDocument, ModelsDocument} from '../../src/web/documents/index.ts'
import {openPlanner} from '../../src/web/planner/answers.ts'
import type {Words} from '../../src/web/question/fields.ts'
import type {View} from '../../src/web/question/link.ts'

const data = join(import.meta.dirname, '..', '..', 'dist', 'data')
const files = Object.fromEntries(
  readdirSync(data, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.json') && statSync(join(data, name)).isFile())
    .map((name) => [name.slice(0, -'.json'.length).replaceAll('\\', '/'), readFileSync(join(data, name), 'utf8')]),
)
const planner = openPlanner(files)

async function asked<T>(view: View, words: Words): Promise<T> {
  const reply = await planner.answer({view, words})
  if (!('document' in reply)) throw new Error(JSON.stringify(reply))
  return reply.document as T
}

const TIGHT: Words = {model: 'qwen3-32b', gpu: '1xrtx-3090', 'input-tokens': '2k', 'output-tokens': '500', 'max-num-seqs': '32', 'max-model-len': '8192'}

describe('the curve over users', () => {
  it('tells of each load what is told when it is asked about, also where the load that was asked about is tight', async () => {
    const {result, curve} = await asked<CheckDocument>('check', {...TIGHT, model: 'Qwen/Qwen3-32B-AWQ', concurrency: '8'})
    expect(result.verdict).toBe('tight')
    for (const users of [1, 4]) {
      const alone = await asked<CheckDocument>('check', {...TIGHT, model: 'Qwen/Qwen3-32B-AWQ', concurrency: String(users)})
      const point = curve.find((one) => one.users === users)!
      expect(point.inAll).toEqual(alone.result.performance!.outputTokensPerSecond)
      expect(point.perUser.estimate).toBe(1000 / alone.result.performance!.tpotMs.estimate)
    }
    // Four run at once, so eight wait and four do not.
    expect(curve.filter(({waits}) => waits).map(({users}) => users)).toEqual([6, 8])
  })
})

describe('models that fit', () => {
  const words = {gpu: '1xrtx-4090', words: 'coding', 'max-model-len': '32k'}

  it('are the best of all that fit, in the same order', async () => {
    const [few, all] = [await asked<ModelsDocument>('models', {...words, limit: '3'}), await asked<ModelsDocument>('models', {...words, limit: '0'})]
    expect(few.rows.map(({id}) => id)).toEqual(all.rows.slice(0, 3).map(({id}) => id))
    expect([few.complete, all.complete]).toEqual([false, true])
    expect(few.command).toBe('servefit models coding --fits --gpu 1xrtx-4090 --min-context 32k --limit 3')
    for (const {fit} of all.rows) expect(fit.maxModelLen).toBeGreaterThanOrEqual(32_000)
  })

  it('are each what is told of them when they are asked about', async () => {
    const [first] = (await asked<ModelsDocument>('models', {...words, limit: '1'})).rows
    const {result} = await asked<CheckDocument>('check', {model: first!.id, gpu: words.gpu, 'max-model-len': words['max-model-len']})
    expect(result.verdict).toBe(first!.fit.verdict)
    expect(result.model.hfId).toBe(first!.fit.hfId)
    expect(first!.fit.outputTokensPerSecondPerUser).toBeCloseTo(1000 / result.performance!.tpotMs.estimate, 1)
  })
})
