/**
 * What engines hold beside weights and cache, and state no constants for: small models of what drives it, with parameters that
 * are data (data/calibration/memory.json, written by src/build/fit-memory.ts).
 */
import type {Machine, MachineGpu} from '../core/accelerator.ts'
import type {Architecture, LayerKind, Mixer} from '../core/architecture.ts'
import type {ShardLayout} from '../core/weights.ts'
import type {MemoryErrors} from './memory-errors.ts'
import {isAtLeast} from './versions.ts'

export interface OverheadParameters {
  /** CUDA or HIP context and libraries of one process, outside the framework's allocator, by vendor; bytes. */
  runtimeBytes: Record<string, number>
  /**
   * Collective library and its buffers for each further GPU of the group; bytes. `direct`: with multicast or peer buffers (NVLink of
   * compute capability 9.0 and later, xGMI); `host`: without.
   */
  collectiveBytes: {direct: number; host: number}
  /** Buffers of the collectives in a group of 1, 2, 4, 8, where that is known; in the place of `collectiveBytes`. */
  groupBytes?: number[]
  /** What a log of the user's own engine showed beyond the estimate. */
  correctionBytes?: number
  /** Copies of the widest layer's activations alive at the peak. */
  activationCopies: number
  /** The same of an image tower's widest layer. */
  encoderCopies: number
  /** Bytes for each logit of the sampler's trial run, by first release. */
  logitBytes: {since: string; bytes: number}[]
  /** One captured graph of one layer, in bytes for each GPU of the group, and what every capture costs. */
  graphBytesPerLayer: number
  graphBaseBytes: number
  /** What a process takes on top where memory is shared with the system: what loading leaves in the page cache counts as used; bytes. */
  unifiedRuntimeBytes: number
  /** What the system keeps of memory that it shares with the GPU, where nobody looked; bytes. */
  unifiedSystemBytes: number
  /** What loading leaves in the allocator's cache where the engine counts it as taken (AMD), of quantised weights; bytes. */
  loaderBytes: number
  /** Standard deviation of the sum of these terms, in bytes: what a verdict keeps clear of. */
  spreadBytes: number
  basis: string
  /** What the fit left: relative error of the cache over the cases that it was fitted to. */
  residuals?: {n: number; median: number; p90: number}
  /** How far the estimate came out from logs that the fit had not seen. */
  errors?: MemoryErrors
}

export type MemoryCalibration = Record<string, OverheadParameters>

const MIB = 1024 ** 2

/**
 * Share of an Intel card's memory that PyTorch shows: 23,256 of 24,480 MiB (Arc Pro B60) and 31,023 of 32,656 (B70) in public environment reports,
 * and 22.71 GiB of a B60 in the vLLM 0.29.0 image. Drivers of mid 2026 were seen to show all of it to PyTorch itself.
 */
const XPU_VISIBLE = 0.95

/**
 * What the CUDA runtime reports as total is less than what the driver's tool prints: firmware keeps 0.43 GiB and 0.16% of the
 * memory for itself (fitted to eight pairs, 24 to 179 GiB, within 0.12 GiB), where the card's own figure is not known.
 */
export function visibleBytes(gpu: MachineGpu): number {
  if (gpu.accelerator.vendor === 'intel' && !gpu.accelerator.architecture?.startsWith('Gaudi') && !gpu.accelerator.unifiedMemory)
    return Math.floor(gpu.memoryBytes * XPU_VISIBLE)
  if (gpu.accelerator.vendor !== 'nvidia' || gpu.accelerator.unifiedMemory) return gpu.memoryBytes
  return Math.max(0, gpu.memoryBytes - (gpu.accelerator.driverReservedBytes ?? Math.round(440 * MIB + gpu.memoryBytes * 0.0016)))
}

/** What a process may hold of what the runtime sees: what is free, where somebody looked, less what is set aside for others. */
export function availableBytes(gpu: MachineGpu, reservedBytes: number): number {
  const visible = visibleBytes(gpu)
  return Math.max(0, Math.min(visible, gpu.freeBytes ?? visible) - reservedBytes)
}

