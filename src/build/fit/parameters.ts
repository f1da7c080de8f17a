import type {Calibration} from '../../core/throughput/calibration.ts'

/** One number of a calibration that is fitted. Positive ones are fitted as logarithms, shares of one as log odds. */
export interface Parameter {
  path: string[]
  scale: 'logarithm' | 'linear' | 'logit'
  /** Standard deviation of the prior, on the scale above. */
  deviation: number
  /** Only measurements of this engine or hardware class can change with it. */
  engine?: string
  hardwareClass?: string
}

const odds = (path: string, deviation: number): Parameter => ({path: path.split('/'), scale: 'logit', deviation})
const log = (path: string, deviation: number, more: Partial<Parameter> = {}): Parameter => ({path: path.split('/'), scale: 'logarithm', deviation, ...more})

/** How far each number may go from its prior: little where physics knows, more where only measuring tells. */
const ENGINE_DEVIATIONS: [string, number][] = [
  ['hostMilliseconds', 0.8],
  ['hostMicrosecondsPerSequence', 0.8],
  ['hostMillisecondsPerDoubling', 0.8],
  ['requestMilliseconds', 0.8],
  ['requestMicrosecondsPerInputToken', 0.8],
  ['firstTokenSteps', 0.8],
  ['frontEndTokensPerSecond', 0.6],
  ['bandwidth', 0.1],
  ['blockScaledBandwidth', 0.3],
  ['compute', 0.15],
  ['experts', 0.15],
  ['attention', 0.2],
  ['launch', 0.25],
  ['weightOnlyExperts', 0.3],
  ['collective', 0.3],
  ['eager', 0.4],
  ['eagerExperts', 0.8],
  ['eagerExpertRanks', 2],
  ['attentionGroupSteps', 0.8],
  ['coldMilliseconds', 3],
  ['coldFp4Milliseconds', 3],
]

/** Of a class of hardware. Memories are known best; few publishers stand behind most classes, and each measured in its own way. */
const HARDWARE_DEVIATIONS: [string, number][] = [
  ['memory', 0.1],
  ['compute', 0.4],
  ['weightOnly', 0.6],
  ['blockScaled', 0.6],
  ['state', 0.6],
  ['latency', 0.3],
]

/** Scale of all deviations below: chosen by leaving out models and GPUs. Wider fits what was seen better and the rest worse. */
const TIGHTNESS = 0.5

export function parametersFor(engines: readonly string[], hardwareClasses: readonly string[], links: readonly string[]): Parameter[] {
  const common: Parameter[] = [
    ...['dense', 'experts', 'keyValue', 'latent', 'state'].map((family) => odds(`kernels/bandwidth/${family}`, 0.6)),
    ...['bf16', 'fp8', 'fp4'].map((type) => odds(`kernels/compute/${type}`, 0.5)),
    ...['bf16', 'fp8', 'fp4', 'weightOnly'].map((type) => odds(`kernels/expertCompute/${type}`, 0.6)),
    ...['prefill', 'decode', 'latentPrefill', 'latent', 'linear'].map((kind) => odds(`kernels/attentionCompute/${kind}`, 0.6)),
    odds('kernels/blockScaledCompute', 0.5),
    log('kernels/stateBytesPerSecond', 0.6),
    log('kernels/expertPaddingTokens', 0.7),
    odds('kernels/expertSpread', 0.7),
    log('overlapExponent', 0.3),
    odds('kernels/weightOnlyCompute', 0.6),
    ...['product', 'small', 'quantise', 'experts', 'fusedExperts', 'weightOnlyExperts', 'eager'].map((kind) => log(`launchMicroseconds/${kind}`, 0.4)),
    ...links.flatMap((link) => [
      log(`links/${link}/latencyMicroseconds`, 0.4),
      log(`links/${link}/perDoublingMicroseconds`, 0.5),
      odds(`links/${link}/bandwidthFraction`, 0.6),
    ]),
  ]
  const hardware = hardwareClasses.flatMap((name) =>
    HARDWARE_DEVIATIONS.map(([what, deviation]) => log(`hardwareClasses/${name}/${what}`, deviation, {hardwareClass: name})),
  )
  const byEngine = engines.flatMap((engine) => [
    ...ENGINE_DEVIATIONS.map(([name, deviation]) => log(`engines/${engine}/${name}`, deviation, {engine})),
    {path: ['engines', engine, 'firstTokenGrowth'], scale: 'linear' as const, deviation: 0.2, engine},
    {path: ['engines', engine, 'frontEndTrendPerYear'], scale: 'linear' as const, deviation: 1.5, engine},
    {path: ['engines', engine, 'hostTrendPerYear'], scale: 'linear' as const, deviation: 0.4, engine},
    {path: ['engines', engine, 'kernelTrendPerYear'], scale: 'linear' as const, deviation: 0.2, engine},
  ])
  return [...common, ...hardware, ...byEngine].map((parameter) => ({...parameter, deviation: parameter.deviation * TIGHTNESS}))
}

type Numbers = Record<string, unknown>

const holder = (calibration: Calibration, parameter: Parameter): Numbers =>
  parameter.path.slice(0, -1).reduce<Numbers>((object, key) => object[key] as Numbers, calibration as unknown as Numbers)

export function readParameter(calibration: Calibration, parameter: Parameter): number {
  const value = holder(calibration, parameter)[parameter.path.at(-1)!] as number
  if (parameter.scale === 'logit') return Math.log(value / (1 - value))
  return parameter.scale === 'logarithm' ? Math.log(value) : value
}

/** Writes into `calibration`: give it a copy. */
export function writeParameter(calibration: Calibration, parameter: Parameter, value: number): void {
  holder(calibration, parameter)[parameter.path.at(-1)!] =
    parameter.scale === 'logit' ? 1 / (1 + Math.exp(-value)) : parameter.scale === 'logarithm' ? Math.exp(value) : value
}
