import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'

import {answer} from '../planner/answer/index.ts'
import {MeasuredScenarioSchema} from '../planner/scenario/schema.ts'
import {withFlags} from './measured-flags.ts'
const G = 1024 ** 3
export async function main({root, args}: any): Promise<number> {
  const [file, pattern] = args
  const context = realContext(openCatalogue(join(root, 'dist', 'data')))
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    const log = JSON.parse(line)
    if (pattern && !new RegExp(pattern, 'i').test(line)) continue
    try {
      const scenario = withFlags(context.catalogue, JSON.parse(line))
      const {best} = await answer(context, MeasuredScenarioSchema.parse(scenario), {asRan: true})
      const m = best.memory as any
      const o = log.observed
      const off = (o.kvCacheTokens ? m.kvCacheTokens / o.kvCacheTokens : o.kvCacheGiB ? m.kvCacheBytes / G / o.kvCacheGiB : NaN) - 1
      console.log(
        `${(100 * off).toFixed(1).padStart(7)}% ${log.id} ${log.engine} ${best.deployment.engineVersion} ${best.verdict} (${o.outcome}) tokens ${m.kvCacheTokens}/${o.kvCacheTokens} cache ${(m.kvCacheBytes / G).toFixed(2)}/${o.kvCacheGiB} act/graph ${o.activationGiB}/${o.cudaGraphGiB}/${o.cudaGraphEstimateGiB} w ${o.weightsGiB}`,
      )
      if (pattern) {
        console.log('      spec', JSON.stringify(best.deployment.speculative), 'flags', JSON.stringify(log.flags))
        for (const t of m.terms) console.log('      ', (t.bytes / G).toFixed(3), t.part, t.name, '|', t.because)
      }
    } catch (e) {
      console.log('ERR', log.id, (e as Error).message.slice(0, 200))
    }
  }
  return 0
}