/**
 * What is free before the engine starts, by what is known: looked at, or all that the runtime sees. Memory shared with the system is
 * never all free: an idle one keeps its own part and the page cache.
 */
export function freeBeforeBytes(gpu: MachineGpu, {unifiedSystemBytes}: OverheadParameters): number {
  const visible = visibleBytes(gpu)
  if (gpu.freeBytes !== undefined) return Math.min(visible, gpu.freeBytes)
  return gpu.accelerator.unifiedMemory ? visible - Math.min(unifiedSystemBytes, visible / 4) : visible
}

/** Elements of a token's activations inside a mixer on one rank. */
function mixerWidth(mixer: Mixer, layout: ShardLayout): number {
  const tp = layout.attentionTp
  switch (mixer.kind) {
    case 'full':
      return ((mixer.queryHeadCount * (mixer.outputGate === 'element' ? 3 : 2) + 2 * mixer.kvHeadCount) * mixer.headDim) / tp
    case 'mla':
      return (
        (mixer.queryHeadCount * (2 * (mixer.nopeHeadDim + mixer.ropeHeadDim) + 2 * mixer.valueHeadDim)) / tp + (mixer.queryLoraRank ?? 0) + mixer.kvLoraRank
      )
    case 'compressed':
      return (2 * mixer.queryHeadCount * mixer.headDim) / tp + mixer.queryLoraRank
    // Chunked kernels keep w, u, new values, the output and a state for every 64 tokens beside the projections
    // (vllm/model_executor/layers/fla/ops/chunk.py); Kimi's gates are 32 bits wide for each channel.
    case 'gated-delta-net':
      return (4 * mixer.keyHeadCount * mixer.keyHeadDim + 10 * mixer.valueHeadCount * mixer.valueHeadDim) / tp
    case 'kimi-delta':
      return (15 * mixer.headCount * mixer.headDim) / tp
    case 'lightning':
      return (4 * mixer.headCount * mixer.headDim) / tp
    case 'mamba2':
      return (4 * mixer.headCount * mixer.headDim + 4 * mixer.groupCount * mixer.stateSize) / tp
    case 'mamba1':
      return (4 * mixer.innerSize) / tp
    case 'short-conv':
      return (4 * mixer.channelCount) / tp
  }
}

/** Elements of a token of earlier context: its latent row, and keys and values of every head (vllm/v1/attention/backends/mla/common.py). Sparse layers stay absorbed. */
const contextWidth = (mixer: Mixer, layout: ShardLayout): number =>
  mixer.kind === 'mla' && !mixer.indexer
    ? mixer.kvLoraRank + mixer.ropeHeadDim + (mixer.queryHeadCount * (mixer.nopeHeadDim + mixer.valueHeadDim)) / layout.attentionTp
    : 0

/** Elements of a token's activations inside dense matrices on one rank: gate and up, and their product. */
function denseWidth(kind: LayerKind, layout: ShardLayout): number {
  const {feedForward} = kind
  if (!feedForward) return 0
  const width =
    feedForward.kind === 'dense' ? feedForward.intermediateSize : (feedForward.sharedIntermediateSize ?? 0) + (feedForward.parallelDenseIntermediateSize ?? 0)
  return ((feedForward.gated ? 3 : 2) * width) / layout.denseTp
}

/**
 * Elements of a token in the workspaces of routed experts: gate and up share a buffer with the output, their product has its own
 * (vllm/model_executor/layers/fused_moe/fused_moe.py fused_experts_impl, intermediate_cache1 to 3).
 */
function expertWidth(kind: LayerKind, hidden: number, layout: ShardLayout): number {
  const {feedForward} = kind
  if (feedForward?.kind !== 'moe') return 0
  const width = feedForward.expertIntermediateSize / layout.expertTp
  return feedForward.expertsPerToken * (Math.max((feedForward.gated ? 2 : 1) * width, feedForward.latentSize ?? hidden) + width)
}

