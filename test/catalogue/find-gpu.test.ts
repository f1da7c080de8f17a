import {describe, expect, test} from 'vitest'
import {matchDriverReport, requireGpu} from '../../src/catalogue/find-gpu.ts'
import {plainName} from '../../src/catalogue/gpu-names.ts'
import {parseGpuSpec} from '../../src/catalogue/gpu-spec.ts'
import {InputError} from '../../src/core/input-error.ts'
import {readGpus} from './data-files.ts'

const gpus = readGpus()
const MiB = 1024 ** 2

/** The outcome in one word: the id, or the ids that remain, or the kind. */
function matched(...args: [name: string, mib?: number, more?: {pciDeviceId?: string; gpuCoreCount?: number}]): string {
  const [name, mib, more] = args
  const match = matchDriverReport(gpus, {name, ...(mib === undefined ? {} : {memoryBytes: mib * MiB}), ...more})
  if (match.kind === 'found') return match.gpu.id
  return match.kind === 'ambiguous' ? match.candidates.map((gpu) => gpu.id).join(' or ') : 'unknown'
}

function inputError(run: () => unknown): InputError {
  try {
    run()
  } catch (error) {
    if (error instanceof InputError) return error
    throw error
  }
  throw new Error('expected an InputError')
}

describe('matchDriverReport', () => {
  test.each([
    ['NVIDIA H100 80GB HBM3', 81559, 'h100-sxm'],
    ['NVIDIA H100 PCIe', 81559, 'h100-pcie'],
    ['NVIDIA A100-SXM4-40GB', 40960, 'a100-40gb-sxm'],
    ['NVIDIA A100-SXM4-80GB', 81920, 'a100-80gb-sxm'],
    ['Tesla T4', 15360, 't4'],
    ['NVIDIA GH200 480GB', 97871, 'gh200-96gb'],
    ['NVIDIA GB200', 189471, 'gb200'],
    ['AMD Instinct MI300X', 196592, 'mi300x'],
    ['Intel(R) Arc(TM) B580 Graphics', 12216, 'arc-b580'],
    ['HL-325L', 131072, 'gaudi3'],
    ['910B3', 65536, 'ascend-910b3'],
  ])('%s with %i MiB is %s', (name, mib, id) => {
    expect(matched(name, mib)).toBe(id)
  })

  test('tells variants of one name apart by memory', () => {
    expect(matched('NVIDIA GeForce RTX 4090', 24564)).toBe('rtx-4090')
    expect(matched('NVIDIA GeForce RTX 4090', 49140)).toBe('rtx-4090-48gb-mod')
    expect(matched('NVIDIA GeForce RTX 4090 D', 24564)).toBe('rtx-4090-d')
    expect(matched('NVIDIA H20', 97871)).toBe('h20-96gb')
    expect(matched('NVIDIA H20', 143771)).toBe('h20-141gb')
    expect(matched('NVIDIA RTX PRO 5000 Blackwell', 48935)).toBe('rtx-pro-5000-blackwell-48gb')
    expect(matched('NVIDIA GB300', 284208)).toBe('gb300')
  })

  test('takes a variant that the catalogue lacks for unknown, and says which share its name', () => {
    expect(matched('NVIDIA GeForce RTX 3080', 10240)).toBe('rtx-3080-10gb')
    expect(matched('NVIDIA GeForce RTX 3080', 12288)).toBe('rtx-3080-12gb')
    const match = matchDriverReport(gpus, {name: 'NVIDIA GeForce RTX 3080', memoryBytes: 16384 * MiB})
    expect(match).toMatchObject({kind: 'unknown', sameName: [{id: 'rtx-3080-10gb'}, {id: 'rtx-3080-12gb'}]})
    expect(matched('NVIDIA GeForce RTX 3060', 8192)).toBe('rtx-3060-8gb')
    expect(matched('AMD Instinct MI60 / MI50', 16368, {pciDeviceId: '0x66a1'})).toBe('mi50-16gb')
  })

  test('knows cards that were rebuilt with more memory', () => {
    expect(matched('NVIDIA GeForce RTX 2080 Ti', 11264)).toBe('rtx-2080-ti')
    expect(matched('NVIDIA GeForce RTX 2080 Ti', 22528)).toBe('rtx-2080-ti')
    expect(matched('NVIDIA GeForce RTX 2080 Ti', 16384)).toBe('unknown')
    expect(matched('NVIDIA GeForce RTX 3080', 20480)).toBe('rtx-3080-10gb')
  })

  test('allows for ECC and for older drivers', () => {
    expect(matched('NVIDIA RTX A6000', 46068)).toBe('rtx-a6000')
    expect(matched('NVIDIA A10', 24512)).toBe('a10')
    expect(matched('Tesla V100-SXM2-32GB', 32510)).toBe('v100-sxm2-32gb')
  })

  test('does not take a laptop GPU for the desktop card', () => {
    expect(matched('NVIDIA GeForce RTX 4090 Laptop GPU', 16376)).toBe('rtx-4090-laptop')
    expect(matched('NVIDIA GeForce RTX 4090 Laptop GPU')).toBe('rtx-4090-laptop')
    expect(matched('NVIDIA GeForce RTX 5090 Laptop GPU', 24463)).toBe('rtx-5090-laptop')
    expect(matched('NVIDIA GeForce RTX 3080 Laptop GPU', 8192)).toBe('rtx-3080-laptop-8gb')
    expect(matched('Quadro RTX 6000', 24576)).toBe('quadro-rtx-6000')
    expect(matched('NVIDIA GeForce RTX 4050 Laptop GPU', 6141)).toBe('unknown')
  })

  test('knows a generic name by its PCI id', () => {
    expect(matched('NVIDIA Corporation Device [10de:2e12]')).toBe('gb10')
    expect(matched('NVIDIA Graphics Device', undefined, {pciDeviceId: '0x2E1210DE'})).toBe('gb10')
    expect(matched('Intel(R) Graphics [0xe211]', 24480)).toBe('arc-pro-b60')
    expect(matched('AMD Radeon Graphics', 32752, {pciDeviceId: '0x66a0'})).toBe('mi50-32gb')
    expect(matched('Card', 20464, {pciDeviceId: '1002:744c'})).toBe('rx-7900-xt')
    expect(matched('Card', 24560, {pciDeviceId: '1002:744c'})).toBe('rx-7900-xtx')
    expect(matched('Card', undefined, {pciDeviceId: '1002:744c'})).toBe('rx-7900-xt or rx-7900-xtx')
  })

  test('does not take the same PCI number of another vendor', () => {
    expect(matched('Card', undefined, {pciDeviceId: '8086:2e12'})).toBe('unknown')
  })

  test('does not trust a name that many products print', () => {
    expect(matched('AMD Radeon Graphics', 512)).toBe('unknown')
    expect(matched('AMD Radeon Graphics')).toBe('unknown')
    expect(matched('AMD Radeon Graphics', 32752)).toBe('mi50-32gb')
  })

  test('needs the cores to tell the bins of a Max chip', () => {
    expect(matched('Apple M4 Max', undefined, {gpuCoreCount: 32})).toBe('apple-m4-max-32c')
    expect(matched('Apple M4 Max', undefined, {gpuCoreCount: 40})).toBe('apple-m4-max-40c')
    expect(matched('Apple M4 Max', 64 * 1024)).toBe('apple-m4-max-40c') // the smaller bin ends at 36 GiB
    expect(matched('Apple M4 Max')).toBe('apple-m4-max-32c or apple-m4-max-40c')
  })

  test('accepts any memory up to the largest where it is unified', () => {
    expect(matched('NVIDIA GB10', 121_690)).toBe('gb10')
    expect(matched('NVIDIA GB10', 8128)).toBe('gb10') // a wrong small total, as one driver printed
    expect(matched('Apple M1', 8192)).toBe('apple-m1')
  })
})

