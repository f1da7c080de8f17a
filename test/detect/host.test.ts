import {describe, expect, test, vi} from 'vitest'
import {checkpointDirectory, runDisk} from '../../src/detect/disk.ts'
import {limitMemory, parseCpuinfo, parseMeminfo, parseMemoryGroup, runCpu, runHostMemory} from '../../src/detect/host.ts'
import {parsePciEvent} from '../../src/detect/pci.ts'
import {readSurroundings} from '../../src/detect/surroundings.ts'
import {fakeMachine, fixture} from './support/fakes.ts'

describe('memory of the host', () => {
  test('what is available, not what is free', () => {
    expect(parseMeminfo(fixture('proc-meminfo-1gb-vm.txt'))).toEqual({totalBytes: 1044205568, availableBytes: 727326720}) // 1019732 and 710280 KiB
    expect(parseMeminfo(fixture('proc-meminfo-gb10.txt'))).toEqual({totalBytes: 130663165952, availableBytes: 121411960832})
  })

  test('nothing from nonsense, and no zero', () => {
    expect(parseMeminfo('MemTotal: 0 kB\nMemAvailable: 12 kB\n')).toEqual({})
    expect(parseMeminfo('')).toEqual({})
  })

  test('a control group limits both; page cache that can be dropped is not held', () => {
    const group = parseMemoryGroup('8589934592\n', '3221225472\n', 'anon 1\ninactive_file 1073741824\nactive_file 5\n', 'inactive_file')
    expect(group).toEqual({limitBytes: 8589934592, heldBytes: 2147483648}) // 8 GiB; 3 less 1 GiB
    expect(limitMemory({totalBytes: 64 * 1024 ** 3, availableBytes: 50 * 1024 ** 3}, group ? [group] : [])).toEqual({
      totalBytes: 8589934592,
      availableBytes: 6442450944,
    })
  })

  test.each(['max', '9223372036854771712', '', undefined])('"%s" is no limit', (max) => expect(parseMemoryGroup(max, '1', '', 'inactive_file')).toBeUndefined())

  test('a limit of a parent group counts', async () => {
    const memory = await runHostMemory(
      fakeMachine({
        files: {
          '/proc/meminfo': fixture('proc-meminfo-gb10.txt'),
          '/proc/self/cgroup': '0::/serving.slice/vllm.service\n',
          '/sys/fs/cgroup/serving.slice/memory.max': '34359738368\n',
          '/sys/fs/cgroup/serving.slice/vllm.service/memory.max': 'max\n',
        },
      }),
    )
    expect(memory.limited).toEqual({totalBytes: 34359738368, availableBytes: 34359738368})
    expect(memory.totalBytes).toBe(130663165952)
  })

  test('a library is asked only where the kernel does not tell, and not for ever', async () => {
    const slow = {cpu: vi.fn(), memory: vi.fn(async () => ({totalBytes: 17179869184, availableBytes: 9000000000}))}
    const system = {platform: 'darwin', totalMemoryBytes: 17179869184, freeMemoryBytes: 100000000}
    expect((await runHostMemory(fakeMachine({slow, system}))).availableBytes).toBe(9000000000)
    await runHostMemory(fakeMachine({slow, files: {'/proc/meminfo': fixture('proc-meminfo-gb10.txt')}}))
    expect(slow.memory).toHaveBeenCalledTimes(1)
    const hanging = {cpu: vi.fn(), memory: () => new Promise<undefined>(() => {})}
    expect((await runHostMemory(fakeMachine({slow: hanging, system}))).availableBytes).toBe(100000000)
  })
})

