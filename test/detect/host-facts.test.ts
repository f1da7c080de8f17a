import {describe, expect, test} from 'vitest'
import {containerProblem, runContainers} from '../../src/detect/containers.ts'
import {cudaProblem} from '../../src/detect/cuda-drivers.ts'
import {parseDmidecode} from '../../src/detect/dmidecode.ts'
import {runHostMemory} from '../../src/detect/host.ts'
import {memorySpeedProblem} from '../../src/detect/memory-modules.ts'
import {parseLscpu} from '../../src/detect/numa.ts'
import {visibleGpus} from '../../src/detect/visible-devices.ts'
import {fakeMachine, fixture, MiB} from './support/fakes.ts'

describe('dmidecode', () => {
  test('what modules run at counts, not what they are rated for', () => {
    const modules = parseDmidecode(fixture('dmidecode-ddr5-downclocked.txt'))
    // 8 bytes x 4200 MT/s
    expect(modules).toEqual({
      type: 'DDR5',
      count: 1,
      megatransfersPerSecond: 4200,
      ratedMegatransfersPerSecond: 5600,
      channelCount: 1,
      bandwidthBytesPerSecond: 33.6e9,
    })
    expect(memorySpeedProblem(modules)[0]).toMatchObject({code: 'memory-below-rating', message: expect.stringContaining('4200 MT/s')})
  })

  test('empty slots do not count', () => {
    expect(parseDmidecode(fixture('dmidecode-epyc-ddr4-empty-slot.txt'))).toMatchObject({type: 'DDR4', count: 1, bandwidthBytesPerSecond: 25.6e9})
  })

  test('LPDDR is as wide as it says: eight devices of 32 bits at 8000 MT/s are 256 GB/s', () => {
    const one = fixture('dmidecode-strix-halo-lpddr5.txt')
    expect(parseDmidecode(one)?.bandwidthBytesPerSecond).toBe(32e9)
    const eight = [...'ABCDEFGH'].map((channel) => one.replace('CHANNEL A', `CHANNEL ${channel}`)).join('\n')
    expect(parseDmidecode(eight)).toMatchObject({count: 8, channelCount: 8, bandwidthBytesPerSecond: 256e9})
  })

  test('two modules of one channel share it; without the name of a channel nothing is said of bandwidth', () => {
    const one = fixture('dmidecode-ddr5-downclocked.txt')
    expect(parseDmidecode(`${one}\n${one.replace('DIMM 0', 'DIMM 1')}`)).toMatchObject({count: 2, channelCount: 1, bandwidthBytesPerSecond: 33.6e9})
    const unnamed = parseDmidecode(one.replace('P0 CHANNEL A', 'BANK 0'))
    expect(unnamed).toMatchObject({count: 1, megatransfersPerSecond: 4200})
    expect(unnamed).not.toHaveProperty('bandwidthBytesPerSecond')
    expect(parseDmidecode('/dev/mem: Permission denied\n')).toBeUndefined()
  })
})

test('lscpu in both layouts; CPUs that are off do not count', () => {
  expect(parseLscpu(fixture('lscpu-xeon-6126t.txt'))).toEqual({
    name: 'Intel(R) Xeon(R) Gold 6126T CPU @ 2.60GHz',
    vendor: 'GenuineIntel',
    logicalCount: 48,
    physicalCount: 24,
    socketCount: 2,
    numaNodeCount: 2,
  })
  expect(parseLscpu(fixture('lscpu-indented.txt'))).toMatchObject({numaNodeCount: 2})
  expect(parseLscpu(fixture('lscpu-epyc-offline.txt'))).toMatchObject({logicalCount: 255})
})

test("memory of a node without processors is the GPU's, not the host's", async () => {
  const node = (id: number, cpus: string, total: number, free: number) => ({
    [`/sys/devices/system/node/node${id}/cpulist`]: `${cpus}\n`,
    [`/sys/devices/system/node/node${id}/meminfo`]: `Node ${id} MemTotal:  ${total} kB\nNode ${id} MemFree: ${free} kB\n`,
  })
  const files = {
    '/proc/meminfo': 'MemTotal: 600440832 kB\nMemAvailable: 590000000 kB\n',
    ...node(0, '0-71', 500170752, 480170752),
    ...node(1, '', 100270080, 99270080),
  }
  const {totalBytes, availableBytes} = await runHostMemory(fakeMachine({files}))
  expect(totalBytes).toBe(500170752 * 1024)
  expect(availableBytes).toBe((590000000 - 99270080) * 1024)
})