/** What a trial of an image tower takes, in elements of 16 bits. */
export interface TowerTrial {
  /** At its own peak. */
  peakElements: number
  /** While the language model runs after it. */
  heldElements: number
  because: string
}

export interface ActivationQuestion {
  architecture: Architecture
  layout: ShardLayout
  /** Tokens of the trial's forward pass. */
  tokens: number
  /** Tokens that one rank's experts see: those of all data-parallel ranks. */
  gatheredTokens?: number
  /** Most tokens that go through the experts' workspaces at once. */
  expertChunkTokens?: number
  /** Copies of the routed tokens' rows that experts' kernels keep beside their workspaces. */
  routedRowCopies?: number
  /** Sequences of the sampler's trial; 0 without one. */
  sequences: number
  /** Bytes for each of its logits. */
  logitBytes: number
  /** Tokens of earlier context whose latent rows the trial projects up to whole heads (MLA). */
  latentContextTokens?: number
  /** Buffers that sparse attention reserves beside its activations; bytes. */
  attentionWorkspaceBytes?: number
  /** Peak of attention where its buffers are known one by one, in the place of the general rule. */
  attention?: ActivationPeak
  /** The image tower's part of the trial. */
  tower?: TowerTrial
  /** A copy of the embedding that the compiler tries its kernels on; bytes. */
  compiledTableBytes?: number
  parameters: OverheadParameters
}

export interface ActivationPeak {
  bytes: number
  because: string
}

/** Residual streams of models with hyper-connections: DeepSeek-V4's `hc_mult`. */
export const COMPRESSED_STREAMS = 4
const residualStreams = ({layerKinds}: Architecture): number =>
  layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'compressed')) ? COMPRESSED_STREAMS : 1

/** Peak of the forward pass: the residual streams beside the widest layer. */
function forwardPeak({
  architecture,
  layout,
  tokens,
  gatheredTokens = tokens,
  latentContextTokens = 0,
  expertChunkTokens = Number.POSITIVE_INFINITY,
  routedRowCopies = 0,
  attentionWorkspaceBytes = 0,
  attention,
  parameters,
}: ActivationQuestion): ActivationPeak {
  const hidden = architecture.hiddenSize
  const bytesPerElement = 2 * parameters.activationCopies
  // With data-parallel ranks every rank gathers the tokens of all: their inputs and their outputs.
  const gathered = gatheredTokens > tokens ? 2 * hidden * gatheredTokens : 0
  const elements = Math.max(
    ...architecture.layerKinds.map((kind) => {
      const context = kind.mixers.reduce((sum, mixer) => sum + contextWidth(mixer, layout), 0) * latentContextTokens
      const mixers = attention
        ? 0
        : kind.mixers.reduce((sum, mixer) => sum + mixerWidth(mixer, layout), 0) * tokens + context + attentionWorkspaceBytes / bytesPerElement
      // Rows that kernels copy are buffers of their own, not what a compiler holds more or less of.
      const routed = kind.feedForward?.kind === 'moe' ? (kind.feedForward.expertsPerToken * hidden * routedRowCopies) / parameters.activationCopies : 0
      const experts = (expertWidth(kind, hidden, layout) + routed) * Math.min(gatheredTokens, expertChunkTokens)
      return Math.max(mixers, denseWidth(kind, layout) * tokens + experts + (experts > 0 ? gathered : 0))
    }),
  )
  const total = elements + 3 * hidden * tokens * residualStreams(architecture)
  return {
    bytes: total * bytesPerElement,
    because: `${tokens} tokens x ${Math.round(total / tokens)} elements of the widest layer x 2 bytes x ${parameters.activationCopies} copies`,
  }
}

/**
 * Peak of the engine's trial run: of the image tower, or of the forward pass, the sampler over all sequences or the compiler beside what the tower left,
 * whichever is highest.
 */
