/** The answer about a model that embeds or ranks: texts in a second, the batch, and the least share of memory that starts. */
import type {Workload} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import type {Interval} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {isEncoder} from '../../engines/pooling.ts'
import {type Evaluation, starts} from './evaluation.ts'
import type {PoolingAnswer} from './pooling-answer.ts'
import {speedUnder, subjectOf} from './speed-input.ts'

/** Length of a text that is assumed where nobody says one. */
const ASSUMED_TOKENS = 1024

/** A load of texts: nothing is written, and a text of the model's full length enters. */
export function textsOf({architecture}: Model, workload: Workload | undefined): Workload | undefined {
  if (!workload) return undefined
  const most = architecture.contextTokens - 1
  const fits = workload.inputTokens <= architecture.contextTokens || workload.inputTokens === ASSUMED_TOKENS
  return {...workload, outputTokens: 1, inputTokens: fits ? Math.max(1, Math.min(workload.inputTokens, most)) : workload.inputTokens}
}

const scaled = ({estimate, low, high}: Interval, factor: number): Interval => ({estimate: estimate * factor, low: low * factor, high: high * factor})

/** Undefined for a model that writes. */
export function poolingOf(evaluation: Evaluation, calibration: Calibration): PoolingAnswer | undefined {
  const {model, deployment, workload} = evaluation
  if (!model.pooling) return undefined
  const tokens = workload?.inputTokens ?? Math.min(ASSUMED_TOKENS, model.architecture.contextTokens - 1)
  const batchTexts = Math.max(1, Math.min(deployment.maxNumSeqs, Math.floor(deployment.maxNumBatchedTokens / tokens)))
  const least = leastShare(evaluation)
  const answer: PoolingAnswer = {
    task: model.pooling.task,
    ...(least !== undefined && {leastGpuMemoryUtilization: least}),
    batchTokens: deployment.maxNumBatchedTokens,
    batchTexts: deployment.maxNumSeqs,
  }
  if (!starts(evaluation)) return answer
  const at = (concurrency: number) => speedUnder(evaluation, {inputTokens: tokens, outputTokens: 1, concurrency}, calibration)
  // Two batches: one is read while the other is gathered.
  const texts = at(2 * batchTexts * (deployment.dpAttention ? 1 : deployment.dp)).outputTokensPerSecond
  return {...answer, latencyMs: at(1).ttftMs, textsPerSecond: texts, inputTokensPerSecond: scaled(texts, tokens)}
}

/** In hundredths, as people type them. A share of what is free after loading (TensorRT-LLM) is not asked about here. */
function leastShare(evaluation: Evaluation): number | undefined {
  const {engine, deployment} = evaluation
  const subject = subjectOf(evaluation)
  const startsWith = (hundredths: number): boolean => {
    const {starts: comes, kvCacheTokens} = engine.memory(subject, {...deployment, gpuMemoryUtilization: hundredths / 100})
    return comes && (isEncoder(evaluation.model) || kvCacheTokens >= Math.min(deployment.maxModelLen, evaluation.memory.largestMaxModelLen))
  }
  let [low, high] = [0, 100]
  for (; high >= 1 && !startsWith(high); high -= 5) if (high <= 5) return undefined
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (startsWith(middle)) high = middle
    else low = middle
  }
  return high / 100
}

/** What needs the layers of a model cannot do with its size. @throws InputError ARCHITECTURE_UNKNOWN. */
export function requireLayers({knownByName, name, id, published}: Model): void {
  if (!knownByName) return
  throw new InputError(
    'ARCHITECTURE_UNKNOWN',
    `${name} is known by name and size only (${Number((published!.totalParams! / 1e9).toPrecision(4))}B parameters): expected its configuration (./config.json), or servefit check ${id} for what its weights take`,
  )
}

/** What looks for answer speeds has nothing to say of a model that gives none. @throws InputError POOLING_MODEL. */
export function requireWriting(model: Model): void {
  const {pooling, name, id} = model
  if (!pooling) return
  throw new InputError(
    'POOLING_MODEL',
    `${name} is ${pooling.task === 'embed' ? 'an embedding model' : 'a reranker'} and generates no text, which is what this question is about: expected a model that generates text, or servefit check ${id} for its memory and speed`,
  )
}
