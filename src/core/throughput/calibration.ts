import type {ComputeType, LinkKind} from '../accelerator.ts'

/** Fractions of a published rate that kernels of a family reach, each between 0 and 1. */
export interface KernelEfficiency {
  /** Share of memory bandwidth, by what is read. */
  bandwidth: {dense: number; experts: number; keyValue: number; latent: number; state: number}
  /**
   * Bytes a second that kernels of recurrent states move however fast the memory is, in the yardstick class: blocks of threads that each hold one head's state
   * are few, and work on it token by token.
   */
  stateBytesPerSecond: number
  /** Share of the dense rate for matrix products, by operand type. */
  compute: Record<ComputeType, number>
  /** What weight-only formats, dequantised on the way, reach of the 16-bit rate, relative to `compute.bf16`. */
  weightOnlyCompute: number
  /** Block-scaled dense products, relative to `compute`. */
  blockScaledCompute: number
  /** Share of the rate that grouped products of experts reach, by operand type; `weightOnly`: dequantised on the way, of the 16-bit rate. */
  expertCompute: {bf16: number; fp8: number; fp4: number; weightOnly: number}
  /** Share of the 16-bit rate in attention: prompt, decode of grouped queries, decode of latent rows, indexer, linear attention. */
  attentionCompute: {prefill: number; decode: number; latentPrefill: number; latent: number; indexer: number; linear: number}
  /** Rows that an expert's product is padded by: products with few tokens waste the matrix units. */
  expertPaddingTokens: number
  /** Distinct experts touched relative to independent uniform routing. */
  expertSpread: number
}

/** Multipliers of rates for a class of hardware: 1 is "as the published figure and the kernel family say". */
export interface HardwareClass {
  memory: number
  compute: number
  /** Of the compute rate of weight-only kernels, which are written for older matrix units. */
  weightOnly: number
  /** Of the compute rate of products with scales for square blocks of weights, which newer matrix units do not apply by themselves. */
  blockScaled: number
  /** Of the bytes a second that kernels of recurrent states move at most: more multiprocessors at a higher clock move more. */
  state: number
  /** Multiplier of launch and collective latencies. */
  latency: number
  /** Multiplier of the host's time to launch one kernel outside graphs; absent: 1. */
  eager?: number
  /** Standard deviation (logarithmic) of times and rates on top, where these are assumed for a platform that nobody measured. */
  deviation?: number
}

/** A joint: latency of a collective among two, what each doubling adds, and the share of the rated bandwidth. */
export interface LinkCalibration {
  latencyMicroseconds: number
  perDoublingMicroseconds: number
  bandwidthFraction: number
  /** Used where the machine does not say. */
  defaultBytesPerSecondPerDirection: number
}

