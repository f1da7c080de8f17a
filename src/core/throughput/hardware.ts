import type {Accelerator, ComputeType} from '../accelerator.ts'
import type {Calibration, HardwareClass} from './calibration.ts'

const NEUTRAL: HardwareClass = {memory: 1, compute: 1, weightOnly: 1, blockScaled: 1, state: 1, latency: 1}

/** Rates of one card as published, with what had to be guessed. */
export interface Rates {
  bytesPerSecond: number
  operationsPerSecond: Record<ComputeType, number>
  /** A figure was not published and was inferred. */
  guessed: boolean
}

/** Operations for each byte of bandwidth that cards without a published rate are taken to have: the low end of what is sold. */
const OPERATIONS_PER_BYTE = 100

/** How much faster a narrower operand is than 16 bits where the hardware takes it and no figure is published. */
const NARROW: Record<ComputeType, number> = {fp16: 1, bf16: 1, fp8: 2, int8: 2, fp6: 2, fp4: 4, int4: 4}

/**
 * How much nearer to their published rate matrix units get that run at half speed with fp32 sums, as on every GeForce: memory and power keep up with them. 168 of 165
 * TFLOPS on an RTX 4090 (tinygrad/tinygrad#11390), where cards that run at full speed get 0.74 (GB10, 92 of 125: huggingface/kernels#283) to 0.85.
 */
const HALF_SPEED_UNITS = 1.2

/** Multiplier of the compute rate for what the card's matrix units are built for. */
export const unitShare = ({fp16AccumulateOperationsPerSecond}: Pick<Accelerator, 'fp16AccumulateOperationsPerSecond'>): number =>
  fp16AccumulateOperationsPerSecond?.fp16 === undefined ? 1 : HALF_SPEED_UNITS

/** Published rates, the inferred ones where nothing is published, and a guess from bandwidth where even that is missing. */
export function ratesOf(accelerator: Accelerator): Rates {
  let guessed = accelerator.memoryBandwidthBytesPerSecond === undefined
  const bytesPerSecond = accelerator.memoryBandwidthBytesPerSecond ?? 200e9
  const stated = (type: ComputeType) => accelerator.denseOperationsPerSecond[type] ?? accelerator.estimatedOperationsPerSecond?.[type]
  let base = stated('bf16') ?? stated('fp16')
  for (const type of ['fp8', 'int8', 'fp4'] as const) {
    const rate = stated(type)
    if (base === undefined && rate !== undefined) {
      base = rate / NARROW[type]
      guessed = true
    }
  }
  if (base === undefined) guessed = true
  const sixteen = base ?? bytesPerSecond * OPERATIONS_PER_BYTE
  const operationsPerSecond = {} as Record<ComputeType, number>
  for (const type of Object.keys(NARROW) as ComputeType[])
    operationsPerSecond[type] =
      stated(type) ?? sixteen * (accelerator.native.includes(type) || (type === 'fp4' && accelerator.native.some((n) => n.endsWith('fp4'))) ? NARROW[type] : 1)
  return {bytesPerSecond, operationsPerSecond, guessed}
}

/**
 * Name of the class that a card's kernels are written for: `nvidia-9`, `nvidia-8.9`, `nvidia-12.1` (GB10 shares its kernels with the cards of 12.0, and neither
 * their memory nor their power), `amd-gfx942`, `apple`.
 */
export function hardwareClass(accelerator: Accelerator): string {
  const capability = accelerator.computeCapability
  if (capability !== undefined) return `${accelerator.vendor}-${capability >= 9 && !accelerator.unifiedMemory ? Math.floor(capability) : capability}`
  return accelerator.gfxTarget ? `${accelerator.vendor}-${accelerator.gfxTarget}` : accelerator.vendor
}

/**
 * The measured class that is closest to one that nobody measured: of the same maker, for NVIDIA by compute capability
 * (the older of two as close), for others by the longest common start of the name (gfx950 is closer to gfx942 than to gfx1201).
 */
export function nearestClass(name: string, measured: readonly string[]): string | undefined {
  const vendor = name.split('-')[0]!
  const closeness = (other: string): number => {
    const [a, b] = [name, other].map((text) => Number(text.slice(vendor.length + 1)))
    if (!Number.isNaN(a) && !Number.isNaN(b)) return -Math.abs(a! - b!)
    let common = 0
    while (common < Math.min(name.length, other.length) && name[common] === other[common]) common += 1
    return common
  }
  return measured.filter((other) => other.split('-')[0] === vendor).sort((a, b) => closeness(b) - closeness(a) || a.localeCompare(b, 'en', {numeric: true}))[0]
}

/** Multipliers of the card's class, of the closest measured one of its maker, or none. */
export function classModifiers(accelerator: Accelerator, {hardwareClasses}: Calibration): HardwareClass {
  const name = hardwareClass(accelerator)
  const nearest = hardwareClasses[name] ? name : nearestClass(name, Object.keys(hardwareClasses))
  return nearest === undefined ? NEUTRAL : hardwareClasses[nearest]!
}
