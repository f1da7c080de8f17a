/** From a log's figures to a correction: bytes that the engine takes beyond the prediction, wherever it takes them. */
import {requestBytes} from '../core/memory.ts'
import {sumBytes} from '../core/terms.ts'
import type {EngineData} from '../engines/engine.ts'
import {ENGINES} from '../engines/registry.ts'
import type {RankFigures} from '../verify/log-report.ts'
import {answer} from './answer.ts'
import type {Context} from './context.ts'
import {engineOf} from './context.ts'
import {type Correction, withMoreRuntime} from './corrections.ts'
import {type Evaluation, subjectOf} from './evaluate.ts'
import type {Scenario} from './scenario.ts'

export interface CorrectionQuestion {
  figures: RankFigures
  today: string
}

/** A step to find out how the cache shrinks with what is taken: all engines are linear in it. */
const PROBE_BYTES = 2 ** 28

/** Room for the cache that the log reports, from tokens where bytes were not printed. */
export function reportedCacheBytes({memory}: Evaluation, {kvCacheBytes, kvCacheTokens}: RankFigures): number | undefined {
  if (kvCacheBytes !== undefined) return kvCacheBytes
  return kvCacheTokens !== undefined && memory.kvCacheTokens > 0 ? Math.round((kvCacheTokens / memory.kvCacheTokens) * requestBytes(memory)) : undefined
}

/**
 * The correction that makes the prediction say what the log said. `context` must know no corrections: the difference is to
 * the plain prediction. Undefined where the log says nothing of the cache.
 */
export async function differenceOf(context: Context, scenario: Scenario, {figures, today}: CorrectionQuestion): Promise<Correction | undefined> {
  const {best} = await answer(context, scenario)
  const {engine, deployment, memory, checkpoint, machine} = best
  const reported = reportedCacheBytes(best, figures)
  if (reported === undefined) return undefined
  const subject = subjectOf(best)
  const data: EngineData = Object.create(engineData(context, engine.id))
  const probed = ENGINES[engine.id]!(withMoreRuntime(data, PROBE_BYTES)).memory(subject, deployment)
  // How much of the cache a byte more outside of it costs: 1 where the cache is what is left, a share where it is a share of that.
  const slope = (requestBytes(memory) - requestBytes(probed)) / PROBE_BYTES
  if (!(slope > 0.01)) return undefined
  const missing = (requestBytes(memory) - reported) / slope
  const weights = figures.weightsBytes === undefined ? 0 : figures.weightsBytes - sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  // TensorRT-LLM gives a share of what weights leave; the others pay them in full out of the cache.
  const weightsBytes = Math.round(weights / (engine.id === 'trtllm' ? 1 : slope))
  const {tp, pp, dp} = deployment
  return {
    gpu: machine.gpus[0]!.accelerator.id,
    engine: engine.id,
    engineVersion: deployment.engineVersion,
    date: today,
    overheadBytes: Math.round(missing) - weightsBytes,
    ...(weightsBytes !== 0 && {weightsBytes}),
    from: {hfId: checkpoint.hfId || best.model.id, weights: checkpoint.weights, tp, pp, dp},
  }
}

/** The data that an engine is made from. */
function engineData({catalogue}: Context, id: string): EngineData {
  return {...catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`), support: catalogue.file('engines/support'), needs: catalogue.file('engines/needs')}
}

/** The same question answered with this correction: the engine as it turned out to be. */
export async function withTruth(context: Context, scenario: Scenario, correction: Correction): Promise<Evaluation> {
  return (await answer({...context, corrections: [correction], engines: new Map()}, scenario)).best
}

export {engineOf}
