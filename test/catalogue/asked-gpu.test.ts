import fc from 'fast-check'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {askedGpu} from '../../src/catalogue/asked-gpu.ts'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {parseGpuSpec} from '../../src/catalogue/gpu-spec.ts'
import type {MigTable} from '../../src/catalogue/mig.ts'
import type {Accelerator} from '../../src/core/accelerator.ts'
import {InputError} from '../../src/core/input-error.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '../../dist/data'))
const GiB = 1024 ** 3
const MiB = 1024 ** 2

const asked = (spec: string): Accelerator => askedGpu(catalogue, parseGpuSpec(spec)[0]!)
const card = (id: string): Accelerator => catalogue.gpu(id)!

function inputError(spec: string): InputError {
  try {
    asked(spec)
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error(`expected an InputError for ${spec}`)
}

describe('another memory', () => {
  test.each([
    // Rebuilt cards: what their drivers print, with bandwidth and rates of the card.
    ['rtx-2080-ti:22gb', 'rtx-2080-ti:22gb', 22528 * MiB, 616e9],
    ['rtx-2080-ti-22gb', 'rtx-2080-ti:22gb', 22528 * MiB, 616e9],
    ['RTX 2080 Ti 22GB', 'rtx-2080-ti:22gb', 22528 * MiB, 616e9],
    ['rtx-3080:20gb', 'rtx-3080-10gb:20gb', 20480 * MiB, 760e9],
    // Cards that have an entry of their own.
    ['rtx-4090:48gb', 'rtx-4090-48gb-mod', 49140 * MiB, 1008e9],
    ['rtx-3080:12gb', 'rtx-3080-12gb', 12 * GiB, 912.4e9],
    ['a100:40gb', 'a100-40gb-sxm', 40960 * MiB, 1555e9],
    ['h20:141gb', 'h20-141gb', 143771 * MiB, 4800e9],
    // The size that it has anyway.
    ['rtx-4090:24gb', 'rtx-4090', 24564 * MiB, 1008e9],
    ['l40s:48gb', 'l40s', 46068 * MiB, 864e9],
    // Sizes that are chosen with the machine.
    ['m3-ultra:96gb', 'apple-m3-ultra:96gb', 96 * GiB, 819e9],
    ['m3-ultra:256gb', 'apple-m3-ultra:256gb', 256 * GiB, 819e9],
    ['strix-halo:64gb', 'strix-halo-128gb:64gb', 64 * GiB, 256e9],
    // Any other is taken as it is given.
    ['rtx-5090:64gb', 'rtx-5090:64gb', 64 * GiB, 1792e9],
    ['rtx-5090:65000MiB', 'rtx-5090:65000mib', 65000 * MiB, 1792e9],
  ])('%s', (spec, id, memoryBytes, bandwidth) => {
    expect(asked(spec)).toMatchObject({id, memoryBytes, memoryBandwidthBytesPerSecond: bandwidth})
  })

  test.each([
    ['h100 94gb', 'h100-nvl'],
    ['rtx 4090 16gb', 'rtx-4090-laptop'],
    ['2080ti 22g', 'rtx-2080-ti:22gb'],
    ['Mac Studio M4 Max 128GB', 'apple-m4-max-40c'],
    ['m3 ultra 512gb unified memory', 'apple-m3-ultra'],
    ['4090 24GB VRAM', 'rtx-4090'],
    // Numbers that are no counts.
    ['7900xtx', 'rx-7900-xtx'],
    ['9070 xt', 'rx-9070-xt'],
    ['2x7900xtx', 'rx-7900-xtx'],
    // Words in another order.
    ['rtx 6000 pro', 'rtx-pro-6000-blackwell-ws'],
  ])('as people write it: %s is %s', (spec, id) => expect(asked(spec).id).toBe(id))

  test('is said to be given by hand or rebuilt, and not where it is sold so', () => {
    expect(asked('rtx-5090:64gb').remarks).toEqual([expect.stringContaining('64.0 GiB of memory for GeForce RTX 5090 was given by hand')])
    expect(asked('rtx-2080-ti:22gb').remarks).toEqual([expect.stringContaining('rebuilt with 22 GB')])
    expect(asked('m3-ultra:128gb').remarks).toEqual([expect.stringContaining('it is sold with 96, 256, 512 GB')])
    expect(asked('m3-ultra:96gb').remarks).toBeUndefined()
    expect(asked('rtx-4090:24gb').remarks).toBeUndefined()
  })

  test('names the card so that it can be asked for again', () => {
    for (const spec of [
      'rtx-2080-ti:22gb',
      'rtx-3080:20gb',
      'strix-halo:64gb',
      'rtx-5090:64gb',
      'rtx-5090:65000MiB',
      'h100-sxm:1g.10gb',
      'card:memory=20GiB,bandwidth=760GB/s,capability=8.6',
    ]) {
      const gpu = asked(spec)
      expect(asked(gpu.id)).toEqual(gpu)
    }
  })

  test('of a card that nobody knows is a card that nobody knows', () => {
    expect(inputError('rtx-4900-22gb')).toMatchObject({code: 'GPU_UNKNOWN'})
    expect(inputError('rtx-3090:0gb')).toMatchObject({code: 'GPU_OPTION_INVALID'})
    expect(inputError('rtx-3090:big').message).toContain('rtx-3090:24gb')
  })
})

describe('slices', () => {
  const table = catalogue.file<MigTable>('mig')

  test.each([
    // What nvidia-smi printed of the slice; a quarter of 2,039 GB/s; two sevenths of 312 TFLOPS.
    ['a100-80gb-sxm:2g.20gb', 19968 * MiB, 2039e9 / 4, (312e12 * 2) / 7],
    ['h100-sxm:1g.10gb', 9984 * MiB, 3350e9 / 8, 989.5e12 / 7],
    ['b200:1g.23gb', 20992 * MiB, 7700e9 / 8, 2250e12 / 7],
    // Where no report was found: half of 143,771 MiB.
    ['h200-sxm:3g.71gb', (143771 * MiB) / 2, 4800e9 / 2, (989.5e12 * 3) / 7],
  ])('%s', (spec, memoryBytes, bandwidth, bf16) => {
    const slice = asked(spec)
    expect(slice.memoryBytes).toBe(memoryBytes)
    expect(slice.memoryBandwidthBytesPerSecond! / bandwidth).toBeCloseTo(1, 2)
    expect(slice.denseOperationsPerSecond.bf16! / bf16).toBeCloseTo(1, 2)
    expect(slice.pciePeerAccess).toBe(false)
    expect(slice).not.toHaveProperty('scaleUp')
  })

  test('media engines and other spellings make no difference', () => {
    const plain = asked('h100-sxm:1g.10gb')
    for (const spelling of ['h100-sxm:1g.10gb+me', 'h100-sxm:1g.10gb.me', 'h100-sxm:MIG 1g.10gb', 'h100-sxm-mig-1g.10gb'])
      expect(asked(spelling)).toEqual(plain)
  })

  test('a wrong one lists those that the card has', () => {
    const error = inputError('a100-80gb-sxm:2g.24gb')
    expect(error.code).toBe('MIG_UNKNOWN')
    for (const name of Object.keys(table['a100-80gb-sxm']!)) expect(error.message).toContain(name)
    expect(error.suggestions[0]).toBe('a100-80gb-sxm:2g.20gb')
    expect(inputError('t4:1g.5gb').message).toContain('T4 cannot be cut into slices')
  })

  // Law: what a card can be cut into is never more than the card.
  test.each(Object.entries(table))('%s is not exceeded by its slices', (id, profiles) => {
    for (const [name, {mostOnCard, memoryShare, multiprocessorShare}] of Object.entries(profiles)) {
      const slice = asked(`${id}:${name}`)
      expect(mostOnCard * memoryShare).toBeLessThanOrEqual(1)
      expect(mostOnCard * multiprocessorShare).toBeLessThanOrEqual(1 + 1e-9)
      expect(mostOnCard * slice.memoryBytes).toBeLessThanOrEqual(card(id).memoryBytes)
      // The number in the name is the memory, in GB or GiB.
      const named = Number(/\.(\d+)gb$/.exec(name)![1])
      expect(slice.memoryBytes / (named * 1e9)).toBeGreaterThan(0.93)
      expect(slice.memoryBytes / (named * GiB)).toBeLessThan(1.03)
    }
  })
})

describe('figures', () => {
  test('of a card that is in no catalogue', () => {
    const gpu = asked('2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6,bf16=119TFLOPS')
    expect(gpu).toMatchObject({
      vendor: 'nvidia',
      memoryBytes: 20 * GiB,
      memoryBandwidthBytesPerSecond: 760e9,
      computeCapability: 8.6,
      denseOperationsPerSecond: {bf16: 119e12},
    })
    // Every catalogued card of 8.6 takes these, and has as much in fp16 as in bf16.
    expect(gpu.native).toEqual(expect.arrayContaining(['fp16', 'bf16', 'int8']))
    expect(gpu.native).not.toContain('fp8')
    expect(gpu.estimatedOperationsPerSecond?.fp16).toBe(119e12)
    expect(gpu.estimatedOperationsPerSecond).not.toHaveProperty('fp8')
    expect(gpu.remarks?.join()).toContain('catalogued cards of compute capability 8.6')
  })

  test('rates that are not given lie within those of the architecture', () => {
    const ratios = catalogue.gpus
      .filter(({computeCapability, denseOperationsPerSecond}) => computeCapability === 12 && denseOperationsPerSecond.bf16)
      .map(({denseOperationsPerSecond, memoryBandwidthBytesPerSecond}) => denseOperationsPerSecond.bf16! / memoryBandwidthBytesPerSecond!)
    const {estimatedOperationsPerSecond, native} = asked('card:memory=24GiB,bandwidth=1000GB/s,capability=12.0')
    expect(estimatedOperationsPerSecond!.bf16).toBeGreaterThan(Math.min(...ratios) * 1e12)
    expect(estimatedOperationsPerSecond!.bf16).toBeLessThan(Math.max(...ratios) * 1e12)
    expect(native).toEqual(expect.arrayContaining(['fp8', 'nvfp4']))
  })

  // The estimate of a card that is catalogued is near what it has: the median over all, left out and asked for by its figures.
  test('come near the rates of catalogued cards that are asked for in this way', () => {
    const errors: number[] = []
    for (const gpu of catalogue.gpus) {
      const {vendor, computeCapability, memoryBandwidthBytesPerSecond: bandwidth, denseOperationsPerSecond: rates} = gpu
      if (vendor !== 'nvidia' || computeCapability === undefined || bandwidth === undefined || rates.bf16 === undefined) continue
      const others = Object.create(catalogue, {gpus: {value: catalogue.gpus.filter(({id}) => id !== gpu.id)}}) as typeof catalogue
      const [request] = parseGpuSpec(`card:memory=24GiB,bandwidth=${bandwidth / 1e9}GB/s,capability=${computeCapability.toFixed(1)}`)
      const estimated = askedGpu(others, request!).estimatedOperationsPerSecond?.bf16
      if (estimated !== undefined) errors.push(Math.abs(Math.log(estimated / rates.bf16)))
    }
    const sorted = errors.sort((a, b) => a - b)
    expect(errors.length).toBeGreaterThan(60)
    expect(Math.exp(sorted[Math.floor(sorted.length / 2)]!)).toBeLessThan(1.5)
    expect(Math.exp(sorted[Math.floor(sorted.length * 0.9)]!)).toBeLessThan(3)
  })

  test('of AMD by its target, of others by their maker', () => {
    expect(asked('card:memory=24GiB,bandwidth=960GB/s,gfx=gfx1100')).toMatchObject({vendor: 'amd', gfxTarget: 'gfx1100'})
    expect(asked('card:memory=24GiB,bandwidth=960GB/s,gfx=gfx1100')).not.toHaveProperty('computeCapability')
    expect(asked('card:memory=24GiB,bandwidth=456GB/s,vendor=Intel')).toMatchObject({vendor: 'intel', native: []})
  })

  test('without capability are taken for NVIDIA, and said to be unchecked', () => {
    expect(asked('card:memory=24GiB,bandwidth=900GB/s')).toMatchObject({vendor: 'nvidia', remarks: [expect.stringContaining('without capability=')]})
  })

  test('replace those of a catalogued card', () => {
    const gpu = asked('rtx-3090:memory=48GiB,bf16=80TFLOPS')
    expect(gpu).toMatchObject({
      memoryBytes: 48 * GiB,
      memoryBandwidthBytesPerSecond: 936e9,
      computeCapability: 8.6,
      denseOperationsPerSecond: {bf16: 80e12, int8: 284e12},
    })
    expect(gpu.remarks).toEqual([expect.stringContaining('memory=48GiB, bf16=80TFLOPS')])
  })

  test('take other spellings of keys and units', () => {
    const plain = asked('card:memory=20GiB,bandwidth=760GB/s,capability=8.6,pcie=4x16')
    expect(plain.pcie).toEqual({generation: 4, laneCount: 16, bytesPerSecondPerDirection: 31_504_000_000})
    const other = asked('card:capability=sm_86, vram=20480MiB, bw=0.76TB/s,pcie=gen4x16')
    expect(other).toMatchObject({memoryBytes: 20 * GiB, memoryBandwidthBytesPerSecond: 760e9, computeCapability: 8.6, pcie: plain.pcie})
    expect(asked('card:memory=20GiB,bandwidth=760GB/s,name=RTX 3080 (20 GB)').name).toBe('RTX 3080 (20 GB)')
  })

  test.each([
    ['card:memory=20GB,bandwidth=760GB/s', 'write GiB'],
    ['card:memory=20,bandwidth=760GB/s', 'such as 24GiB'],
    ['card:memory=20GiB,bandwidth=760', 'such as 760GB/s'],
    ['card:memory=20GiB,bandwidth=760GiB/s', 'such as 760GB/s'],
    ['card:memory=20GiB', 'needs bandwidth'],
    ['card:bandwidth=760GB/s', 'needs memory'],
    ['card:capability=8.6', 'needs memory and bandwidth'],
    ['card:memory=20GiB,memory=24GiB,bandwidth=760GB/s', 'given twice'],
    ['card:memory=20GiB,bandwidth=760GB/s,capability=ampere', 'such as 8.6'],
    ['card:memory=20GiB,bandwidth=760GB/s,bf16=119', 'dense rate'],
    ['card:memory=20GiB,bandwidth=760GB/s,gfx=navi', 'such as gfx1100'],
    ['card:memory=20GiB,bandwidth=760GB/s,pcie=9x16', 'such as 4x16'],
    ['card:memory=20GiB,bandwidth=760GB/s,vendor=acme', 'expected one of nvidia'],
    ['card:memory=20GiB,bandwidth=760GB/s,name=\u001b[31m', 'letters, digits'],
    ['rtx-9999:memory=20GiB', 'No GPU named "rtx-9999"'],
  ])('%s is refused', (spec, words) => {
    const error = inputError(spec)
    expect(error.code).toBe('GPU_FIGURES_INVALID')
    expect(error.message).toContain(words)
  })

  test('a misspelt key is told the right one', () => {
    expect(inputError('card:memory=20GiB,bandwith=760GB/s').suggestions).toEqual(['bandwidth'])
  })

  // Whatever somebody types: a card with sound figures, or one clear message.
  test('any text gives a card or an InputError', () => {
    const part = fc.constantFrom(
      'memory',
      'bandwidth',
      'capability',
      'gfx',
      'bf16',
      'pcie',
      'vendor',
      'name',
      '=',
      ':',
      ',',
      '20GiB',
      '760GB/s',
      '8.6',
      'x',
      '2',
      'card',
      'rtx-3090',
      '__proto__',
      ' ',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(part, {maxLength: 12}).map((parts) => parts.join('')),
          fc.string({maxLength: 40}),
        ),
        (text) => {
          try {
            for (const request of parseGpuSpec(text)) {
              const gpu = askedGpu(catalogue, request)
              expect(gpu.memoryBytes).toBeGreaterThan(0)
              for (const rate of Object.values({...gpu.denseOperationsPerSecond, ...gpu.estimatedOperationsPerSecond})) expect(rate).toBeGreaterThan(0)
            }
          } catch (error) {
            if (!(error instanceof InputError)) throw error
          }
        },
      ),
      {numRuns: 500},
    )
  })
})
