import type {ComputeType, LinkKind} from '../accelerator.ts'
import type {Calibration, EngineCalibration} from './calibration.ts'
import {classModifiers, ratesOf, unitShare} from './hardware.ts'
import type {PerformanceInput} from './input.ts'
import {hostLinkSeconds, layerWeights} from './offload.ts'
import {computeTypeOf, dynamicScales, rememberedWork, type Work} from './work.ts'
import type {WeightFormat} from '../formats.ts'

/** What one step computes, for one replica. */
export interface StepState {
  /** Sequences that decode, and how many tokens of context each attends to. */
  decodeSequences: number
  contextTokens: number
  /** Tokens of each that are computed: more than one where drafts are checked. Absent: one. */
  tokensPerSequence?: number
  /** Prompt tokens, the sequences they belong to, and the mean context that each of them attends to. */
  promptTokens: number
  promptSequences: number
  promptContextTokens: number
  /** Groups of data-parallel attention that have a prompt: one prompt is computed by one of them. Absent: all. */
  promptGroups?: number
}

/** Seconds of one step by what they are spent on. `total` counts the device's time with what the host adds. */
export interface StepTime {
  products: number
  experts: number
  attention: number
  head: number
  collectives: number
  launches: number
  host: number
  /** Reading weights from the host's memory; 0 where none stay there. Not hidden behind the rest. */
  hostLink: number
  /** Making drafts; 0 without. */
  drafts: number
  total: number
  /** Seconds that the memory and the matrix units alone would need. */
  memory: number
  compute: number
}

/** One deployment made ready for stepping: rates times efficiencies, and the work of a rank. */
export interface StepModel {
  work: Work
  engine: EngineCalibration
  /** Ranks of a replica's stage, stages, and groups of ranks that hold their own sequences. */
  ranks: number
  stages: number
  attentionGroups: number
  frontEndTokensPerSecond: number
  /** What the host needs to launch a kernel outside captured graphs. */
  hostSecondsPerKernel: number
  time(state: StepState): StepTime
}

/** Soft maximum of two times that mostly overlap: never below the larger. */
export function softMaximum(a: number, b: number, exponent: number): number {
  const high = Math.max(a, b)
  const low = Math.min(a, b)
  if (low <= 0 || low < high * 1e-3) return high
  const ratio = low / high
  return high * (1 + ratio ** exponent) ** (1 / exponent)
}

/**
 * Distinct experts that `tokens` touch when each picks `k` of `count` at random: E (1 - (1 - k/E)^T). `spread` scales the
 * tokens, for routing that is less even than chance.
 */
export const distinctExperts = (count: number, k: number, tokens: number, spread: number): number =>
  count * (1 - (1 - Math.min(1, k / count)) ** (tokens * spread))

/**
 * Expected load of the busiest of `groups` relative to the mean, when `count` things fall at random: the mean plus the
 * expected maximum of normal deviates, sqrt(2 ln g) standard deviations, each sqrt((g - 1) / count) of the mean.
 */
export function imbalance(count: number, groups: number): number {
  if (groups <= 1 || count <= 0) return 1
  return Math.min(groups, 1 + 0.7 * Math.sqrt((2 * Math.log(groups) * (groups - 1)) / count))
}

/**
 * What wide tiles leave of the bandwidth: few stages fit beside them. On a GB10 with Qwen3-30B-A3B in NVFP4 tiles of 32 instead of 128 tokens made tokens 1.21, 1.14
 * and 1.26 times as fast at 1, 2 and 4 requests (flashinfer-ai/flashinfer#3152); this share makes it 1.11, 1.16 and 1.22.
 */
const WIDE_TILE_READ_SHARE = 0.7
const WIDE_TILE_TOKENS = 128

/** Tokens that are computed where each of `touched` experts has its share of `pairs` rounded up to whole tiles: a tile at least, and half a tile more than its share on average. */
const inTiles = (pairs: number, touched: number, tile: number): number => Math.max(touched * tile, pairs + (touched * tile) / 2)

