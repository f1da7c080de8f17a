import {type Deployment, type DeploymentRequest, givenOptions} from '../../core/deployment.ts'
import {findCacheFormat} from '../../core/formats.ts'
import {unaskedContext} from '../context.ts'
import type {EngineData, Subject} from '../engine.ts'
import {chosenSpeculation} from '../speculation/choice.ts'
import {resolveVersion} from '../versions.ts'
import {FREE_GPU_MEMORY_FRACTION, MAX_BATCH_SIZE, MAX_NUM_TOKENS} from './defaults.ts'

/** Cache of a checkpoint without cache scales: fp8 for DeepSeek-V4, as every published configuration has it (SemiAnalysisAI/InferenceX dsv4_*_trt.sh). */
const usualCache = ({model}: Subject): 'fp8' | 'bf16' =>
  model.architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'compressed')) ? 'fp8' : 'bf16'

export function resolveTrtllm(subject: Subject, request: DeploymentRequest, data: EngineData): Deployment {
  const {version} = resolveVersion(request.engineVersion, data.newestVersion)
  const kvCache = request.kvCache !== undefined && request.kvCache !== 'auto' ? request.kvCache : (subject.checkpoint.kvCache ?? usualCache(subject))
  return {
    engine: 'trtllm',
    engineVersion: version,
    weights: subject.checkpoint.weights,
    kvCache: findCacheFormat(kvCache)?.id ?? kvCache,
    tp: request.tp ?? 1,
    pp: request.pp ?? 1,
    dp: request.dp ?? 1,
    ep: request.ep ?? 1,
    dpAttention: request.dpAttention ?? false,
    maxModelLen: request.maxModelLen ?? unaskedContext(subject, 'trtllm', version),
    maxNumSeqs: request.maxNumSeqs ?? MAX_BATCH_SIZE,
    maxNumBatchedTokens: request.maxNumBatchedTokens ?? MAX_NUM_TOKENS,
    gpuMemoryUtilization: request.gpuMemoryUtilization ?? FREE_GPU_MEMORY_FRACTION,
    enforceEager: request.enforceEager ?? false,
    ...chosenSpeculation(data.support.speculation, 'trtllm', subject, request),
    cpuOffloadBytes: 0,
    reservedBytesPerGpu: request.reservedBytesPerGpu ?? 0,
    ...givenOptions(request),
  }
}
