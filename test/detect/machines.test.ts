import {mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, describe, expect, test} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {detectDocument, realContext} from '../../src/cli/world.ts'
import {MachineDocumentSchema} from '../../src/detect/machine-schema.ts'
import type {MachineDocument} from '../../src/detect/machine-document.ts'
import {adviseOn} from '../../src/planner/answer/advice.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {renderMachine} from '../../src/render/machine.ts'
import {MiB} from './support/fakes.ts'

/**
 * Reports of whole machines, read again and asked about. Each fixture is the text of a report, shortened to what its story
 * needs; figures are those that real tools printed.
 */
const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'detect', 'machines')
const NAMES = readdirSync(FOLDER).map((name) => name.replace(/\.md$/, ''))

let catalogue: Catalogue
let folder: string
beforeAll(() => {
  catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
  folder = mkdtempSync(join(tmpdir(), 'servefit-machines-'))
})

const detect = (name: string): Promise<MachineDocument> => detectDocument(catalogue, {replay: join(FOLDER, `${name}.md`)})

/** The way of `check MODEL --machine FILE` with the file that `detect --json` prints. */
async function ask(name: string, scenario: Omit<Scenario, 'machine'>) {
  const file = join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify(await detect(name)))
  return answer(realContext(catalogue, {offline: true}), {
    workload: {inputTokens: 1024, outputTokens: 512, concurrency: 1, prefixHitRate: 0},
    ...scenario,
    machine: file,
  })
}

const brief = ({gpus}: MachineDocument) => gpus.map(({index, id, memoryBytes, freeBytes}) => [index, id, memoryBytes, freeBytes])
const codes = ({problems}: MachineDocument) => problems.map(({code}) => code)

describe('every machine', () => {
  test.each(NAMES)('%s keeps to the contract and to 80 columns', async (name) => {
    const document = await detect(name)
    expect(MachineDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document)
    const text = renderMachine(document, {columns: 80, colour: false})
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const gpu of document.gpus) expect(gpu.id, gpu.name).toBeDefined()
  })
})

test('two RTX 3090 with a bridge share a model over NVLink, within what the desktop leaves', async () => {
  const document = await detect('2x3090-nvlink')
  expect(brief(document)).toEqual([
    [0, 'rtx-3090', 24576 * MiB, 23041 * MiB],
    [1, 'rtx-3090', 24576 * MiB, 24248 * MiB],
  ])
  expect(document.interconnect).toEqual({
    kind: 'nvlink',
    pairs: [{gpus: [0, 1], kind: 'nvlink', path: 'NV4', linkCount: 4, peerAccess: true, bytesPerSecondPerDirection: 56.248e9}],
  })
  expect(codes(document)).toEqual([])
  // 32.8 billion weights in 4 bits are about 19 GB, half of it on each card; in BF16 they are 65.5 GB.
  const {best, machine} = await ask('2x3090-nvlink', {model: 'qwen3-32b', weights: 'awq-int4'})
  expect(best).toMatchObject({verdict: 'fits', deployment: {tp: 2}})
  expect(machine.link).toEqual({kind: 'nvlink', bytesPerSecondPerDirection: 56.25e9})
  expect(best.memory.budgetBytes).toBeLessThanOrEqual(23041 * MiB)
  expect((await ask('2x3090-nvlink', {model: 'Qwen/Qwen3-32B'})).best).toMatchObject({verdict: 'does-not-fit', reasons: [{code: 'weights-exceed-memory'}]})
})