describe('every name in the catalogue', () => {
  test.each(gpus.map((gpu) => [gpu.id, gpu] as const))('%s is found by its id and by what its driver prints', (id, gpu) => {
    expect(requireGpu(gpus, id)).toBe(gpu)
    expect(requireGpu(gpus, id.toUpperCase())).toBe(gpu)
    const report = {memoryBytes: gpu.memoryBytes, gpuCoreCount: gpu.gpuCoreCount?.min}
    for (const name of gpu.aliases) expect(matchDriverReport(gpus, {name, ...report})).toEqual({kind: 'found', gpu})
    for (const nickname of gpu.nicknames ?? []) expect(requireGpu(gpus, nickname)).toBe(gpu)
  })
})

describe('requireGpu', () => {
  test.each([
    ['h200', 'h200-sxm'],
    ['h100', 'h100-sxm'],
    ['a100', 'a100-80gb-sxm'],
    ['4090', 'rtx-4090'],
    ['RTX 4090', 'rtx-4090'],
    ['NVIDIA GeForce RTX 4090', 'rtx-4090'],
    ['3090', 'rtx-3090'],
    ['b200', 'b200-sxm'],
    ['mi300', 'mi300x'],
    ['MI300X', 'mi300x'],
    ['spark', 'gb10'],
    ['DGX Spark', 'gb10'],
    ['m4 max', 'apple-m4-max-40c'],
    ['Apple M4 Max', 'apple-m4-max-40c'],
    ['rtx 3060', 'rtx-3060-12gb'],
    ['NVIDIA H100 80GB HBM3', 'h100-sxm'],
    ['l40s', 'l40s'],
    ['Gaudi 3', 'gaudi3'],
    ['strix halo', 'strix-halo-128gb'],
    ['rtx-3080', 'rtx-3080-10gb'], // of two cards of this name the usual one
    ['rtx-4060-ti', 'rtx-4060-ti-16gb'],
    ['rtx-3080-ti', 'rtx-3080-ti'],
    ['1080 ti', 'gtx-1080-ti'],
    ['5090 laptop', 'rtx-5090-laptop'],
    ['RTX 3080 Laptop', 'rtx-3080-laptop-16gb'],
  ])('%s is %s', (name, id) => {
    expect(requireGpu(gpus, name).id).toBe(id)
  })

  test('offers the closest for a misspelt one', () => {
    const error = inputError(() => requireGpu(gpus, 'rtx-4900'))
    expect(error.code).toBe('GPU_UNKNOWN')
    expect(error.message).toContain('"rtx-4900"')
    expect(error.suggestions[0]).toBe('rtx-4090')
    expect(inputError(() => requireGpu(gpus, 'h200sxn')).suggestions[0]).toBe('h200-sxm')
  })

  // Family and number first, then the generation, then the spelling.
  test.each([
    ['4090ti', ['rtx-4090', 'rtx-4090-d', 'rtx-4090-laptop', 'rtx-4080', 'rtx-4080-laptop']],
    ['rtx-5070-super', ['rtx-5070', 'rtx-5070-laptop', 'rtx-5070-ti', 'rtx-5070-ti-laptop']],
    ['rtx-2090', ['rtx-2080', 'rtx-2080-super', 'rtx-2080-ti']],
    ['h300', ['b300-sxm', 'h100-sxm', 'h200-sxm']],
    ['rx 9090 xt', ['rx-9070-xt', 'rx-9070']],
  ])('for "%s" %j', (name, ids) => {
    expect(inputError(() => requireGpu(gpus, name)).suggestions.slice(0, ids.length)).toEqual(ids)
  })

  test('says how a card can be given by its figures', () => {
    expect(inputError(() => requireGpu(gpus, 'rtx-4900')).message).toContain('--gpu 2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6')
  })

  test('neither compares nor repeats a name of 4,096 characters', () => {
    const error = inputError(() => requireGpu(gpus, 'rtx-'.repeat(1024)))
    expect(error.suggestions).toEqual([])
    expect(error.message.length).toBeLessThan(350)
  })

  test('offers nothing where nothing is close', () => {
    expect(inputError(() => requireGpu(gpus, 'voodoo')).suggestions).toEqual([])
  })

  test('asks back where a name is of several', () => {
    const pair = gpus.filter((gpu) => ['rx-7900-xt', 'rx-7900-xtx'].includes(gpu.id)).map((gpu) => ({...gpu, aliases: ['Navi 31']}))
    const error = inputError(() => requireGpu(pair, 'Navi 31'))
    expect(error).toMatchObject({code: 'GPU_AMBIGUOUS', suggestions: ['rx-7900-xt', 'rx-7900-xtx']})
  })
})

