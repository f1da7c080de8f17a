import type {Calibration, EngineCalibration} from '../../core/throughput/calibration.ts'

/** What is believed of an engine before anything is measured. */
const ENGINE: EngineCalibration = {
  hostMilliseconds: 0.4,
  hostMicrosecondsPerSequence: 8,
  hostMillisecondsPerDoubling: 0.1,
  requestMilliseconds: 15,
  requestMicrosecondsPerInputToken: 2,
  firstTokenSteps: 1,
  firstTokenGrowth: 0.1,
  attentionGroupSteps: 4,
  coldMilliseconds: 1000,
  coldFp4Milliseconds: 1000,
  frontEndTokensPerSecond: 30_000,
  frontEndTrendPerYear: 0.3,
  bandwidth: 1,
  blockScaledBandwidth: 0.9,
  compute: 1,
  experts: 1,
  attention: 1,
  launch: 1,
  weightOnlyExperts: 1,
  collective: 1,
  eager: 1,
  eagerExperts: 1,
  eagerExpertRanks: 4,
  mixedSteps: 1,
  reservedOutputShare: 0.85,
  hostTrendPerYear: 0.2,
  kernelTrendPerYear: 0.1,
  releases: [],
  unknownVersionYear: 2025.8,
  unknownVersions: [],
  referenceYear: 2025.9,
}

/** What lies outside is off by another fifth at least, whatever few measurements say. */
const ADDED = {ttft: 0.2, tpot: 0.2, throughput: 0.2}

const LITTLE = {ttft: 0.1, tpot: 0.1, throughput: 0.1}

/**
 * The set before fitting: magnitudes from vendors' and engines' documentation and from what is commonly measured. Where
 * a set of measurements says nothing about a parameter, this is the value that stays.
 */