test('eight RTX 4090 over two sockets: no peer access, and a driver that is too old for the images', async () => {
  const document = await detect('8x4090-sys')
  expect(document.gpus.map(({id}) => id)).toEqual(Array(8).fill('rtx-4090'))
  expect(document.interconnect.kind).toBe('pcie-host')
  expect(document.interconnect.pairs).toHaveLength(28)
  expect(document.interconnect.pairs?.every(({path, peerAccess}) => path === 'SYS' && peerAccess === false)).toBe(true)
  expect(codes(document)).toEqual(['driver-old-for-images'])
  // 70.6 billion weights in BF16 are 141 GB: 17.6 of 24 GB on each of eight cards.
  const {best, machine} = await ask('8x4090-sys', {model: 'llama-3.3-70b-instruct', weights: 'bf16'})
  expect(['fits', 'tight']).toContain(best.verdict)
  expect(best.deployment.tp * best.deployment.pp).toBe(8)
  expect(machine.link.kind).toBe('pcie-host')
})

test('unequal cards: the larger memory serves, and the other is not put beside it', async () => {
  const document = await detect('mixed-3080-5060ti')
  expect(brief(document)).toEqual([
    [0, 'rtx-3080-10gb', 10240 * MiB, 9480 * MiB],
    [1, 'rtx-5060-ti-16gb', 16311 * MiB, 15850 * MiB],
  ])
  const {best, machine} = await ask('mixed-3080-5060ti', {model: 'qwen3-8b', weights: 'fp8-block'})
  expect(machine.gpus.map(({index}) => index)).toEqual([1])
  expect(best).toMatchObject({verdict: 'fits', deployment: {tp: 1}})
  expect((await ask('mixed-3080-5060ti', {model: 'qwen3-8b', tp: 2})).best).toMatchObject({verdict: 'unsupported', reasons: [{code: 'not-enough-gpus'}]})
})

test('a DGX Spark plans with the memory that its system has available', async () => {
  const document = await detect('gb10')
  // 127600748 and 110231040 KiB
  expect(brief(document)).toEqual([[0, 'gb10', 127600748 * 1024, 110231040 * 1024]])
  expect(document.gpus[0]).toMatchObject({unifiedMemory: true, computeCapability: 12.1})
  expect(document.interconnect.kind).toBe('unified')
  expect(codes(document)).toEqual([])
  const {best} = await ask('gb10', {model: 'gpt-oss-120b'})
  expect(['fits', 'tight']).toContain(best.verdict)
  expect(best.memory.budgetBytes).toBeLessThanOrEqual(110231040 * 1024)
})

test('slices of an H100 are GPUs of their own, and what is taken of one is not planned with', async () => {
  const document = await detect('mig-h100')
  expect(document.gpus.map(({index, name, memoryBytes, freeBytes}) => [index, name, memoryBytes, freeBytes])).toEqual([
    [1, 'NVIDIA H100 80GB HBM3 MIG 3g.40gb', 40448 * MiB, 29357 * MiB],
    [2, 'NVIDIA H100 80GB HBM3 MIG 2g.20gb', 20096 * MiB, 20079 * MiB],
    [3, 'NVIDIA H100 80GB HBM3 MIG 1g.10gb', 9984 * MiB, 9975 * MiB],
    [4, 'NVIDIA H100 80GB HBM3 MIG 1g.10gb', 9984 * MiB, 9975 * MiB],
  ])
  // Four, two and one eighth of 3.35 TB/s.
  expect(document.gpus.map(({memoryBandwidthBytesPerSecond}) => memoryBandwidthBytesPerSecond)).toEqual([1675e9, 837.5e9, 418.75e9, 418.75e9])
  // In FP8 the weights are 32 GiB: they would fit the slice, but not what is free of it.
  const {best, machine} = await ask('mig-h100', {model: 'qwen3-32b'})
  expect(machine.gpus).toHaveLength(1)
  expect(best).toMatchObject({verdict: 'fits', checkpoint: {weights: 'awq-int4'}})
  expect(best.memory.budgetBytes).toBeLessThanOrEqual(29357 * MiB)
  expect((await ask('mig-h100', {model: 'qwen3-8b', tp: 2})).best.reasons[0]?.code).toBe('not-enough-gpus')
  // Nine tenths of the slice are more than is free of it: vLLM refuses to start on that.
  expect((await ask('mig-h100', {model: 'qwen3-8b', gpuMemoryUtilization: 0.9})).best).toMatchObject({
    verdict: 'does-not-fit',
    reasons: [{code: 'memory-taken'}],
  })
})

