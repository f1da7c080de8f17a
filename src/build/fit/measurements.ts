import {readFileSync} from 'node:fs'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {realContext} from '../../cli/world.ts'
import {answer, performanceInput} from '../../planner/answer/index.ts'
import {ScenarioSchema} from '../../planner/scenario/schema.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import type {Measurement} from './fit.ts'
import {asRun} from './launches.ts'

interface Observed {
  ttftMs?: number | null
  tpotMs?: number | null
  outputTokensPerSecond?: number | null
}

/** A line that could not be used, and why. */
export interface Unused {
  id: string
  why: string
}

const known = (value: number | null | undefined): number | undefined => value ?? undefined

/** Output rate of a closed loop by Little's law, where only the times were published. */
function rateOf(observed: Observed, concurrency: number | 'max' | undefined, outputTokens: number): number | undefined {
  if (observed.outputTokensPerSecond != null) return observed.outputTokensPerSecond
  if (observed.ttftMs == null || observed.tpotMs == null || typeof concurrency !== 'number') return undefined
  return (concurrency * outputTokens * 1000) / (observed.ttftMs + observed.tpotMs * (outputTokens - 1))
}

/**
 * llama-benchy's rate is that of decoding alone, prompts left out: it says the time per token. Its time to first token is
 * that of the whole first answer in some versions, and is not used.
 */
function decodeOnly(raw: {observed: Observed; note?: unknown}, concurrency: number | 'max' | undefined): Observed {
  const {outputTokensPerSecond} = raw.observed
  if (!String(raw.note ?? '').includes('llama-benchy') || outputTokensPerSecond == null || typeof concurrency !== 'number') return raw.observed
  return {tpotMs: (concurrency * 1000) / outputTokensPerSecond}
}

/**
 * Requests in flight beyond which the first burst decides the mean time to first token unless many more follow, as in the two
 * campaigns under load; other sources do not say how many requests were sent.
 */
const BURST = 16
const tellsFirstToken = ({source, note}: Record<string, unknown>, concurrency: number | 'max' | undefined): boolean =>
  source === 'InferenceX' ||
  source === 'controlled sweep' ||
  (typeof concurrency === 'number' && concurrency <= BURST && !String(note ?? '').includes('prefix cache'))

/** `owner/name` of a repository, or the host of a page. */
export const publisher = (source: string): string => (source.startsWith('http') ? source.split('/')[2]! : source.split(/[:#@ ]/)[0]!)

/**
 * Cases of JSON Lines files: a scenario's fields beside `observed`. Each becomes what the planner would ask the speed model,
 * so that what is fitted is what is used.
 */
export async function readMeasurements(
  files: readonly string[],
  catalogue: Catalogue,
  as: 'as-run' | 'as-described' = 'as-run',
): Promise<{measurements: Measurement[]; unused: Unused[]}> {
  const context = realContext(catalogue)
  const fields = Object.keys(ScenarioSchema.shape)
  const measurements: Measurement[] = []
  const unused: Unused[] = []
  for (const file of files)
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const described = JSON.parse(line) as Record<string, unknown> & {id: string; observed: Observed}
      const run: ReturnType<typeof asRun> = as === 'as-run' ? asRun(described) : {raw: described}
      if ('excluded' in run) {
        unused.push({id: described.id, why: run.excluded})
        continue
      }
      const raw = run.raw as typeof described
      try {
        const scenario = ScenarioSchema.parse(Object.fromEntries(fields.filter((key) => raw[key] != null).map((key) => [key, raw[key]]))) as Scenario
        const {best} = await answer(context, scenario)
        if (!scenario.workload || !best.performance) {
          unused.push({id: raw.id, why: best.reasons[0]?.message ?? best.verdict})
          continue
        }
        const observed = decodeOnly(raw, scenario.workload.concurrency)
        const input = performanceInput(best, scenario.workload)
        measurements.push({
          id: raw.id,
          input: {
            ...input,
            cacheLayout: {...input.cacheLayout, ...(run.stateElementBytes !== undefined && {stateElementBytes: run.stateElementBytes})},
            engineVersion: scenario.engineVersion ?? best.deployment.engineVersion,
            admission: run.admission,
            outputSpread: run.outputSpread,
          },
          model: best.model.id,
          gpu: best.machine.gpus[0]!.accelerator.id,
          source: publisher(String(described.source ?? '')),
          observed: {
            ttftMs: run.cold || !tellsFirstToken(described, scenario.workload.concurrency) ? undefined : known(observed.ttftMs),
            tpotMs: scenario.workload.concurrency === 'max' ? undefined : known(observed.tpotMs),
            outputTokensPerSecond: run.cold ? undefined : rateOf(observed, scenario.workload.concurrency, scenario.workload.outputTokens),
          },
        })
      } catch (error) {
        unused.push({id: raw.id, why: (error as Error).message.split('\n')[0]!})
      }
    }
  return {measurements, unused}
}
