/** What to change in a deployment once its engine has said how much room there really is. */
import type {DeploymentRequest} from '../../core/deployment.ts'
import {bytesInWords, countInWords} from '../../core/words.ts'
import type {LogReport} from '../../verify/log-report.ts'
import {type Answer, evaluate, type Evaluation} from '../answer/index.ts'

/** One change, as the engine's own flag, with what it brings. */
export interface Change {
  flag: string
  because: string
}

type Setting = 'maxModelLen' | 'gpuMemoryUtilization' | 'kvCache' | 'maxNumSeqs' | 'maxNumBatchedTokens'

/** The engine's own words for a setting. */
const FLAGS: Record<LogReport['engine'], Record<Setting, string>> = {
  vllm: {
    maxModelLen: '--max-model-len',
    gpuMemoryUtilization: '--gpu-memory-utilization',
    kvCache: '--kv-cache-dtype',
    maxNumSeqs: '--max-num-seqs',
    maxNumBatchedTokens: '--max-num-batched-tokens',
  },
  sglang: {
    maxModelLen: '--context-length',
    gpuMemoryUtilization: '--mem-fraction-static',
    kvCache: '--kv-cache-dtype',
    maxNumSeqs: '--max-running-requests',
    maxNumBatchedTokens: '--chunked-prefill-size',
  },
  trtllm: {
    maxModelLen: '--max_seq_len',
    gpuMemoryUtilization: '--kv_cache_free_gpu_memory_fraction',
    kvCache: '--kv_cache_dtype',
    maxNumSeqs: '--max_batch_size',
    maxNumBatchedTokens: '--max_num_tokens',
  },
}

const CACHE_WORDS: Record<LogReport['engine'], string> = {vllm: 'fp8', sglang: 'fp8_e4m3', trtllm: 'fp8'}

/** Contexts are told in whole multiples of this: logs round their GiB. */
const CONTEXT_STEP_TOKENS = 256

/** Left when the server is up, more than this is idle (sglang's hyperparameter guide: 5 to 8 GB are good, 10 and more too much). */
const IDLE_BYTES = 9 * 2 ** 30
const KEPT_BYTES = 6 * 2 ** 30

/** Everything that was fixed or chosen, so that one thing can be changed. */
function fixed({deployment}: Evaluation): DeploymentRequest {
  const {engine: _engine, weights: _weights, ...request} = deployment
  return request
}

/** Changes that let it start, each tried with the engine as its log has it. */
function tried({best, question}: Answer, report: LogReport): Change[] {
  const {deployment, checkpoint, machine, memory} = best
  const flags = FLAGS[report.engine]
  const candidates: {flag: string; request: DeploymentRequest}[] = []
  if (deployment.kvCache === 'bf16' || deployment.kvCache === 'fp16')
    candidates.push({flag: `${flags.kvCache} ${CACHE_WORDS[report.engine]}`, request: {kvCache: 'fp8'}})
  if (deployment.gpuMemoryUtilization < 0.95) candidates.push({flag: `${flags.gpuMemoryUtilization} 0.95`, request: {gpuMemoryUtilization: 0.95}})
  if (deployment.maxNumSeqs > 64) candidates.push({flag: `${flags.maxNumSeqs} 64`, request: {maxNumSeqs: 64}})
  if (deployment.maxNumBatchedTokens > 2048) candidates.push({flag: `${flags.maxNumBatchedTokens} 2048`, request: {maxNumBatchedTokens: 2048}})
  if (report.engine === 'vllm' && !deployment.enforceEager) candidates.push({flag: '--enforce-eager', request: {enforceEager: true}})
  return candidates.flatMap(({flag, request}) => {
    const changed = evaluate({...question, checkpoint, machine, request: {...fixed(best), ...request}, workload: undefined})
    if (!changed.memory.starts || changed.verdict === 'unsupported' || changed.memory.kvCacheTokens <= memory.kvCacheTokens) return []
    return [{flag, because: `starts with a cache of ${countInWords(changed.memory.kvCacheTokens)} tokens`}]
  })
}