test('more slices of a card are no advice: a model cannot be split over them', async () => {
  const answered = await ask('mig-h100', {model: 'gpt-oss-120b'})
  expect(answered.best.verdict).toBe('does-not-fit')
  const advice = adviseOn(realContext(catalogue, {offline: true}), answered, 'gpt-oss-120b')
  expect(JSON.stringify(advice)).not.toContain('-mig')
  expect(advice.holders.length).toBeGreaterThan(0)
})

test('a Jetson Thor goes by its board and the memory of its system', async () => {
  const document = await detect('jetson-thor')
  expect(brief(document)).toEqual([[0, 'jetson-thor-t5000', 128787596 * 1024, 120031040 * 1024]])
  expect(document.gpus[0]).toMatchObject({name: 'NVIDIA Jetson AGX Thor Developer Kit', unifiedMemory: true, computeCapability: 11})
  expect((await ask('jetson-thor', {model: 'qwen3-32b'})).best.verdict).toBe('fits')
})

test('four partitions of an MI300X have a quarter of it each', async () => {
  const document = await detect('mi300x-qpx')
  // 206141652992 / 4; (206141652992 - 297771008) / 4, rounded as each is
  expect(document.gpus.map(({id, memoryBytes}) => [id, memoryBytes])).toEqual(Array(4).fill(['mi300x', 51535413248]))
  expect(document.gpus.every(({freeBytes}) => freeBytes === 51535413248 - 74442752)).toBe(true)
  expect(document.gpus[0]).toMatchObject({memoryBandwidthBytesPerSecond: 1325e9, partition: {mode: 'QPX', count: 4}})
  expect(codes(document)).toContain('partitions-share-memory')
  const {best, machine} = await ask('mi300x-qpx', {model: 'qwen3-32b', weights: 'bf16'})
  expect(machine.gpus[0]?.accelerator.memoryBandwidthBytesPerSecond).toBe(1325e9)
  // 65.5 GB of weights do not go into 51.5.
  expect(best.deployment.tp).toBeGreaterThan(1)
  expect((await ask('mi300x-qpx', {model: 'qwen3-32b', weights: 'bf16', tp: 1})).best.verdict).toBe('does-not-fit')
})

test('a Strix Halo may map 96 GiB of its memory, whatever the firmware carves out', async () => {
  const document = await detect('strix-halo')
  expect(brief(document)).toEqual([[0, 'strix-halo-128gb', 103079215104, 103079215104 - 536870912]])
  expect(document.gpus[0]).toMatchObject({gfxTarget: 'gfx1151', unifiedMemory: true})
  expect(codes(document)).toEqual([])
  const {best} = await ask('strix-halo', {model: 'qwen3-8b'})
  expect(best.memory.budgetBytes).toBeLessThanOrEqual(103079215104 - 536870912)
})

test('a Mac is understood, and no engine is claimed for it', async () => {
  const document = await detect('m2-max')
  expect(brief(document)).toEqual([[0, 'apple-m2-max', 64 * 1024 * MiB, 48318382080]])
  expect(document.gpus[0]).toMatchObject({gpuCoreCount: 30, unifiedMemory: true})
  expect((await ask('m2-max', {model: 'qwen3-8b'})).best).toMatchObject({verdict: 'unsupported', reasons: [{code: 'hardware-unsupported'}]})
})

