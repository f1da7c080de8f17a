import {describe, expect, test} from 'vitest'
import {parseSysctl, parseSystemProfiler} from '../../src/detect/apple.ts'
import {detectMachine} from '../../src/detect/detect-machine.ts'
import {parseXpuSmi} from '../../src/detect/intel.ts'
import {ended, fakeExec, fakeMachine, fixture} from './support/fakes.ts'

describe('Apple', () => {
  const sysctl = 'hw.memsize: 68719476736\nmachdep.cpu.brand_string: Apple M2 Max\niogpu.wired_limit_mb: 0\n'
  const mac = {platform: 'darwin', architecture: 'arm64', totalMemoryBytes: 68719476736, freeMemoryBytes: 2e9}
  const slow = {
    cpu: async () => ({name: 'Apple M2 Max', physicalCount: 12}),
    memory: async () => ({totalBytes: 68719476736, availableBytes: 50e9}),
  }

  test('the readable name and the cores of the GPU', () => {
    expect(parseSystemProfiler(fixture('apple-displays-m2-max.json'))).toEqual({model: 'Apple M2 Max', gpuCoreCount: 30})
    expect(parseSystemProfiler(fixture('apple-displays-m1-token-name.json'))).toEqual({model: 'Apple M1', gpuCoreCount: 7})
    expect(parseSystemProfiler('{"SPDisplaysDataType": [{"sppci_model": "AMD Radeon Pro 5500M", "sppci_cores": "24"}]}')).toEqual({})
  })

  test('a limit of 0 is no limit', () => {
    expect(parseSysctl(sysctl)).toEqual({model: 'Apple M2 Max', memoryBytes: 68719476736})
    expect(parseSysctl('iogpu.wired_limit_mb: 57344\n')).toEqual({wiredLimitBytes: 60129542144}) // 57344 MiB
  })

  test('a Mac: one GPU with the memory of the host', async () => {
    const document = await detectMachine(
      fakeMachine({
        exec: fakeExec({system_profiler: ended(fixture('apple-displays-m2-max.json')), sysctl: ended(sysctl)}),
        system: mac,
        slow,
      }),
    )
    expect(document).toEqual({
      schemaVersion: 1,
      gpus: [
        {
          index: 0,
          id: 'apple-m2-max',
          name: 'Apple M2 Max',
          vendor: 'apple',
          memoryBytes: 68719476736,
          freeBytes: 50e9,
          memoryBandwidthBytesPerSecond: 400e9,
          gpuCoreCount: 30,
          unifiedMemory: true,
        },
      ],
      interconnect: {kind: 'unified'},
      cpu: {name: 'Apple M2 Max', architecture: 'arm64', physicalCount: 12},
      memoryBytes: 68719476736,
      availableMemoryBytes: 50e9,
      disk: [],
      problems: [],
    })
  })

  test('system_profiler is slow: the processor names the chip; a set limit bounds what is free', async () => {
    const exec = fakeExec({system_profiler: {kind: 'timeout', stdout: '', stderr: ''}, sysctl: ended(sysctl.replace('mb: 0', 'mb: 40960'))})
    const document = await detectMachine(fakeMachine({exec, system: mac, slow}))
    expect(document.gpus[0]).toMatchObject({name: 'Apple M2 Max', memoryBytes: 68719476736, freeBytes: 42949672960}) // 40960 MiB
    expect(exec.calls.every((call) => !call.startsWith('nvidia-smi'))).toBe(true)
  })

  test('a Mac with an Intel processor has no GPU to serve on', async () => {
    const document = await detectMachine(
      fakeMachine({
        exec: fakeExec({sysctl: ended('hw.memsize: 17179869184\nmachdep.cpu.brand_string: Intel(R) Core(TM) i7\n')}),
        system: mac,
      }),
    )
    expect(document.gpus).toEqual([])
    expect(document.problems.map(({code}) => code)).toEqual(['no-devices'])
  })
})

describe('Intel', () => {
  test('sizes are strings of bytes, the id may stand in the name', () => {
    expect(parseXpuSmi(fixture('xpu-smi-discovery-b60.json'))).toEqual([
      {index: 0, name: 'Intel(R) Graphics [0xe211]', pciDeviceId: '0xe211', memoryBytes: 25669140480, freeBytes: 25447600128},
    ])
  })

  const uevent = 'DRIVER=xe\nPCI_CLASS=30000\nPCI_ID=8086:E211\nPCI_SLOT_NAME=0000:03:00.0\n'

  test('an older tool prints the memory only of one device', async () => {
    const exec = fakeExec({
      'xpu-smi discovery -j': ended(
        '{"device_list": [{"device_id": 0, "device_name": "Intel(R) Graphics [0xe211]", "pci_bdf_address": "0000:03:00.0", "pci_device_id": "0xe211"}]}',
      ),
      'xpu-smi discovery -d 0 -j': ended('{"device_id": 0, "memory_physical_size_byte": "25669140480", "memory_free_size_byte": "25447600128"}'),
    })
    const document = await detectMachine(fakeMachine({exec, files: {'/sys/bus/pci/devices/0000:03:00.0/uevent': uevent}}))
    expect(document.gpus).toEqual([
      {
        index: 0,
        id: 'arc-pro-b60',
        name: 'Intel Arc Pro B60',
        vendor: 'intel',
        memoryBytes: 25669140480,
        freeBytes: 25447600128,
        memoryBandwidthBytesPerSecond: 456e9,
      },
    ])
  })

  test('without the tool the kernel tells memory; processor graphics have none and are no GPU', async () => {
    const files = {
      '/sys/bus/pci/devices/0000:03:00.0/uevent': uevent,
      '/sys/bus/pci/devices/0000:03:00.0/tile0/physical_vram_size_bytes': '25669140480\n',
      '/sys/bus/pci/devices/0000:00:02.0/uevent': 'DRIVER=i915\nPCI_CLASS=30000\nPCI_ID=8086:A780\nPCI_SLOT_NAME=0000:00:02.0\n',
    }
    const document = await detectMachine(fakeMachine({files}))
    expect(document.gpus).toMatchObject([{id: 'arc-pro-b60', memoryBytes: 25669140480}])
    expect(document.problems.map(({code}) => code)).toEqual(['tool-missing', 'host-memory-unknown'])
  })
})
