import {type Deployment, type DeploymentRequest, givenOptions} from '../../core/deployment.ts'
import {findCacheFormat} from '../../core/formats.ts'
import type {EngineData, Subject} from '../engine.ts'
import {availableBytes, visibleBytes} from '../overheads.ts'
import {modelledBuild, wantsHalf} from '../platforms.ts'
import {isEncoder} from '../pooling.ts'
import {chosenSpeculation} from '../speculation/choice.ts'
import {isAtLeast, resolveVersion} from '../versions.ts'
import {gpuMemoryUtilization, LOOKS_AT_FREE_SINCE, schedulerDefaults, unsplittableItemTokens} from './defaults.ts'

/** `auto` follows the checkpoint's own cache scheme; DeepSeek-V4 has kernels for packed fp8 rows only (recipes set it); cards without bf16 run in fp16. */
export function resolveCacheFormat(subject: Subject, requested: string | undefined): string {
  if (requested !== undefined && requested !== 'auto') return findCacheFormat(requested)?.id ?? requested
  const {vendor, computeCapability} = subject.gpu.accelerator
  if (wantsHalf(subject.gpu.accelerator)) return 'fp16'
  if (subject.checkpoint.kvCache) return findCacheFormat(subject.checkpoint.kvCache)?.id ?? 'bf16'
  return subject.model.architecture.layerKinds.some((kind) => kind.mixers.some((mixer) => mixer.kind === 'compressed'))
    ? 'fp8'
    : vendor === 'nvidia' && computeCapability !== undefined && computeCapability < 8
      ? 'fp16'
      : 'bf16'
}

/**
 * The default share of the total, or less where that much is not free and the engine looks: it refuses to start on a share that is taken.
 */
function utilization({gpu}: Subject, version: string, reservedBytes: number): number {
  const wanted = gpuMemoryUtilization(version)
  const total = visibleBytes(gpu)
  if (!isAtLeast(version, LOOKS_AT_FREE_SINCE) || total === 0) return wanted
  const free = availableBytes(gpu, reservedBytes) / total
  return free >= wanted ? wanted : Math.max(0.01, Math.floor(free * 100) / 100)
}

export function resolveVllm(subject: Subject, request: DeploymentRequest, data: EngineData): Deployment {
  const {version} = resolveVersion(request.engineVersion, data.newestVersion)
  const maxModelLen = request.maxModelLen ?? subject.model.architecture.contextTokens
  const limits = schedulerDefaults({
    version,
    gpu: subject.gpu,
    ranks: (request.dpAttention && (request.dp ?? 1) === 1 ? 1 : (request.tp ?? 1)) * (request.pp ?? 1),
    maxModelLen,
    chunkedPrefill: !isEncoder(subject.model),
    unsplittableItemTokens: unsplittableItemTokens(subject.model, request.multimodal),
    maxNumSeqs: request.maxNumSeqs,
    maxNumBatchedTokens: request.maxNumBatchedTokens,
  })
  const tp = request.tp ?? 1
  // vLLM has no switch for data-parallel attention: it is data parallelism with expert parallelism over the same GPUs.
  const attentionRanks = request.dpAttention && (request.dp ?? 1) === 1 ? tp : undefined
  const dp = attentionRanks ?? request.dp ?? 1
  const ownTp = attentionRanks ? 1 : tp
  return {
    engine: 'vllm',
    engineVersion: version,
    weights: subject.checkpoint.weights,
    kvCache: resolveCacheFormat(subject, request.kvCache),
    tp: ownTp,
    pp: request.pp ?? 1,
    dp,
    ep: (request.ep ?? 1) > 1 ? ownTp * dp : 1,
    dpAttention: (request.dpAttention ?? false) && dp > 1,
    maxModelLen,
    maxNumSeqs: limits.maxNumSeqs,
    maxNumBatchedTokens: limits.maxNumBatchedTokens,
    gpuMemoryUtilization: request.gpuMemoryUtilization ?? utilization(subject, version, request.reservedBytesPerGpu ?? 0),
    enforceEager: request.enforceEager ?? modelledBuild(data, subject.gpu.accelerator)?.eager ?? false,
    ...chosenSpeculation(data.support.speculation, 'vllm', subject, request),
    cpuOffloadBytes: request.cpuOffloadBytes ?? 0,
    reservedBytesPerGpu: request.reservedBytesPerGpu ?? 0,
    ...givenOptions(request),
  }
}
