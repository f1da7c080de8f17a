import {describe, expect, test} from 'vitest'
import type {Accelerator} from '../../src/core/accelerator.ts'
import {checkGpuFile} from '../../src/catalogue/gpu-schema.ts'
import {readDataFiles, readGpus} from './data-files.ts'

const files = readDataFiles('gpus')

describe.each(files)('$path', ({path, value}) => {
  const {accelerator, problems} = checkGpuFile(path, value)

  test('keeps to the schema', () => {
    expect(problems).toEqual([])
  })

  test('is plausible', () => {
    const gpu = accelerator as Accelerator
    expect(gpu.memoryBytes).toSatisfy(Number.isSafeInteger)
    // Cards of 6 GB are the smallest that anybody asks about.
    expect(gpu.memoryBytes).toBeGreaterThanOrEqual(6 * 1024 ** 3)
    expect(gpu.memoryBytes).toBeLessThanOrEqual(512 * 1024 ** 3)
    expect(gpu.memoryBandwidthBytesPerSecond ?? 1e11).toSatisfy(Number.isInteger)
    // 68.3 GB/s of an M1 is the least; on-chip SRAM is the only memory beyond 8 TB/s.
    expect(gpu.memoryBandwidthBytesPerSecond ?? 1e11).toBeGreaterThan(60e9)
    if (gpu.vendor !== 'cerebras') expect(gpu.memoryBandwidthBytesPerSecond ?? 1e11).toBeLessThanOrEqual(8e12)
    expect(gpu.driverReservedBytes ?? 0).toBeLessThan(gpu.memoryBytes / 20)
  })

  test('rates rise as operands shrink', () => {
    const {fp16, bf16, fp8, fp6, fp4} = (accelerator as Accelerator).denseOperationsPerSecond
    if (bf16 !== undefined) expect(fp16 ?? bf16).toBeGreaterThanOrEqual(bf16)
    expect(fp8 ?? Infinity).toBeGreaterThanOrEqual(bf16 ?? 0)
    expect(fp6 ?? Infinity).toBeGreaterThanOrEqual(fp8 ?? 0)
    expect(fp4 ?? Infinity).toBeGreaterThanOrEqual(fp6 ?? fp8 ?? 0)
  })

  test('has rates only for types that are native', () => {
    const {denseOperationsPerSecond, native} = accelerator as Accelerator
    const unnative = Object.keys(denseOperationsPerSecond).filter(
      (type) => !native.includes(type) && !(type === 'fp4' && (native.includes('nvfp4') || native.includes('mxfp4'))),
    )
    expect(unnative).toEqual([])
  })

  test('PCIe rate belongs to generation and lanes', () => {
    const pcie = (accelerator as Accelerator).pcie
    // GB/s a lane and direction: 8, 16, 32 GT/s in 128b/130b code; 64 GT/s in flits with 242 of 256 bytes.
    const perLane: Record<number, number> = {3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
    if (!pcie?.generation || !pcie.laneCount) return
    const expected = (perLane[pcie.generation] as number) * pcie.laneCount * 1e9
    expect(Math.abs(pcie.bytesPerSecondPerDirection / expected - 1)).toBeLessThan(0.01)
  })
})

describe('the GPU catalogue as a whole', () => {
  const gpus = readGpus()

  test('has an entry for each file', () => {
    expect(gpus).toHaveLength(files.length)
    expect(files.length).toBeGreaterThanOrEqual(205)
  })

  test('has no id twice', () => {
    expect(new Set(gpus.map((gpu) => gpu.id)).size).toBe(gpus.length)
  })

  test('has no nickname twice', () => {
    const nicknames = gpus.flatMap((gpu) => gpu.nicknames ?? [])
    expect(nicknames.filter((nickname, index) => nicknames.indexOf(nickname) !== index)).toEqual([])
  })

  test('turns a file into integer bytes and rates a second', () => {
    // 24564 MiB x 1048576; 1008 GB/s; 165.2 and 330.3 tera-operations; PCIe 4 x16.
    expect(gpus.find((gpu) => gpu.id === 'rtx-4090')).toMatchObject({
      vendor: 'nvidia',
      memoryBytes: 25_757_220_864,
      memoryBandwidthBytesPerSecond: 1_008_000_000_000,
      denseOperationsPerSecond: {bf16: 165_200_000_000_000, fp8: 330_300_000_000_000},
      computeCapability: 8.9,
      pcie: {generation: 4, laneCount: 16, bytesPerSecondPerDirection: 31_500_000_000},
      pciePeerAccess: false,
      tdpWatts: 450,
    })
  })

  test('keeps the inferred bf16 rate of GB10 apart from the published ones', () => {
    const gb10 = gpus.find((gpu) => gpu.id === 'gb10')
    expect(gb10?.memoryBytes).toBe(127_600_748 * 1024)
    expect(gb10?.denseOperationsPerSecond).toEqual({fp4: 500_000_000_000_000})
    expect(gb10?.estimatedOperationsPerSecond).toEqual({bf16: 125_000_000_000_000})
  })

  test('counts a MI250X as the two devices that the driver shows', () => {
    const mi250x = gpus.find((gpu) => gpu.id === 'mi250x')
    expect(mi250x?.devicesPerPackage).toBe(2)
    expect(mi250x?.memoryBytes).toBe(67_092_480 * 1024)
    expect(mi250x?.denseOperationsPerSecond.bf16).toBe(383e12 / 2)
  })

  test('says that a link exists where its rate is not published', () => {
    const mi308x = gpus.find((gpu) => gpu.id === 'mi308x')
    expect(mi308x?.scaleUp).toBeUndefined()
    expect(mi308x?.unratedScaleUp).toMatchObject({kind: 'xgmi', maxGpuCount: 8})
    expect(mi308x).not.toHaveProperty('memoryBandwidthBytesPerSecond')
  })
})

describe('checkGpuFile', () => {
  const good = {
    name: 'A1',
    aliases: ['ACME A1'],
    memory: '81000 MiB',
    memoryBasis: 'reported',
    native: ['bf16'],
    sources: {memory: ['data sheet']},
  }

  test('takes a file from anywhere, with the vendor it names', () => {
    expect(checkGpuFile('my/cards/a1.yaml', good).accelerator).toMatchObject({id: 'a1', vendor: 'other'})
    expect(checkGpuFile('a1.yaml', {...good, vendor: 'amd'}).accelerator?.vendor).toBe('amd')
  })

  test('names every problem with its file and field', () => {
    const bad = {...good, memory: '80 GB', memoryBandwidth: '2 TB', pcie: {lanes: 99, bandwidthPerDirection: '63 GB/s'}, colour: 'green'}
    const {accelerator, problems} = checkGpuFile('gpus/amd/A_1.yaml', bad)
    expect(accelerator).toBeUndefined()
    expect(problems).toEqual([
      expect.stringMatching(/^gpus\/amd\/A_1\.yaml: "A_1" is not an id/),
      expect.stringMatching(/^gpus\/amd\/A_1\.yaml: memory: "80 GB" is not a memory: .*ambiguous/),
      expect.stringMatching(/^gpus\/amd\/A_1\.yaml: memoryBandwidth: "2 TB" is not a bandwidth/),
      expect.stringMatching(/^gpus\/amd\/A_1\.yaml: pcie\.lanes: /),
      expect.stringMatching(/^gpus\/amd\/A_1\.yaml: .*colour/),
    ])
  })

  test('wants a source for each group of figures, and a basis for an estimate', () => {
    const bad = {...good, memoryBandwidth: '2000 GB/s', denseTflops: {bf16: 300}, estimatedTflops: {fp8: 600}}
    expect(checkGpuFile('gpus/amd/a1.yaml', bad).problems).toEqual([
      'gpus/amd/a1.yaml: sources.bandwidth: missing: memoryBandwidth needs a source',
      'gpus/amd/a1.yaml: sources.rates: missing: denseTflops needs a source',
      'gpus/amd/a1.yaml: estimateBasis: estimatedTflops and estimateBasis go together',
    ])
  })

  test('refuses zero for unknown', () => {
    expect(checkGpuFile('gpus/amd/a1.yaml', {...good, denseTflops: {bf16: 0}}).problems).not.toEqual([])
    expect(checkGpuFile('gpus/amd/a1.yaml', {...good, memoryBandwidth: '0 GB/s'}).problems).not.toEqual([])
  })

  test('takes no content at all for a problem, not for a crash', () => {
    expect(checkGpuFile('gpus/amd/a1.yaml', null).problems).toHaveLength(1)
  })
})