export const PRIORS: Calibration = {
  name: 'priors',
  about: 'values before fitting',
  kernels: {
    bandwidth: {dense: 0.8, experts: 0.75, keyValue: 0.75, latent: 0.6, state: 0.75},
    stateBytesPerSecond: 800e9,
    compute: {fp16: 0.65, bf16: 0.77, fp8: 0.65, int8: 0.6, fp6: 0.55, fp4: 0.55, int4: 0.4},
    weightOnlyCompute: 0.7,
    blockScaledCompute: 0.75,
    expertCompute: {bf16: 0.45, fp8: 0.35, fp4: 0.25, weightOnly: 0.4},
    attentionCompute: {prefill: 0.5, decode: 0.2, latentPrefill: 0.5, latent: 0.4, indexer: 0.3, linear: 0.15},
    expertPaddingTokens: 8,
    expertSpread: 0.8,
  },
  overlapExponent: 3,
  launchMicroseconds: {product: 3, small: 2.5, quantise: 4, experts: 20, fusedExperts: 15, weightOnlyExperts: 20, eager: 12},
  hardwareClasses: {
    'nvidia-9': {memory: 1, compute: 1, weightOnly: 1, blockScaled: 1, state: 1, latency: 1},
    'nvidia-10': {memory: 1, compute: 0.92, weightOnly: 0.4, blockScaled: 0.6, state: 1.2, latency: 0.9},
    // What few publishers measured is held near what is known of the hardware. Weight-only kernels (Marlin) feed the matrix units by the instructions of Ampere, which
    // reach 0.6 of Hopper's rate and all of it where there are no others. States: multiprocessors times clock, relative to an H100; latencies: the clock.
    'nvidia-8': {memory: 1, compute: 0.95, weightOnly: 1.4, blockScaled: 1, state: 0.65, latency: 1.3},
    'nvidia-8.6': {memory: 1.05, compute: 0.9, weightOnly: 1.4, blockScaled: 1, state: 0.6, latency: 1},
    'nvidia-8.9': {memory: 1.05, compute: 0.8, weightOnly: 1.4, blockScaled: 1, state: 1.3, latency: 0.8},
    'nvidia-11': {memory: 1, compute: 0.85, weightOnly: 1.4, blockScaled: 0.8, state: 0.3, latency: 1.3},
    'nvidia-12': {memory: 1, compute: 0.9, weightOnly: 1.4, blockScaled: 0.55, state: 1.8, latency: 0.75},
    // GB10: 218 of 273 GB/s and 92 of 125 TFLOPS (huggingface/kernels#283).
    'nvidia-12.1': {memory: 1, compute: 0.86, weightOnly: 1.4, blockScaled: 0.55, state: 0.5, latency: 1.1},
    'amd-gfx942': {memory: 0.85, compute: 0.5, weightOnly: 1, blockScaled: 1, state: 1.3, latency: 1.1},
    'amd-gfx950': {memory: 0.85, compute: 0.5, weightOnly: 1, blockScaled: 1, state: 1.3, latency: 1.1},
    'amd-gfx1151': {memory: 1, compute: 0.6, weightOnly: 1, blockScaled: 1, state: 0.4, latency: 1.5},
    'amd-gfx1201': {memory: 0.95, compute: 0.6, weightOnly: 1, blockScaled: 1, state: 0.7, latency: 1.1},
  },
  // PCIe by A/B on one machine. Two RTX 3090, Qwen3.6-27B, vLLM 0.25.0 (noonghunna/club-3090#702): with an NVLink bridge a step of 138 sums is 2 ms shorter than through the
  // host, 14 us for each, and 10,000 tokens of prompt 2.5 s, so that the host passes on some 5 GB/s; two RTX 5090, Qwen3.6-35B-A3B (#873): peer access makes a
  // step of 81 sums 1 ms shorter, 12.5 us for each. Eight RTX PRO 6000 with peer access: 24 us for a small sum by NCCL (local-inference-lab/rtx6kpro hardware/pcie-bandwidth.md).
  // So a sum of two takes some 6.5 us over the bridge, 20.5 through the host and 8 with peer access, of which vLLM's factor is 1.17.
  links: {
    nvlink: {latencyMicroseconds: 5, perDoublingMicroseconds: 1.5, bandwidthFraction: 0.6, defaultBytesPerSecondPerDirection: 300e9},
    xgmi: {latencyMicroseconds: 10, perDoublingMicroseconds: 3, bandwidthFraction: 0.5, defaultBytesPerSecondPerDirection: 300e9},
    'pcie-p2p': {latencyMicroseconds: 4.5, perDoublingMicroseconds: 2.4, bandwidthFraction: 0.8, defaultBytesPerSecondPerDirection: 25e9},
    'pcie-host': {latencyMicroseconds: 11.5, perDoublingMicroseconds: 6, bandwidthFraction: 0.19, defaultBytesPerSecondPerDirection: 25e9},
    network: {latencyMicroseconds: 25, perDoublingMicroseconds: 12, bandwidthFraction: 0.6, defaultBytesPerSecondPerDirection: 12e9},
    unified: {latencyMicroseconds: 5, perDoublingMicroseconds: 2, bandwidthFraction: 0.5, defaultBytesPerSecondPerDirection: 100e9},
    other: {latencyMicroseconds: 20, perDoublingMicroseconds: 10, bandwidthFraction: 0.4, defaultBytesPerSecondPerDirection: 20e9},
  },
  engines: {
    vllm: {
      ...ENGINE,
      unknownVersions: [{prefix: 'nightly', year: 2026.3}],
      releases: [
        {version: '0.6.0', year: 2024.68},
        {version: '0.8.0', year: 2025.21},
        {version: '0.9.0', year: 2025.37},
        {version: '0.10.0', year: 2025.56},
        {version: '0.11.0', year: 2025.75},
        {version: '0.12.0', year: 2025.92},
        {version: '0.13.0', year: 2025.96},
        {version: '0.14.0', year: 2026.05},
        {version: '0.15.0', year: 2026.08},
        {version: '0.16.0', year: 2026.15},
        {version: '0.17.0', year: 2026.18},
        {version: '0.18.0', year: 2026.22},
        {version: '0.19.0', year: 2026.26},
      ],
    },
    sglang: {
      ...ENGINE,
      // 29 published runs on MI300X (0.5.6 to 0.5.13: sgl-project/sglang docs/cookbook, #30812, #31044) take 1.4 to 2.3 times as long for a token as those of vLLM would, on one card and on
      // eight, with one request and with hundreds.
      slowerOn: {amd: 1.6},
      mixedSteps: 0,
      reservedOutputShare: 0.8,
      // Kernels of DeepGEMM and FlashInfer are compiled where a shape is met for the first time.
      coldMilliseconds: 10_000,
      coldFp4Milliseconds: 30_000,
      unknownVersions: [{prefix: 'nightly', year: 2026.15}],
      releases: [
        {version: '0.4.0', year: 2024.92},
        {version: '0.5.0', year: 2025.65},
        {version: '0.5.1', year: 2025.65},
        {version: '0.5.3', year: 2025.77},
        {version: '0.5.5', year: 2025.85},
        {version: '0.5.6', year: 2025.92},
        {version: '0.5.9', year: 2026.15},
      ],
    },
    trtllm: {
      ...ENGINE,
      firstTokenSteps: 8,
      // Triton's kernels sort tokens in five parts and quantise activations, where Marlin's align them in one.
      weightOnlyExperts: 1.4,
      frontEndTokensPerSecond: 50_000,
      frontEndTrendPerYear: 3,
      reservedOutputShare: 1,
      unknownVersionYear: 2025.78,
      unknownVersions: [{prefix: 'gpt-oss-dev', year: 2025.78}],
      releases: [
        {version: '0.14.0', year: 2024.84},
        {version: '0.17.0', year: 2025.1},
        {version: '0.20.0', year: 2025.47},
        {version: '1.0.0rc1', year: 2025.5},
        {version: '1.0.0', year: 2025.73},
        {version: '1.1.0rc1', year: 2025.7},
        {version: '1.1.0rc2', year: 2025.75},
        {version: '1.1.0', year: 2025.9},
        {version: '1.2.0rc1', year: 2025.86},
        {version: '1.2.0rc4', year: 2025.93},
        {version: '1.2.0rc6', year: 2026.0},
        {version: '1.2.0', year: 2026.15},
      ],
    },
  },
  defaultEngine: ENGINE,
  spread: {
    base: {ttft: 0.35, tpot: 0.15, throughput: 0.15},
    byEngine: {},
    extrapolated: {hardware: ADDED, model: ADDED, engine: ADDED, release: LITTLE, shape: LITTLE, card: LITTLE},
  },
  seen: {hardware: [], features: [], engines: [], cards: [], shapes: []},
  residuals: {},
}