describe('containers', () => {
  const nowhere = {container: false, wsl: false}
  test('docker without the toolkit', async () => {
    const tools = await runContainers(fakeMachine({files: {'/usr/bin/docker': ''}, env: {PATH: '/usr/local/bin:/usr/bin'}}))
    expect(tools).toEqual({engines: ['docker'], nvidiaToolkit: false})
    expect(containerProblem(tools, true, nowhere)[0]?.code).toBe('container-toolkit-missing')
    expect(containerProblem(tools, false, nowhere)).toEqual([])
    expect(containerProblem(tools, true, {container: true, wsl: false})).toEqual([])
  })

  test('podman with device descriptions', async () => {
    const tools = await runContainers(fakeMachine({files: {'/usr/bin/podman': '', '/etc/cdi/nvidia.yaml': ''}, env: {PATH: '/usr/bin'}}))
    expect(tools).toEqual({engines: ['podman'], nvidiaToolkit: true})
  })
})

test('a driver that is too old for the images of engines', () => {
  const gpu = (driver: string, name = 'NVIDIA GeForce RTX 4090') => [{index: 0, name, vendor: 'nvidia' as const, driver}]
  expect(cudaProblem(gpu('580.65.06'))).toEqual([])
  expect(cudaProblem(gpu('570.124.06'))[0]).toMatchObject({
    code: 'driver-old-for-images',
    message: expect.stringContaining('CUDA 12'),
    remedy: expect.stringContaining('580'),
  })
  expect(cudaProblem(gpu('390.157'))[0]?.message).toContain('no CUDA release')
  expect(cudaProblem(gpu('540.4.0', 'NVIDIA Jetson AGX Orin Developer Kit'))).toEqual([])
})

describe('devices that the environment hides', () => {
  const card = (index: number, name = 'NVIDIA H100 80GB HBM3') => ({index, name, vendor: 'nvidia' as const, memoryBytes: 81559 * MiB})
  const four = [0, 1, 2, 3].map((index) => card(index))
  const ids = new Map(four.map(({index}) => [index, `GPU-0000000${index}-0000-0000-0000-000000000000`]))
  const seen = (value: string, env = {}) => visibleGpus(four, 'nvidia', {CUDA_VISIBLE_DEVICES: value, ...env}, ids)

  test('by number, by identity, by its beginning', () => {
    expect(seen('2,0').gpus.map(({index}) => index)).toEqual([0, 2])
    expect(seen('GPU-00000003').gpus.map(({index}) => index)).toEqual([3])
    expect(seen('2,0').problems).toEqual([
      {
        code: 'gpus-hidden',
        message: 'CUDA_VISIBLE_DEVICES=2,0 hides 2 of 4 GPUs, which are ignored here',
        remedy: 'unset CUDA_VISIBLE_DEVICES to plan with all of them',
      },
    ])
    expect(JSON.stringify(seen('GPU-00000003-0000'))).not.toContain('00000003')
  })

  test('the list ends at what names nothing, and an empty one hides all', () => {
    expect(seen('1,7,2').gpus.map(({index}) => index)).toEqual([1])
    expect(seen('-1').gpus).toEqual([])
    expect(seen('').gpus).toEqual([])
    expect(seen('0,1,2,3').problems).toEqual([])
    // An abbreviation that fits several names none.
    expect(seen('GPU-0').gpus).toEqual([])
  })

  test('unequal cards are numbered by speed, unless told otherwise', () => {
    const mixed = [card(0), card(1, 'NVIDIA T4')]
    expect(visibleGpus(mixed, 'nvidia', {CUDA_VISIBLE_DEVICES: '0'}, new Map())).toMatchObject({gpus: mixed, problems: [{code: 'gpus-hidden-unclear'}]})
    expect(visibleGpus(mixed, 'nvidia', {CUDA_VISIBLE_DEVICES: '0', CUDA_DEVICE_ORDER: 'PCI_BUS_ID'}, new Map()).gpus).toEqual([mixed[0]])
  })

  test('AMD has names of its own', () => {
    expect(visibleGpus(four, 'amd', {HIP_VISIBLE_DEVICES: '1', CUDA_VISIBLE_DEVICES: '0'}, new Map()).gpus.map(({index}) => index)).toEqual([1])
    expect(visibleGpus(four, 'apple', {CUDA_VISIBLE_DEVICES: '0'}, new Map()).gpus).toHaveLength(4)
  })
})