export function activationPeak(question: ActivationQuestion): ActivationPeak {
  const {architecture, sequences, logitBytes, compiledTableBytes = 0, attention, tower, parameters} = question
  const held = tower ? 2 * tower.heldElements : 0
  const beside = ({bytes, because}: ActivationPeak): ActivationPeak => ({
    bytes: bytes + held,
    because: held > 0 ? `${because}, beside ${Math.round(held / MIB)} MiB of images` : because,
  })
  const compiler = {bytes: compiledTableBytes, because: 'the compiler tries its kernels on a copy of the embedding'}
  const sampler = {
    bytes: sequences * architecture.vocabularySize * logitBytes,
    because: `the sampler's trial: ${sequences} sequences x ${architecture.vocabularySize} logits x ${logitBytes} bytes`,
  }
  const encoder = tower
    ? {
        bytes: 2 * tower.peakElements * parameters.encoderCopies,
        because: `the image tower's trial: ${tower.because} x 2 bytes x ${parameters.encoderCopies} copies`,
      }
    : {bytes: 0, because: ''}
  const peak = [beside(forwardPeak(question)), ...(attention ? [beside(attention)] : []), beside(sampler), encoder, beside(compiler)].reduce((a, b) =>
    b.bytes > a.bytes ? b : a,
  )
  return {bytes: Math.round(peak.bytes), because: peak.because}
}

/** Bytes for each logit of the sampler's trial run in this version; 0 before there was one. */
export const logitBytes = (parameters: OverheadParameters, version: string): number =>
  parameters.logitBytes.findLast(({since}) => isAtLeast(version, since))?.bytes ?? 0

/**
 * GPUs of a group that collectives keep buffers for, at most. Peers' memory is mapped by the engines' own all-reduce, which is there for
 * 2, 4, 6 and 8 ranks of one node (device_communicators/custom_all_reduce.py _SUPPORTED_WORLD_SIZES: vLLM 0.8.5 to 0.10.0, SGLang 0.4.6
 * to 0.5.18; vLLM 0.28.0 has 16, and captures on 8 at most). NCCL, which takes over beyond, keeps channels to its neighbours in rings
 * and trees, not to every rank. The logs that the figures were fitted to end at eight GPUs.
 */
const MOST_PEERS = 8

/** Context, libraries and collectives of one process in a group of `worldSize`. */
export function runtimeBytes(gpu: MachineGpu, machine: Pick<Machine, 'link'>, worldSize: number, parameters: OverheadParameters): number {
  const base = parameters.runtimeBytes[gpu.accelerator.vendor] ?? parameters.runtimeBytes.nvidia ?? 0
  if (parameters.groupBytes) {
    const step = Math.min(Math.ceil(Math.log2(Math.max(1, worldSize))), parameters.groupBytes.length - 1)
    return base + parameters.groupBytes[step]!
  }
  const direct = machine.link.kind === 'xgmi' || (machine.link.kind === 'nvlink' && (gpu.accelerator.computeCapability ?? 0) >= 9)
  return (
    base +
    (gpu.accelerator.unifiedMemory ? parameters.unifiedRuntimeBytes : 0) +
    (Math.min(worldSize, MOST_PEERS) - 1) * (direct ? parameters.collectiveBytes.direct : parameters.collectiveBytes.host)
  )
}

export const runtimeWords = (worldSize: number): string => (worldSize > 1 ? `context, libraries and collectives of ${worldSize} GPUs` : 'context and libraries')

/**
 * Graphs of `sizes` batch sizes over `layers` layers on one of `ranks` GPUs. Every captured collective keeps buffers for each of its
 * peers: start-up logs grow about in proportion to the group (0.13 GiB on two cards, 4.8 GiB on eight), up to MOST_PEERS.
 */
export const graphBytes = (sizes: number, layers: number, ranks: number, parameters: OverheadParameters): number =>
  sizes === 0 ? 0 : Math.round(parameters.graphBaseBytes + sizes * layers * Math.min(ranks, MOST_PEERS) * parameters.graphBytesPerLayer)
