import type {ComputeType, Vendor} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'
import {dictionary} from '../core/dictionary.ts'

/** Figures of a card as somebody gave them by hand. */
export interface GpuFigures {
  name?: string
  vendor?: Vendor
  memoryBytes?: number
  memoryBandwidthBytesPerSecond?: number
  computeCapability?: number
  gfxTarget?: string
  operationsPerSecond: Partial<Record<ComputeType, number>>
  pcie?: {generation: number; laneCount: number; bytesPerSecondPerDirection: number}
  /** The same in one order and spelling: what asks for this card again. */
  text: string
}

/** For the end of every refusal of a card. */
export const HOW_TO_GIVE_FIGURES =
  'a card can also be given by its figures: --gpu 2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6 (for AMD gfx=gfx1100 instead of capability)'

const RATES: readonly ComputeType[] = ['bf16', 'fp16', 'fp8', 'fp6', 'fp4', 'int8', 'int4']
const VENDORS: readonly Vendor[] = ['nvidia', 'amd', 'intel', 'apple', 'huawei', 'google', 'cerebras', 'cpu', 'other']

/** Other spellings of the keys. */
const ALIASES: Readonly<Record<string, string>> = dictionary({
  mem: 'memory',
  vram: 'memory',
  bw: 'bandwidth',
  'memory-bandwidth': 'bandwidth',
  cc: 'capability',
  sm: 'capability',
})
const KEYS = ['memory', 'bandwidth', 'capability', 'gfx', ...RATES, 'pcie', 'vendor', 'name']

/** Bytes a second of one lane in one direction, by generation: 8, 16, 32 GT/s in 128b/130b code, 64 GT/s in flits with 242 of 256 bytes. */
const LANE_BYTES_PER_SECOND: Readonly<Record<number, number>> = {3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}

/** Whether the text behind a card's colon gives figures. */
export const givesFigures = (option: string): boolean => option.includes('=')

/** `memory=20GiB,bandwidth=760GB/s,capability=8.6`. @throws InputError GPU_FIGURES_INVALID, which says what was expected. */
export function parseFigures(option: string): GpuFigures {
  const given = new Map<string, string>()
  for (const pair of option.split(',')) {
    const [, written = '', value = ''] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/s.exec(pair) ?? []
    const lower = written.toLowerCase().replaceAll('_', '-')
    const key = ALIASES[lower] ?? lower
    if (!KEYS.includes(key))
      throw new InputError('GPU_FIGURES_INVALID', `No figure of a card is called ${quotedShort(written || pair)}: expected one of ${KEYS.join(', ')}`, {
        suggestions: nearest(written, KEYS),
      })
    if (given.has(key)) throw invalid(key, value, 'it is given twice')
    given.set(key, value)
  }
  const read = <T>(key: string, parse: (value: string) => T): T | undefined => (given.has(key) ? parse(given.get(key)!) : undefined)
  const operationsPerSecond: Partial<Record<ComputeType, number>> = {}
  for (const type of RATES) {
    const rate = read(type, (value) => rateOf(type, value))
    if (rate !== undefined) operationsPerSecond[type] = rate
  }
  const figures = {
    name: read('name', nameOf),
    vendor: read('vendor', vendorOf),
    memoryBytes: read('memory', memoryOf),
    memoryBandwidthBytesPerSecond: read('bandwidth', bandwidthOf),
    computeCapability: read('capability', capabilityOf),
    gfxTarget: read('gfx', gfxOf),
    pcie: read('pcie', pcieOf),
  }
  const text = KEYS.filter((key) => given.has(key))
    .map((key) => `${key}=${given.get(key)!.replaceAll(/\s+/g, key === 'name' ? ' ' : '')}`)
    .join(',')
  return {...(Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined)) as typeof figures), operationsPerSecond, text}
}

const invalid = (key: string, value: string, expected: string): InputError =>
  new InputError('GPU_FIGURES_INVALID', `${key}=${quotedShort(value)} of a card: ${expected}`)

/** A number with one of these units, in the unit's own terms. */
function quantity(value: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z/]+)$/i.exec(value) ?? []
  const factor = Object.entries(units).find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1]
  return number === undefined || factor === undefined ? undefined : Number(number) * factor
}

function memoryOf(value: string): number {
  const bytes = quantity(value, {KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40})
  if (bytes !== undefined && bytes >= 2 ** 28 && bytes <= 2 ** 44) return Math.round(bytes)
  const decimal = /^[\d.]+\s*[kmgt]b$/i.test(value) ? ' (GB means two things: write GiB, as nvidia-smi counts)' : ''
  throw invalid('memory', value, `expected memory with its unit, such as 24GiB or 24564MiB${decimal}`)
}

function bandwidthOf(value: string): number {
  const rate = quantity(value, {'MB/s': 1e6, 'GB/s': 1e9, 'TB/s': 1e12})
  if (rate !== undefined && rate >= 1e9 && rate <= 1e15) return Math.round(rate)
  throw invalid('bandwidth', value, 'expected memory bandwidth as vendors print it, such as 760GB/s or 3.35TB/s')
}

function rateOf(type: ComputeType, value: string): number {
  const tera = {TFLOPS: 1e12, 'TFLOP/s': 1e12, TFLOP: 1e12, TOPS: 1e12, PFLOPS: 1e15, 'PFLOP/s': 1e15, POPS: 1e15}
  const rate = quantity(value, tera)
  if (rate !== undefined && rate >= 1e11 && rate <= 1e18) return Math.round(rate)
  throw invalid(type, value, 'expected a dense rate (without sparsity), such as 119TFLOPS or 2.3PFLOPS')
}

function capabilityOf(value: string): number {
  const [, major, minor = ''] = /^(?:sm_?)?(\d{1,2})\.?(\d)$/i.exec(value) ?? []
  const capability = Number(`${major}.${minor}`)
  if (capability >= 2 && capability < 20) return capability
  throw invalid('capability', value, "expected NVIDIA's compute capability, such as 8.6 (nvidia-smi --query-gpu=compute_cap prints it)")
}

function gfxOf(value: string): string {
  if (/^gfx[0-9a-f]{3,5}$/i.test(value)) return value.toLowerCase()
  throw invalid('gfx', value, "expected AMD's target, such as gfx1100 (rocminfo prints it)")
}

function pcieOf(value: string): GpuFigures['pcie'] {
  const [, generation, lanes] = /^(?:gen)?([3-6])\s*[x×]\s*(1|2|4|8|16)$/i.exec(value) ?? []
  if (!generation) throw invalid('pcie', value, 'expected generation x lanes, such as 4x16')
  const laneCount = Number(lanes)
  return {generation: Number(generation), laneCount, bytesPerSecondPerDirection: Math.round(LANE_BYTES_PER_SECOND[Number(generation)]! * laneCount)}
}

function vendorOf(value: string): Vendor {
  const vendor = VENDORS.find((known) => known === value.toLowerCase())
  if (vendor) return vendor
  throw new InputError('GPU_FIGURES_INVALID', `vendor=${quotedShort(value)} of a card: expected one of ${VENDORS.join(', ')}`, {
    suggestions: nearest(value, VENDORS),
  })
}

/** Printed everywhere, so that nothing but what names are made of may stand in it. */
function nameOf(value: string): string {
  if (/^[\w .()+-]{1,48}$/.test(value)) return value.replaceAll(/\s+/g, ' ')
  throw invalid('name', value, 'expected up to 48 letters, digits, spaces, dots and hyphens')
}
