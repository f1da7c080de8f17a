/**
 * What engines hold beside weights and cache, and state no constants for: small models of what drives it, with parameters that
 * are data (data/calibration/memory.json).
 */
import type {MachineGpu} from '../core/accelerator.ts'
import type {Architecture, LayerKind, Mixer} from '../core/architecture.ts'
import type {ShardLayout} from '../core/weights.ts'

export interface OverheadParameters {
  /** CUDA or HIP context and libraries of one process, outside the framework's allocator, by vendor; bytes. */
  runtimeBytes: Record<string, number>
  /** Collective library for each process once there is more than one GPU; bytes. */
  collectiveBytes: number
  /** Part of the collective's memory that grows with each doubling of the group; bytes. */
  collectiveBytesPerDoubling: number
  /** Copies of the widest layer's activations alive at the peak. */
  activationCopies: number
  /** Bytes for each logit of the sampler's trial run, by first release. */
  logitBytes: {since: string; bytes: number}[]
  /** One captured graph of one layer, in bytes, and what every capture costs. */
  graphBytesPerLayer: number
  graphBaseBytes: number
  /** Standard deviation of the sum of these terms, in bytes: what a verdict keeps clear of. */
  spreadBytes: number
  basis: string
}

export type MemoryCalibration = Record<string, OverheadParameters>

const MIB = 1024 ** 2

/**
 * What the CUDA runtime reports as total is less than what the driver's tool prints: firmware keeps 0.43 GiB and 0.16% of the
 * memory for itself (fitted to eight pairs, 24 to 179 GiB, within 0.12 GiB), where the card's own figure is not known.
 */
export function visibleBytes(gpu: MachineGpu): number {
  if (gpu.accelerator.vendor !== 'nvidia' || gpu.accelerator.unifiedMemory) return gpu.memoryBytes
  return gpu.memoryBytes - (gpu.accelerator.driverReservedBytes ?? Math.round(440 * MIB + gpu.memoryBytes * 0.0016))
}

/** Elements of a token's activations inside a mixer on one rank. */
function mixerWidth(mixer: Mixer, layout: ShardLayout): number {
  const tp = layout.attentionTp
  switch (mixer.kind) {
    case 'full': return ((mixer.queryHeadCount * (mixer.outputGate === 'element' ? 3 : 2) + 2 * mixer.kvHeadCount) * mixer.headDim) / tp
    case 'mla': return (mixer.queryHeadCount * (2 * (mixer.nopeHeadDim + mixer.ropeHeadDim) + 2 * mixer.valueHeadDim)) / tp + (mixer.queryLoraRank ?? 0) + mixer.kvLoraRank
    case 'compressed': return (2 * mixer.queryHeadCount * mixer.headDim) / tp + mixer.queryLoraRank
    case 'gated-delta-net': return (2 * (2 * mixer.keyHeadCount * mixer.keyHeadDim + 2 * mixer.valueHeadCount * mixer.valueHeadDim)) / tp
    case 'kimi-delta': return (6 * mixer.headCount * mixer.headDim) / tp
    case 'lightning': return (4 * mixer.headCount * mixer.headDim) / tp
    case 'mamba2': return (4 * mixer.headCount * mixer.headDim + 4 * mixer.groupCount * mixer.stateSize) / tp
    case 'mamba1': return (4 * mixer.innerSize) / tp
    case 'short-conv': return (4 * mixer.channelCount) / tp
  }
}

/** Elements of a token's activations inside the feed-forward part on one rank. */
function feedForwardWidth(kind: LayerKind, hidden: number, layout: ShardLayout): number {
  const {feedForward} = kind
  if (!feedForward) return 0
  if (feedForward.kind === 'dense') return ((feedForward.gated ? 3 : 2) * feedForward.intermediateSize) / layout.denseTp
  const routed = feedForward.expertsPerToken * (((feedForward.gated ? 3 : 2) * feedForward.expertIntermediateSize) / layout.expertTp + (feedForward.latentSize ?? hidden))
  return routed + ((feedForward.gated ? 3 : 2) * (feedForward.sharedIntermediateSize ?? 0)) / layout.denseTp
}

/** Elements of one token's activations in the widest layer, with the residual stream and its norm. */
export function activationElementsPerToken(architecture: Architecture, layout: ShardLayout): number {
  const hidden = architecture.hiddenSize
  const widest = Math.max(...architecture.layerKinds.map((kind) =>
    Math.max(kind.mixers.reduce((sum, mixer) => sum + mixerWidth(mixer, layout), 0), feedForwardWidth(kind, hidden, layout))))
  return 3 * hidden + widest
}

export interface ActivationPeak {
  bytes: number
  because: string
}

/** Peak of a forward pass of `tokens`, or of the sampler's trial over `sequences`, whichever is higher. */
export function activationPeak(architecture: Architecture, layout: ShardLayout, tokens: number, sequences: number, parameters: OverheadParameters, logitBytes: number): ActivationPeak {
  const perToken = activationElementsPerToken(architecture, layout)
  const forward = tokens * perToken * 2 * parameters.activationCopies
  const sampler = sequences * architecture.vocabularySize * logitBytes
  return forward >= sampler
    ? {bytes: Math.round(forward), because: `${tokens} tokens x ${Math.round(perToken)} elements of the widest layer x 2 bytes x ${parameters.activationCopies} copies`}
    : {bytes: Math.round(sampler), because: `the sampler's trial: ${sequences} sequences x ${architecture.vocabularySize} logits x ${logitBytes} bytes`}
}

/** Context, libraries and collectives of one process. */
export function runtimeBytes(gpu: MachineGpu, worldSize: number, parameters: OverheadParameters): number {
  const base = parameters.runtimeBytes[gpu.accelerator.vendor] ?? parameters.runtimeBytes.nvidia ?? 0
  return base + (worldSize > 1 ? parameters.collectiveBytes + parameters.collectiveBytesPerDoubling * Math.log2(worldSize) : 0)
}

/** Graphs of `sizes` batch sizes over `layers` layers. */
export const graphBytes = (sizes: number, layers: number, parameters: OverheadParameters): number =>
  sizes === 0 ? 0 : Math.round(parameters.graphBaseBytes + sizes * layers * parameters.graphBytesPerLayer)