/** Kernels around and in the products of a mixture-of-experts layer, where the host launches each. */
const EXPERT_LAYER_KERNELS = 8
/** How fast products with block scales catch up with others, a year (logarithmic). Assumed. */
const BLOCK_SCALED_CATCH_UP_PER_YEAR = 3
/** Of a layer whose attention is launched between two captured pieces: the attention and the next piece. */
const LAUNCHES_OF_A_PIECE = 2
/** Links whose sums are kernels that read each other's memory. */
const OF_CARDS: ReadonlySet<LinkKind> = new Set(['nvlink', 'xgmi', 'unified'])
/**
 * Engines' own sums over peer access are for two cards over PCIe; more of them sum by NCCL (vllm/distributed/device_communicators/custom_all_reduce.py, 0.7.3 to 0.33.0: "not
 * supported on more than two PCIe-only GPUs", likewise SGLang), which takes some 14 microseconds over four (as below).
 */
const OWN_PCIE_RANKS = 2
const LIBRARY_MICROSECONDS = 3
/** Cards over PCIe that one socket or one switch joins: sums of more go through what joins those. */
const PCIE_RANKS_OF_A_SOCKET = 4
/**
 * What that leaves. NCCL's sums over eight RTX PRO 6000 reach 22, 22, 39 and 41 GB/s on four machines and take 24 to 27 microseconds for a few KiB; over four of
 * them 30 to 39 GB/s and 14 (local-inference-lab/rtx6kpro@e2c2b9577c93 hardware/pcie-bandwidth.md, hardware/asus-esc8000a-e13p-broadcom-switches.md).
 */
const ACROSS_SOCKETS = {bandwidthShare: 0.75, latencyMicroseconds: 11}
/** Steps with more tokens than engines capture graphs for. */
const GRAPH_TOKENS = 512

