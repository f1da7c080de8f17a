import {type Deployment, type DeploymentRequest, givenOptions} from '../../core/deployment.ts'
import {findCacheFormat} from '../../core/formats.ts'
import type {EngineData, Subject} from '../engine.ts'
import {chosenSpeculation} from '../speculation/choice.ts'
import {resolveVersion} from '../versions.ts'
import {chunkedPrefillTokens} from './asked.ts'
import {maxRunningRequests, memFractionStatic} from './defaults.ts'
import {sglangMemory} from './memory.ts'
import {sglangQuestion, subjectKinds} from './question.ts'

/**
 * What `auto` gives a checkpoint without cache scales: fp8 for DeepSeek-V4 (arg_groups/overrides.py _deepseek_v4_kv_cache_dtype), and for
 * sparse MLA on compute capability 10.x and 12.x (0.5.3 server_args.py, from 0.5.16 _dsa_kv_cache_dtype_default).
 */
export function automaticCache(subject: Subject): 'fp8' | 'bf16' {
  const {compressed, sparse} = subjectKinds(subject)
  return compressed || (sparse && (subject.gpu.accelerator.computeCapability ?? 0) >= 10) ? 'fp8' : 'bf16'
}

export function resolveSglang(subject: Subject, request: DeploymentRequest, data: EngineData): Deployment {
  const {version} = resolveVersion(request.engineVersion, data.newestVersion)
  const tp = request.tp ?? 1
  const dp = request.dp !== undefined && request.dp > 1 ? request.dp : request.dpAttention ? tp : 1
  // On one rank the engine switches it off itself (server_args.py _handle_data_parallelism).
  const dpAttention = (request.dpAttention ?? false) && dp > 1
  const kvCache = request.kvCache !== undefined && request.kvCache !== 'auto' ? request.kvCache : (subject.checkpoint.kvCache ?? automaticCache(subject))
  const settings = {
    engineVersion: version,
    tp,
    pp: request.pp ?? 1,
    dp,
    dpAttention,
    enforceEager: request.enforceEager ?? false,
    maxModelLen: request.maxModelLen ?? subject.model.architecture.contextTokens,
    ...chosenSpeculation(data.support.speculation, 'sglang', subject, request),
    cpuOffloadBytes: request.cpuOffloadBytes ?? 0,
    ...givenOptions(request),
  }
  const maxNumBatchedTokens = request.maxNumBatchedTokens ?? chunkedPrefillTokens({version, gpu: subject.gpu, dp, dpAttention})
  const deployment: Deployment = {
    ...settings,
    engine: 'sglang',
    weights: subject.checkpoint.weights,
    kvCache: findCacheFormat(kvCache)?.id ?? kvCache,
    ep: request.ep ?? 1,
    maxNumSeqs: request.maxNumSeqs ?? Math.max(1, Math.floor(256 / (dpAttention ? dp : 1))),
    maxNumBatchedTokens,
    gpuMemoryUtilization:
      request.gpuMemoryUtilization ?? memFractionStatic(sglangQuestion(subject, {...settings, maxNumBatchedTokens: request.maxNumBatchedTokens})),
    reservedBytesPerGpu: request.reservedBytesPerGpu ?? 0,
  }
  if (request.maxNumSeqs !== undefined) return deployment
  // How many requests run at once follows from the pool, which for DeepSeek-V4 follows from the requests: its default is fixed first.
  const {kvCacheTokens, requestsOfTokens} = sglangMemory(subject, deployment, data, true)
  if (kvCacheTokens === 0) return deployment
  const running = maxRunningRequests({
    version,
    poolTokens: kvCacheTokens,
    contextTokens: deployment.maxModelLen,
    dp: dpAttention ? dp : 1,
    drafted: settings.speculative !== undefined,
    compressedAttention: subjectKinds(subject).compressed,
  })
  return {...deployment, maxNumSeqs: Math.max(1, Math.min(running, subjectKinds(subject).recurrent ? Math.floor(requestsOfTokens(1)) : running))}
}