describe('the processor', () => {
  const thread = (processor: number, socket: number, core: number) =>
    `processor\t: ${processor}\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) Gold 6126T CPU @ 2.60GHz\nphysical id\t: ${socket}\ncore id\t\t: ${core}\n\n`

  test('sockets, cores and threads', () => {
    const text = thread(0, 0, 0) + thread(1, 0, 1) + thread(2, 1, 0) + thread(3, 1, 1) + thread(4, 0, 0) + thread(5, 0, 1) + thread(6, 1, 0) + thread(7, 1, 1)
    expect(parseCpuinfo(text)).toEqual({
      name: 'Intel(R) Xeon(R) Gold 6126T CPU @ 2.60GHz',
      vendor: 'GenuineIntel',
      logicalCount: 8,
      physicalCount: 4,
      socketCount: 2,
    })
  })

  test('Arm gives only a count; a library has the name', async () => {
    const cpuinfo = 'processor\t: 0\nBogoMIPS\t: 2000.00\nCPU part\t: 0xd85\n\nprocessor\t: 1\nBogoMIPS\t: 2000.00\nCPU part\t: 0xd85\n'
    expect(parseCpuinfo(cpuinfo)).toEqual({logicalCount: 2})
    const slow = {cpu: async () => ({name: 'Cortex-X925', physicalCount: 20}), memory: async () => undefined}
    expect(await runCpu(fakeMachine({slow, files: {'/proc/cpuinfo': cpuinfo}}))).toEqual({
      name: 'Cortex-X925',
      architecture: 'x64',
      logicalCount: 2,
      physicalCount: 20,
    })
  })
})

describe('where checkpoints go', () => {
  test.each([
    [{HF_HUB_CACHE: '/models', HF_HOME: '/hf'}, '/models'],
    [{HF_HOME: '/hf', XDG_CACHE_HOME: '/cache', HOME: '/root'}, '/hf/hub'],
    [{HF_HOME: '~/hf', HOME: '/root'}, '/root/hf/hub'],
    [{XDG_CACHE_HOME: '/cache', HOME: '/root'}, '/cache/huggingface/hub'],
    [{HOME: '/root'}, '/root/.cache/huggingface/hub'],
    [{}, undefined],
  ])('%o', (env, path) => expect(checkpointDirectory(env, 'linux')).toBe(path))

  test('Windows', () => expect(checkpointDirectory({USERPROFILE: 'C:\\Users\\user'}, 'win32')).toBe('C:\\Users\\user\\.cache\\huggingface\\hub'))

  test('a directory yet to be made counts as its parent; a disk that hangs is left out', async () => {
    expect(await runDisk(fakeMachine({env: {HF_HOME: '/data/hf'}, disks: {'/data': {totalBytes: 4e12, freeBytes: 3e12}}}))).toEqual([
      {path: '/data/hf/hub', use: 'checkpoints', totalBytes: 4e12, freeBytes: 3e12},
    ])
    expect(await runDisk(fakeMachine({env: {HF_HOME: '/data/hf'}, diskSpace: () => new Promise(() => {})}))).toEqual([])
  })
})

test('PCI: graphics and accelerators of any maker, no bridges', () => {
  const event = (pciClass: string, id: string) => parsePciEvent(`DRIVER=amdgpu\nPCI_CLASS=${pciClass}\nPCI_ID=${id}\nPCI_SLOT_NAME=0000:C1:00.0\n`, '')
  expect(event('120000', '1002:74A5')).toEqual({address: '0000:c1:00.0', vendorId: '0x1002', deviceId: '0x74a5', driver: 'amdgpu'})
  expect(event('30200', '10DE:2330')?.deviceId).toBe('0x2330')
  expect(event('38000', '1002:1586')?.deviceId).toBe('0x1586')
  expect(event('68000', '10DE:22A3')).toBeUndefined()
  expect(event('20000', '15B3:1021')).toBeUndefined()
  expect(parsePciEvent(undefined, '0000:00:00.0')).toBeUndefined()
})

test('containers and WSL leave marks', async () => {
  const look = (files: Record<string, string>, env = {}) => readSurroundings(fakeMachine({files, env}))
  expect(await look({})).toEqual({container: false, wsl: false})
  expect(await look({'/.dockerenv': ''})).toEqual({container: true, wsl: false})
  expect(await look({'/proc/1/cgroup': '4:memory:/kubepods/burstable/pod1\n'})).toEqual({container: true, wsl: false})
  expect(await look({}, {KUBERNETES_SERVICE_HOST: '10.0.0.1'})).toEqual({container: true, wsl: false})
  expect(await look({'/proc/version': 'Linux version 5.15.90.1-microsoft-standard-WSL2'})).toEqual({container: false, wsl: true})
})