/** Makes a deployment ready. Cheap: a handful of multiplications for each kind of kernel. */
export function stepModel(input: PerformanceInput, calibration: Calibration, engine: EngineCalibration, yearsPastReference = 0): StepModel {
  const hostFactor = Math.exp(-engine.hostTrendPerYear * yearsPastReference)
  const kernelFactor = Math.exp(-engine.kernelTrendPerYear * yearsPastReference)
  const frontEndTokensPerSecond = engine.frontEndTokensPerSecond * Math.exp(engine.frontEndTrendPerYear * yearsPastReference)
  const {accelerator, layout, dpAttention} = input
  const work = rememberedWork(input.architecture, input.checkpoint, layout, input.cacheLayout)
  const rates = ratesOf(accelerator)
  const modifiers = classModifiers(accelerator, calibration)
  const {kernels, overlapExponent: exponent} = calibration
  const stages = Math.max(1, input.pp)
  const ranks = dpAttention ? Math.max(1, Math.round(input.gpuCount / stages)) : Math.max(1, input.tp)
  const attentionGroups = dpAttention ? Math.max(1, Math.round(ranks / layout.attentionTp)) : 1

  const bandwidth = rates.bytesPerSecond * modifiers.memory * engine.bandwidth
  const fraction = (value: number) => Math.min(1, value)
  const memoryRate = (family: keyof typeof kernels.bandwidth) => rates.bytesPerSecond * fraction((kernels.bandwidth[family] * bandwidth) / rates.bytesPerSecond)
  const units = modifiers.compute * unitShare(accelerator)
  const computeRate = (type: ComputeType, factor = 1) => rates.operationsPerSecond[type] * fraction(kernels.compute[type] * units * engine.compute * factor)
  const {dequantised: dequantisedExperts = [], unpacked = [], unfused, tileTokens} = input.expertKernels ?? {}
  const expertType = (format: WeightFormat) =>
    dequantisedExperts.includes(format.id) ? ({type: 'bf16', dequantised: true} as const) : computeTypeOf(format, accelerator)
  const takesFourBits = (format: WeightFormat) => expertType(format).type === 'fp4'
  const productRate = (format: WeightFormat) => {
    const {type, dequantised} = computeTypeOf(format, accelerator)
    return computeRate(
      type,
      dequantised ? kernels.weightOnlyCompute * modifiers.weightOnly : format.scale?.per === 'block' ? kernels.blockScaledCompute * modifiers.blockScaled : 1,
    )
  }
  const expertRate = (format: WeightFormat) => {
    const {type, dequantised} = expertType(format)
    const share = dequantised
      ? kernels.expertCompute.weightOnly * modifiers.weightOnly
      : type === 'fp4'
        ? kernels.expertCompute.fp4
        : type === 'bf16'
          ? kernels.expertCompute.bf16
          : kernels.expertCompute.fp8
    return computeRate(type, (share / kernels.compute[type]) * (!dequantised && format.scale?.per === 'block' ? modifiers.blockScaled : 1))
  }
  const denseMemory = memoryRate('dense')
  // Kernels for block scales were young: what they lacked shrinks with later versions.
  const blockScaled = Math.min(1, engine.blockScaledBandwidth) ** Math.exp(-BLOCK_SCALED_CATCH_UP_PER_YEAR * Math.max(0, yearsPastReference))
  const expertMemory = memoryRate('experts')
  const products = work.products.map((product) => ({
    memory: (product.times * product.bytes) / (denseMemory * (product.format.scale?.per === 'block' ? blockScaled : 1)),
    computePerToken: (product.times * 2 * product.macsPerToken) / productRate(product.format),
    replicatedByAttention: /^(qkv|down|attention|linear|indexer)/.test(product.name),
  }))
  const headMemory = work.head.bytes / denseMemory
  const headComputePerToken = (2 * work.head.macsPerToken) / productRate(work.head.format)
  const experts = work.experts.map((expert) => ({
    expert,
    memoryPerExpert: (expert.times * expert.bytesPerExpert) / expertMemory,
    computePerPair: (expert.times * 2 * expert.macsPerPair) / expertRate(expert.format),
    activationPerPair: (expert.times * expert.activationElements * 2) / denseMemory,
    // Read once as they are, written in 16 bits, read again.
    unpacking: unpacked.includes(expert.format.id) ? 1 + (2 * 16) / expert.format.elementBits : 1,
    // Whole tiles run at the published rate: their operands stay where they are.
    tiles:
      tileTokens !== undefined && takesFourBits(expert.format)
        ? {
            tokens: tileTokens,
            readShare: tileTokens >= WIDE_TILE_TOKENS ? WIDE_TILE_READ_SHARE : 1,
            secondsPerPair: (expert.times * 2 * expert.macsPerPair) / rates.operationsPerSecond.fp4,
          }
        : undefined,
  }))
  const sixteen = rates.operationsPerSecond.bf16 * units
  const attentionRate = (share: number) => Math.min(rates.operationsPerSecond.bf16, sixteen * share * engine.compute)
  const eight = computeRate('fp8', kernels.attentionCompute.indexer / kernels.compute.fp8)
  const attention = work.attention.map((part) => ({
    part,
    memory: memoryRate(part.family),
    decodeRate: attentionRate(part.family === 'latent' ? kernels.attentionCompute.latent : kernels.attentionCompute.decode),
    promptRate: attentionRate(part.family === 'latent' ? kernels.attentionCompute.latentPrefill : kernels.attentionCompute.prefill),
  }))
  const linearRate = attentionRate(kernels.attentionCompute.linear)
  const stateRate = kernels.stateBytesPerSecond * modifiers.state * engine.bandwidth
  const activationPerToken = (work.activationElementsPerToken * 2) / denseMemory

  const {launchMicroseconds} = calibration
  const slower = engine.slowerOn?.[accelerator.vendor] ?? 1
  const quantises = (isDequantised: boolean, {format, times}: {format: WeightFormat; times: number}) => (dynamicScales(format) && !isDequantised ? times : 0)
  const quantiseKernels =
    work.products.reduce((sum, product) => sum + quantises(computeTypeOf(product.format, accelerator).dequantised, product), 0) +
    work.experts.reduce((sum, expert) => sum + quantises(expertType(expert.format).dequantised, expert), 0)
  const kernelCount = work.productKernelCount + work.smallKernelCount + quantiseKernels
  const launchSeconds =
    1e-6 *
    engine.launch *
    modifiers.latency *
    (work.productKernelCount * launchMicroseconds.product +
      work.smallKernelCount * launchMicroseconds.small +
      quantiseKernels * launchMicroseconds.quantise +
      work.experts.reduce(
        (sum, {times, format}) =>
          sum +
          times *
            (!unfused && takesFourBits(format)
              ? launchMicroseconds.fusedExperts
              : expertType(format).dequantised
                ? (launchMicroseconds.experts + launchMicroseconds.weightOnlyExperts) * engine.weightOnlyExperts
                : launchMicroseconds.experts),
        0,
      ))
  const eagerLaunch = launchMicroseconds.eager * engine.eager * (modifiers.eager ?? 1)
  const hostSecondsPerKernel = 1e-6 * eagerLaunch * kernelFactor
  const eagerSeconds = (chunkedKernels: number) =>
    1e-6 *
    eagerLaunch *
    (kernelCount +
      chunkedKernels +
      work.experts.reduce(
        (sum, {times, expertParallel}) => sum + times * (EXPERT_LAYER_KERNELS * engine.eagerExperts + engine.eagerExpertRanks * Math.log2(expertParallel)),
        0,
      ))
  const crossesNodes = input.nodes > 1 && ranks > input.gpuCount / input.nodes
  const kind = crossesNodes ? 'network' : input.link.kind
  const link = calibration.links[kind]
  const linkBytes = (crossesNodes ? input.networkBytesPerSecondPerGpu : input.link.bytesPerSecondPerDirection) ?? link.defaultBytesPerSecondPerDirection
  const acrossSockets = kind === 'pcie-p2p' && ranks > PCIE_RANKS_OF_A_SOCKET
  const linkRate = linkBytes * fraction(link.bandwidthFraction) * (acrossSockets ? ACROSS_SOCKETS.bandwidthShare : 1)
  // What a sum over PCIe or a network waits for is the way there and back, whatever the card's clock.
  const ofCard = OF_CARDS.has(kind) ? modifiers.latency : 1
  const latency = (group: number) =>
    (link.latencyMicroseconds +
      link.perDoublingMicroseconds * Math.log2(group) +
      (acrossSockets ? ACROSS_SOCKETS.latencyMicroseconds : group > OWN_PCIE_RANKS && kind === 'pcie-p2p' ? LIBRARY_MICROSECONDS : 0)) *
    1e-6 *
    ofCard *
    engine.collective
  const {attentionTp} = layout
  // Ranks whose partial sums of a feed-forward are added up; with data-parallel attention tokens are gathered and scattered instead.
  const collectiveSeconds = (tokens: number): number => {
    if (ranks === 1) return 0
    const bytes = tokens * work.hiddenSize * 2
    let seconds = 0
    if (attentionTp > 1) {
      const groupBytes = bytes / attentionGroups
      seconds += work.normCollectives * latency(attentionTp)
      seconds += work.mixerLayers * (latency(attentionTp) + (2 * (attentionTp - 1) * groupBytes) / attentionTp / linkRate)
    }
    if (attentionGroups > 1) seconds += work.feedForwardLayers * 2 * (latency(ranks) + ((ranks - 1) * bytes) / ranks / linkRate)
    else seconds += work.feedForwardLayers * (latency(ranks) + (2 * (ranks - 1) * bytes) / ranks / linkRate)
    return seconds + latency(ranks)
  }
  const networkLink = calibration.links[input.nodes > 1 ? 'network' : input.link.kind]
  const stageHop = stages > 1 ? (stages - 1) * networkLink.latencyMicroseconds * 1e-6 : 0
  const hostRanks = Math.log2(Math.max(1, ranks * stages))

  const {offload} = input
  const held = offload && layerWeights(work)

  /** Whole model with one stage's worth of sequences: the sum over stages. */
  function time(state: StepState): StepTime {
    const sequences = state.decodeSequences / stages
    const perSequence = state.tokensPerSequence ?? 1
    const decode = sequences * perSequence
    const prompt = state.promptTokens
    const tokens = decode + prompt
    const promptGroups = Math.min(attentionGroups, state.promptGroups ?? attentionGroups)
    const groupDecode = decode / attentionGroups
    const groupPrompt = prompt / promptGroups
    const groupTokens = groupDecode + groupPrompt
    const groupSequences = sequences / attentionGroups
    let memory = 0
    let compute = 0
    let productSeconds = 0
    for (const product of products) {
      const needed = product.computePerToken * (product.replicatedByAttention ? groupTokens : tokens)
      memory += product.memory
      compute += needed
      productSeconds += softMaximum(product.memory, needed, exponent)
    }
    const activation = activationPerToken * groupTokens
    memory += activation
    productSeconds += activation

    let expertSeconds = 0
    let touchedExperts = 0
    for (const {expert, memoryPerExpert, computePerPair, activationPerPair, unpacking, tiles} of experts) {
      const pairs = (tokens * expert.expertsPerToken) / expert.expertParallel
      const busiest = imbalance(tokens * expert.expertsPerToken, expert.expertParallel)
      const distinct = distinctExperts(expert.expertCount, expert.expertsPerToken, tokens, kernels.expertSpread)
      const touched = Math.min(expert.expertCount, distinct * imbalance(distinct, expert.expertParallel)) / expert.expertParallel
      const read = (touched * memoryPerExpert * unpacking) / (tiles?.readShare ?? 1)
      touchedExperts += touched * expert.times * expert.bytesPerExpert
      const needed = Math.max(
        (pairs * busiest + touched * kernels.expertPaddingTokens) * computePerPair,
        tiles === undefined ? 0 : inTiles(pairs * busiest, touched, tiles.tokens) * tiles.secondsPerPair,
      )
      const moved = pairs * busiest * activationPerPair
      memory += read + moved
      compute += needed
      expertSeconds += softMaximum(read, needed, exponent) + moved
    }
    expertSeconds *= engine.experts

    let attentionSeconds = 0
    let walkedSeconds = 0
    for (const {part, memory: rate, decodeRate, promptRate} of attention) {
      if (part.family === 'state') {
        // Read once, and written after each token that may turn out to be the last accepted one.
        const bytes = part.times * 2 * part.stateBytes * ((groupSequences * (1 + perSequence)) / 2 + state.promptSequences / promptGroups)
        const moved = softMaximum(bytes / rate, bytes / stateRate, exponent)
        const needed = (part.times * part.stateOperationsPerToken * groupTokens) / linearRate
        memory += moved
        compute += needed
        attentionSeconds += softMaximum(moved, needed, exponent)
        continue
      }
      if (groupDecode > 0) {
        const rows = state.contextTokens / part.tokensPerRow
        const attended = Math.min(rows, part.tokenLimit) + Math.min(state.contextTokens, part.furtherRows)
        // All tokens of a sequence share one reading of its cache.
        const moved = (part.times * groupSequences * (attended * part.bytesPerToken + state.contextTokens * part.indexBytesPerToken)) / rate
        // The tokens of a sequence fill matrix units that a single one leaves mostly empty: at best they run like a prompt.
        const pairRate = perSequence === 1 ? decodeRate : Math.min(decodeRate * perSequence, Math.max(decodeRate, promptRate))
        const needed =
          (part.times * groupDecode * attended * part.decodeOperationsPerPair) / pairRate +
          (part.times * groupDecode * state.contextTokens * part.indexOperationsPerPair) / eight
        memory += moved
        compute += needed
        attentionSeconds += softMaximum(moved, needed, exponent)
        if (perSequence > 1) walkedSeconds += part.times * attended * (input.drafting?.verification?.secondsPerContextToken ?? 0)
      }
      if (prompt > 0) {
        const attended = Math.min(state.promptContextTokens / part.tokensPerRow, part.tokenLimit) + Math.min(state.promptContextTokens, part.furtherRows)
        const needed =
          (part.times * groupPrompt * attended * part.prefillOperationsPerPair) / promptRate +
          (part.times * groupPrompt * state.promptContextTokens * part.indexOperationsPerPair) / eight
        compute += needed
        attentionSeconds += needed
      }
    }
    // As measured: no kernel of the calibration stands behind it.
    attentionSeconds = Math.max(attentionSeconds * engine.attention, walkedSeconds / kernelFactor)

    const sampled = decode + state.promptSequences
    const headNeeded = headComputePerToken * sampled
    // Logits are written once and read a few times by the sampler.
    const logits = (sampled * work.vocabularySize * 16) / layoutVocabulary / denseMemory
    const head = softMaximum(headMemory, headNeeded, exponent) + logits
    memory += headMemory + logits
    compute += headNeeded

    const collectives = collectiveSeconds(tokens)
    const device = productSeconds + head + (expertSeconds + attentionSeconds) * kernelFactor
    const launches = launchSeconds * kernelFactor * stages
    const host =
      (engine.hostMilliseconds * 1e-3 + engine.hostMillisecondsPerDoubling * 1e-3 * hostRanks + engine.hostMicrosecondsPerSequence * 1e-6 * groupSequences) *
      hostFactor
    const slowed = prompt > 0 ? 1 : slower
    const busy = (Math.max(device, memory, compute) + collectives + launches) * slowed
    // Outside graphs the host launches kernel by kernel: the slower of the two sets the pace.
    const outside = perSequence > 1 && input.drafting?.verification?.outsideGraphs !== undefined
    const pace =
      input.enforceEager || prompt > GRAPH_TOKENS || groupDecode > (input.graphMaxBatch ?? Number.POSITIVE_INFINITY)
        ? softMaximum(busy, eagerSeconds(prompt > 0 ? work.promptKernelCount : 0) * kernelFactor * stages, exponent)
        : outside
          ? softMaximum(busy, hostSecondsPerKernel * (work.mixerKernelCount + work.mixerLayers) * stages, exponent)
          : input.piecewiseGraphs
            ? softMaximum(busy, hostSecondsPerKernel * LAUNCHES_OF_A_PIECE * work.mixerLayers * stages, exponent)
            : busy
    const crossing = offload && held ? hostLinkSeconds(offload, held, {dense: held.dense, experts: touchedExperts}) : 0
    // Copies ahead run beside the other layers; what is read or copied in turn stops them.
    const hostLink = offload?.reading === 'ahead' ? Math.max(0, crossing - pace) : crossing
    return {
      products: productSeconds,
      experts: expertSeconds * kernelFactor,
      attention: attentionSeconds * kernelFactor,
      head,
      collectives,
      launches: launches + pace - busy,
      host: host + stageHop,
      hostLink,
      drafts: 0,
      total: pace + host + stageHop + hostLink,
      memory,
      compute,
    }
  }
  const layoutVocabulary = layout.vocabularyTp
  return {work, engine, ranks, stages, attentionGroups, frontEndTokensPerSecond, hostSecondsPerKernel, time}
}
