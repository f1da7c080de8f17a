import {describe, expect, test} from 'vitest'
import type {System} from '../../src/catalogue/system.ts'
import {requireSystem} from '../../src/catalogue/system.ts'
import {checkMachineFile} from '../../src/catalogue/machine-schema.ts'
import {InputError} from '../../src/core/input-error.ts'
import {readDataFiles, readGpus, readSystems} from './data-files.ts'

const files = readDataFiles('machines')
const gpus = new Map(readGpus().map((gpu) => [gpu.id, gpu]))

describe.each(files)('$path', ({path, value}) => {
  const {system, problems} = checkMachineFile(path, value)

  test('keeps to the schema', () => {
    expect(problems).toEqual([])
  })

  test('names GPUs of the catalogue', () => {
    expect((system as System).gpus.map((gpu) => gpu.id).filter((id) => !gpus.has(id))).toEqual([])
  })

  test('joins its GPUs with a link that they have', () => {
    const {link, gpus: members} = system as System
    const kinds = members.map(({id}) => gpus.get(id)?.scaleUp?.kind ?? gpus.get(id)?.unratedScaleUp?.kind ?? 'none')
    if (link?.kind === 'nvlink') expect(kinds.every((kind) => kind.startsWith('nvlink'))).toBe(true)
    if (link?.kind === 'xgmi') expect(kinds.every((kind) => kind.startsWith('xgmi'))).toBe(true)
    if (link?.kind === 'unified') expect(system?.unifiedMemory).toBe(true)
    for (const {id} of link?.kind === 'pcie-p2p' ? members : []) expect(gpus.get(id)?.pciePeerAccess).not.toBe(false)
  })

  test('has memory that its GPUs can have', () => {
    for (const {id, memoryBytes} of (system as System).gpus) {
      expect(memoryBytes ?? 1).toBeLessThanOrEqual(gpus.get(id)?.memoryBytes ?? 0)
    }
    expect(system?.host?.memoryBytes ?? 1).toSatisfy(Number.isSafeInteger)
  })
})

describe('the machine catalogue as a whole', () => {
  const systems = readSystems()

  test('has an entry for each file', () => {
    expect(systems).toHaveLength(files.length)
    expect(files.length).toBeGreaterThanOrEqual(92)
  })

  test('turns a file into bytes and rates a second', () => {
    // 2048 GiB; 614.4 GB/s; 400 Gb/s are 50 GB/s; PCIe 5 x16.
    expect(systems.find((system) => system.id === 'dgx-h100')).toMatchObject({
      gpus: [{id: 'h100-sxm', count: 8}],
      nodeCount: 1,
      host: {socketCount: 2, memoryBytes: 2_199_023_255_552, memoryBandwidthBytesPerSecond: 614_400_000_000},
      link: {kind: 'nvlink', domainGpuCount: 8},
      hostLink: {kind: 'pcie', bytesPerSecondPerDirection: 63_000_000_000},
      network: {bytesPerSecondPerGpu: 50_000_000_000},
      maxPowerWatts: 10200,
    })
  })

  test('counts GPUs and host of one node', () => {
    const rack = systems.find((system) => system.id === 'gb200-nvl72')
    expect(rack).toMatchObject({gpus: [{id: 'gb200', count: 4}], nodeCount: 18, link: {kind: 'nvlink', domainGpuCount: 72}})
    expect(rack?.host?.memoryBytes).toBe(960 * 1024 ** 3)
  })

  test('counts the devices of a MI250X node, not the packages', () => {
    expect(systems.find((system) => system.id === 'mi250x-8gcd')?.gpus).toEqual([{id: 'mi250x', count: 8}])
  })
})

describe('requireSystem', () => {
  const systems = readSystems()

  test.each([
    ['dgx-h200', 'dgx-h200'],
    ['DGX H200', 'dgx-h200'],
    ['NVIDIA DGX H200', 'dgx-h200'],
    ['p5.48xlarge', 'p5-48xlarge'],
    ['Standard_ND96isr_H100_v5', 'standard-nd96isr-h100-v5'],
  ])('%s is %s', (name, id) => {
    expect(requireSystem(systems, name).id).toBe(id)
  })

  test('offers the closest for a misspelt one', () => {
    try {
      requireSystem(systems, 'dgx-h300')
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InputError)
      expect((error as InputError).code).toBe('MACHINE_UNKNOWN')
      expect((error as InputError).suggestions).toContain('dgx-h200')
    }
  })
})

describe('checkMachineFile', () => {
  const good = {name: 'Box', kind: 'desktop', gpus: [{id: 'rtx-4090', count: 1}], nodes: 1, localDeployment: true, sources: ['by hand']}

  test('takes the least that a machine needs', () => {
    expect(checkMachineFile('box.yaml', good)).toMatchObject({problems: [], system: {id: 'box', aliases: [], nodeCount: 1}})
  })

  test('names every problem with its file and field', () => {
    const bad = {...good, gpus: [{id: 'rtx-4090', count: 2}], host: {memory: '64 GB'}, network: {perGpu: '25 GB/s'}}
    expect(checkMachineFile('box.yaml', bad).problems).toEqual([
      expect.stringMatching(/^box\.yaml: host\.memory: "64 GB" is not a memory/),
      expect.stringMatching(/^box\.yaml: network\.perGpu: "25 GB\/s" is not a network rate/),
    ])
  })

  test('wants to know how several GPUs are joined', () => {
    expect(checkMachineFile('box.yaml', {...good, gpus: [{id: 'rtx-4090', count: 2}]}).problems).toEqual([
      'box.yaml: link: missing: a node with several GPUs needs to say how they are joined',
    ])
  })
})