test('an Arc B580 whose tool prints no JSON', async () => {
  const document = await detect('arc-b580')
  // 12216 - 239
  expect(brief(document)).toEqual([[0, 'arc-b580', 12216 * MiB, 11977 * MiB]])
  expect(codes(document)).toEqual([])
  // PyTorch sees 95% of the 12,216 MiB; 16.4 GB of 16-bit weights do not go into that. 8 bits are sure to lose nothing, but even with
  // fewer sequences and a larger share they are not sure to have the room for 8,192 tokens; a 4-bit build has, by the engine's own settings.
  const {best} = await ask('arc-b580', {model: 'qwen3-8b'})
  expect(best.memory.totalBytes).toBe(Math.floor(12216 * MiB * 0.95))
  expect(best).toMatchObject({verdict: 'fits', checkpoint: {weights: 'awq-int4'}})
  const eightBits = (await ask('arc-b580', {model: 'qwen3-8b', weights: 'fp8'})).best
  expect(eightBits).toMatchObject({verdict: 'tight', checkpoint: {weights: 'fp8'}})
  expect(eightBits.replaced.filter(({field}) => field !== 'maxModelLen')).not.toEqual([])
})

test('Gaudi cards of one box are joined by their own network', async () => {
  const document = await detect('8x-gaudi3')
  expect(document.gpus.map(({id, freeBytes}) => [id, freeBytes])).toEqual(Array(8).fill(['gaudi3', 130400 * MiB]))
  expect(document.interconnect.kind).toBe('other')
  const {machine} = await ask('8x-gaudi3', {model: 'qwen3-8b'})
  expect(machine.link).toEqual({kind: 'other', bytesPerSecondPerDirection: 525e9})
})

test('Ascend cards with a gap in their numbers, one of them busy', async () => {
  const document = await detect('ascend-910b3')
  expect(brief(document)).toEqual([
    [0, 'ascend-910b3', 65536 * MiB, 62091 * MiB],
    [5, 'ascend-910b3', 65536 * MiB, 5380 * MiB],
  ])
  expect(document.problems[0]).toMatchObject({code: 'topology-unknown', remedy: expect.stringContaining('npu-smi info -t topo')})
})

test("the memory of a Grace Hopper's GPU is not counted with the host's", async () => {
  const document = await detect('gh200')
  expect(brief(document)).toEqual([[0, 'gh200-96gb', 97871 * MiB, 97233 * MiB]])
  expect(document.memoryBytes).toBe(500170752 * 1024)
  expect(document.cpu.numaNodeCount).toBe(1)
})

test('what a person sees: groups, free memory, links', async () => {
  expect(renderMachine(await detect('2x3090-nvlink'), {columns: 80, colour: false})).toBe(`This machine

  2 x NVIDIA GeForce RTX 3090: 24.0 GiB each, 936 GB/s
    GPU 0       22.5 GiB free
    GPU 1       23.7 GiB free
    linked by   NVLink, 56 GB/s each way (NV4)

  Driver        NVIDIA 580.95.05
  Memory        62.7 GiB, 55.4 GiB available
  Disk          838.2 GiB free at ~/.cache/huggingface/hub

  Next          servefit check qwen3-32b
`)
  const mixed = renderMachine(await detect('mixed-3080-5060ti'), {columns: 80, colour: false})
  expect(mixed.indexOf('RTX 5060 Ti')).toBeLessThan(mixed.indexOf('RTX 3080'))
  expect(mixed).toContain('Answers use the first group')
  const busy = renderMachine(await detect('ascend-910b3'), {columns: 80, colour: false})
  expect(busy).toContain('5.3 GiB free, 58.7 GiB held by programs that are not listed')
})

test('reports that were written down are still asked the same questions', () => {
  for (const name of NAMES) {
    const lines = [...readFileSync(join(FOLDER, `${name}.md`), 'utf8').matchAll(/^#### \$ (nvidia-smi --query-gpu.*)$/gm)].map(([, line]) => line)
    for (const line of lines)
      expect(line).toContain(
        'index,pci.bus_id,pci.device_id,memory.total,memory.used,memory.free,compute_cap,driver_version,mig.mode.current,pcie.link.gen.max,pcie.link.width.current,name',
      )
  }
})