/** How one serving engine spends time beside the kernels, and how its scheduler works. */
export interface EngineCalibration {
  /** Time of the host for each step, not hidden behind the device, and its share for each running sequence. */
  hostMilliseconds: number
  hostMicrosecondsPerSequence: number
  /** Added for each doubling of the ranks: broadcast to workers. */
  hostMillisecondsPerDoubling: number
  /** From arrival to the scheduler, and from the first token to the client. */
  requestMilliseconds: number
  requestMicrosecondsPerInputToken: number
  /** Decode steps that pass before the first token is delivered, with one request in flight and how that grows: steps x C^growth. */
  firstTokenSteps: number
  firstTokenGrowth: number
  /** Further steps where attention is data parallel and ranks wait for each other. */
  attentionGroupSteps: number
  /**
   * What the first requests wait in all, once their prompts fill a step, while kernels are compiled or tuned for shapes that nobody sent before; with
   * experts of 4 bits each kernel is tried for each size.
   */
  coldMilliseconds: number
  coldFp4Milliseconds: number
  /** Tokens a second that the front end can stream to clients. */
  frontEndTokensPerSecond: number
  /** Yearly growth of that number (logarithmic). */
  frontEndTrendPerYear: number
  /** Multipliers of kernel efficiency, 1 is the common one. */
  bandwidth: number
  /** Further multiplier of bandwidth for dense products whose weights carry block scales. */
  blockScaledBandwidth: number
  compute: number
  /** Multiplier of the time of experts, attention, and launches. */
  experts: number
  attention: number
  launch: number
  collective: number
  /** Further multiplier of the launches around experts that are dequantised: which kernel an engine has for them, and in how many parts it sorts tokens. */
  weightOnlyExperts: number
  /** Multiplier of the time to launch kernels outside graphs: prompts, and everything with graphs switched off. */
  eager: number
  /** Further multiplier of that for the kernels of a mixture-of-experts layer. */
  eagerExperts: number
  /** Kernels' worth of host time for each doubling of the ranks that experts are dealt out to, in each such layer: tokens are sent to where their experts are. */
  eagerExpertRanks: number
  /** Prefill and decode share steps (1) or take turns (0). */
  mixedSteps: number
  /** Share of the output for which cache is reserved when a request is admitted. */
  reservedOutputShare: number
  /** Times that decode steps take longer on the cards of a maker than its kernels say. */
  slowerOn?: Record<string, number>
  /** Yearly decrease of the host's time (logarithmic). */
  hostTrendPerYear: number
  /** Yearly decrease of kernel and launch time (logarithmic). */
  kernelTrendPerYear: number
  /** First release of a version line and when it came out, oldest first. */
  releases: {version: string; year: number}[]
  /** Year taken for a version that is not a release: empty, or by what it starts with. */
  unknownVersionYear: number
  unknownVersions: {prefix: string; year: number}[]
  /** Year of the trend's zero. */
  referenceYear: number
  /** Years of the oldest and newest version measured: the trend is not carried beyond them. Absent: no trend. */
  measuredYears?: {oldest: number; newest: number}
  /** The latest release measured: later ones are given its speed. */
  newestMeasured?: string
}

/** Spread of logarithmic residuals: standard deviations. */
export interface Spread {
  ttft: number
  tpot: number
  throughput: number
}

export interface Residual {
  n: number
  median: number
  p90: number
}

export interface Calibration {
  name: string
  /** Where a user's own runs refitted it: from what, and what of theirs it meets better and worse. */
  ownRuns?: string
  /** What it was fitted to. */
  about: string
  kernels: KernelEfficiency
  /** Exponent of the soft maximum of memory and compute time: high means perfect overlap. */
  overlapExponent: number
  /**
   * Time of a kernel that does not shrink with its work, within captured graphs: start, ramp, tail. `experts`: all that a
   * mixture-of-experts layer does around its products (routing, sorting, combining), and what dequantising kernels add.
   * `fusedExperts`: the same where 4-bit experts run on matrix units that take 4 bits, with routing, both products and the combination in one call.
   * `quantise`: scales of activations computed on the fly. `eager`: the host's time to launch one kernel outside
   * graphs, which hides behind the device when that is slower.
   */
  launchMicroseconds: {product: number; small: number; quantise: number; experts: number; fusedExperts: number; weightOnlyExperts: number; eager: number}
  hardwareClasses: Record<string, HardwareClass>
  links: Record<LinkKind, LinkCalibration>
  engines: Record<string, EngineCalibration>
  /** Used for engines that the set does not know. */
  defaultEngine: EngineCalibration
  /**
   * `extrapolated`: what is added in squares where one of these lies outside what was measured. `engine`: one that nobody
   * measured, or a release before the oldest measured; `release`: one after the newest. `shape`: a model of measured kinds of layers that itself was not
   * measured; `card`: a card of a measured class.
   */
  spread: {base: Spread; byEngine: Record<string, Spread>; extrapolated: Record<'hardware' | 'model' | 'engine' | 'release' | 'shape' | 'card', Spread>}
  /**
   * Which hardware, models' features and engines took part, for `basis.extrapolated`; releases of engines: `measuredYears`. Cards by id and models by
   * `shapeOf`, for the interval alone.
   */
  seen: {
    hardware: string[]
    features: string[]
    engines: string[]
    cards: string[]
    shapes: string[]
    /** Engines by the maker of the cards that anybody measured them on. */
    enginesOf?: Record<string, string[]>
  }
  residuals: Record<string, {ttft?: Residual; tpot?: Residual; throughput?: Residual}>
}