/** The cache took what the rest still needed, once it was sized: a smaller share leaves it that. */
function smallerShare({engine, figures}: LogReport, {deployment, engine: {spreadBytes}, memory}: Evaluation, neededBytes = 0): Change[] {
  if (figures.kvCacheBytes === undefined && figures.kvCacheTokens === undefined) return []
  const short = neededBytes + spreadBytes
  const share = Math.floor((deployment.gpuMemoryUtilization - short / memory.totalBytes) * 100) / 100
  if (share < 0.02) return []
  return [
    {
      flag: `${FLAGS[engine].gpuMemoryUtilization} ${share}`,
      because: `it ran out of memory after the cache had taken its share: this leaves ${bytesInWords(short)} more`,
    },
  ]
}

/**
 * What to change. `truth` is the answer with the log's correction in it; absent where the log says nothing of the cache.
 */
export function changesFor(report: LogReport, {best: plain}: Answer, truth: Answer | undefined): Change[] {
  const flags = FLAGS[report.engine]
  const {figures, refusal, outcome, later} = report
  const {deployment} = plain
  if (outcome === 'memory-taken') {
    if (figures.freeBeforeBytes === undefined || figures.totalBytes === undefined || figures.totalBytes <= 0) return []
    const share = Math.floor((figures.freeBeforeBytes / figures.totalBytes) * 100) / 100
    return share < 0.02
      ? []
      : [
          {
            flag: `${flags.gpuMemoryUtilization} ${share}`,
            because: `only ${bytesInWords(figures.freeBeforeBytes)} of ${bytesInWords(figures.totalBytes)} is free, and other programs hold the rest`,
          },
        ]
  }
  if (outcome === 'unsupported') return []
  if (outcome === 'out-of-memory') return smallerShare(report, plain, refusal?.neededBytes)
  if (later?.during === 'serving') return smallerShare(report, plain, later.neededBytes)
  if (refusal?.availableBlocks !== undefined)
    return [
      {
        flag: `${flags.maxNumSeqs} ${refusal.availableBlocks}`,
        because: `there is room for ${countInWords(refusal.availableBlocks)} recurrent states, one for each request${refusal.maxNumSeqs === undefined ? '' : `, and ${countInWords(refusal.maxNumSeqs)} requests were asked for`}`,
      },
    ]
  const memory = truth?.best.memory
  const own = refusal?.estimatedMaxModelLen
  const longest = own ?? (memory ? Math.floor(memory.largestMaxModelLen / CONTEXT_STEP_TOKENS) * CONTEXT_STEP_TOKENS : 0)
  const changes: Change[] = []
  if (outcome === 'kv-too-small') {
    if (longest > 0)
      changes.push({
        flag: `${flags.maxModelLen} ${longest}`,
        because:
          own !== undefined
            ? "the longest context that starts, in the engine's own words"
            : `the longest context that ${bytesInWords(Math.max(0, memory?.kvCacheBytes ?? 0))} of cache holds`,
      })
    return truth ? [...changes, ...tried(truth, report)] : changes
  }
  if (longest > deployment.maxModelLen)
    changes.push({
      flag: `${flags.maxModelLen} ${longest}`,
      because: `the cache holds one request of that length; it is ${countInWords(deployment.maxModelLen)} now`,
    })
  else if (longest > 0 && longest < deployment.maxModelLen && memory && !memory.starts)
    changes.push({
      flag: `${flags.maxModelLen} ${longest}`,
      because: `the cache holds no longer request, though ${countInWords(deployment.maxModelLen)} tokens are allowed`,
    })
  if (report.engine === 'sglang' && figures.freeAfterBytes !== undefined && figures.freeAfterBytes > IDLE_BYTES) {
    const more = figures.freeAfterBytes - KEPT_BYTES
    const share = Math.min(0.95, Math.floor((deployment.gpuMemoryUtilization + more / plain.memory.totalBytes) * 100) / 100)
    if (share > deployment.gpuMemoryUtilization)
      changes.push({flag: `${flags.gpuMemoryUtilization} ${share}`, because: `${bytesInWords(figures.freeAfterBytes)} stays unused while it runs`})
  }
  return changes
}