describe('plainName', () => {
  test('drops vendor words, trade marks and punctuation, nothing else', () => {
    expect(plainName('NVIDIA GeForce RTX 4090')).toBe('rtx4090')
    expect(plainName('Intel(R) Arc(TM) Pro B60 Graphics')).toBe('arcprob60')
    expect(plainName('NVIDIA GeForce RTX 4090 Laptop GPU')).toBe('rtx4090laptopgpu')
    expect(plainName('AMD Radeon Graphics')).toBe('amdradeongraphics')
  })
})

describe('parseGpuSpec', () => {
  test.each([
    [
      '8xh200-sxm,2xrtx-4090',
      [
        {count: 8, id: 'h200-sxm'},
        {count: 2, id: 'rtx-4090'},
      ],
    ],
    ['h100-sxm', [{count: 1, id: 'h100-sxm'}]],
    ['8 x h200-sxm', [{count: 8, id: 'h200-sxm'}]],
    ['8×h200', [{count: 8, id: 'h200'}]],
    ['2XRTX-4090', [{count: 2, id: 'rtx-4090'}]],
    ['4090', [{count: 1, id: '4090'}]],
    ['2x4090', [{count: 2, id: '4090'}]],
    [
      ' 1x rtx 3090 , 1x rtx 4090 ',
      [
        {count: 1, id: 'rtx 3090'},
        {count: 1, id: 'rtx 4090'},
      ],
    ],
    ['rx-7900-xtx', [{count: 1, id: 'rx-7900-xtx'}]],
    // The number behind the card, and a star as people type it.
    ['4090 x2', [{count: 2, id: '4090'}]],
    ['RTX 4090 x 2', [{count: 2, id: 'rtx 4090'}]],
    ['h100*8', [{count: 8, id: 'h100'}]],
    ['2 * 4090', [{count: 2, id: '4090'}]],
    ['mi300x', [{count: 1, id: 'mi300x'}]],
    ['8x580', [{count: 8, id: '580'}]],
    [
      'rtx-4090,rtx-3090 x2',
      [
        {count: 1, id: 'rtx-4090'},
        {count: 2, id: 'rtx-3090'},
      ],
    ],
    ['4096xh100-sxm', [{count: 4096, id: 'h100-sxm'}]],
    ['4xRTX-2080-Ti:22GB', [{count: 4, id: 'rtx-2080-ti', option: '22GB'}]],
    ['7xh100-sxm:1g.10gb', [{count: 7, id: 'h100-sxm', option: '1g.10gb'}]],
    // A figure without a count belongs to the card before it.
    [
      '2xcard:memory=20GiB,bandwidth=760GB/s, capability=8.6,1xrtx-3090',
      [
        {count: 2, id: 'card', option: 'memory=20GiB,bandwidth=760GB/s, capability=8.6'},
        {count: 1, id: 'rtx-3090'},
      ],
    ],
    ['NVIDIA Corporation Device [10de:2e12]', [{count: 1, id: 'nvidia corporation device [10de:2e12]'}]],
  ])('%s', (spec, requests) => {
    expect(parseGpuSpec(spec)).toEqual(requests)
  })

  test.each([
    ['2 3090', 2, '3090'],
    ['2 RTX 3090', 2, 'rtx 3090'],
    ['2 x RTX 3090', 2, 'rtx 3090'],
    ['7900 xtx', 1, '7900 xtx'],
  ])('%s is %d of %s', (spec, count, id) => expect(parseGpuSpec(spec)).toEqual([{count, id}]))

  test.each([
    ['2,3090', 'joined by x'],
    ['24 gb', 'a memory size, not a card'],
    ['', 'empty'],
    ['8xh200,', 'empty'],
    ['8x', 'names no GPU'],
    ['-', 'names no GPU'],
    ['memory=20GiB', 'a figure without a card before it'],
    [':22gb', 'names no GPU'],
    ['0xh200', '"0" is not a number of GPUs'],
    ['-2xh200', '"-2" is not a number of GPUs'],
    ['1.5xh200', '"1.5" is not a number of GPUs'],
    ['4097xh200', '4097 GPUs are more than 4096'],
    ['4000xh200,97xh100', '4097 GPUs are more than 4096'],
  ])('refuses "%s"', (spec, message) => {
    const error = inputError(() => parseGpuSpec(spec))
    expect(error.code).toBe('GPU_SPEC_INVALID')
    expect(error.message).toContain(message)
  })
})
