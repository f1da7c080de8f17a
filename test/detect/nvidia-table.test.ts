import {describe, expect, test} from 'vitest'
import {parseNvlink, withNvlinkRates} from '../../src/detect/nvidia-nvlink.ts'
import {parseNvidiaTable} from '../../src/detect/nvidia-table.ts'
import {fixture, MiB} from './support/fakes.ts'

describe('the table of nvidia-smi', () => {
  test('a card in MIG mode, its slices and its programs', () => {
    const [card, ...others] = parseNvidiaTable(fixture('nvidia-table-h100-mig.txt'))
    expect(others).toEqual([])
    expect(card).toMatchObject({
      index: 0,
      pciAddress: '0000:00:09.0',
      name: 'NVIDIA H100 80GB HBM3',
      driver: '590.48.01',
      cudaVersion: '13.1',
      memoryBytes: 81559 * MiB,
      usedBytes: 11125 * MiB,
      migEnabled: true,
    })
    expect(card?.slices.map(({device, memoryBytes, usedBytes}) => [device, memoryBytes, usedBytes])).toEqual([
      [0, 40448 * MiB, 11091 * MiB],
      [1, 20096 * MiB, 17 * MiB],
      [2, 9984 * MiB, 9 * MiB],
      [3, 9984 * MiB, 9 * MiB],
    ])
    expect(card?.processes).toEqual([
      {name: 'memhog', graphics: false, usedBytes: 2296 * MiB},
      {name: 'memhog', graphics: false, usedBytes: 1272 * MiB},
      {name: 'gpu_burn', graphics: false, usedBytes: 7484 * MiB},
    ])
  })

  test('a name that was cut is no name', () => {
    const [card] = parseNvidiaTable(fixture('nvidia-table-rtx-4080-super-cut-name.txt'))
    expect(card?.name).toBeUndefined()
    expect(card?.unknownFields).toEqual([{field: 'name', printed: 'NVIDIA GeForce RTX 4080 ...'}])
    // 16376 - 596
    expect(card).toMatchObject({memoryBytes: 16376 * MiB, freeBytes: 15780 * MiB})
    expect(card?.processes?.[0]).toEqual({name: 'kwin_wayland', graphics: true, usedBytes: 25 * MiB})
    expect(parseNvidiaTable(fixture('nvidia-table-driver510-cut-name.txt'))).toMatchObject([
      {pciAddress: '0000:05:00.0', driver: '510.47.03', cudaVersion: '11.6', memoryBytes: 4096 * MiB, usedBytes: 0},
    ])
  })

  test('driver 610 has other words in its header, and Windows does not say what a program holds', () => {
    const [card] = parseNvidiaTable(fixture('nvidia-table-windows-kmd.txt'))
    expect(card).toMatchObject({driver: '610.62', cudaVersion: '13.3', memoryBytes: 8192 * MiB})
    expect(card?.processes).toEqual([
      {name: 'dwm.exe', graphics: true},
      {name: 'explorer.exe', graphics: true},
    ])
  })

  test('memory that is not printed is not zero', () => {
    for (const name of ['nvidia-table-gb10.txt', 'nvidia-table-jetson-driver-na.txt']) {
      const [card] = parseNvidiaTable(fixture(name))
      expect(card).toMatchObject({index: 0})
      expect(card?.memoryBytes).toBeUndefined()
      expect(card?.freeBytes).toBeUndefined()
      expect(card?.unknownFields).toContainEqual({field: 'memory.total', printed: 'Not Supported'})
    }
    const [orin] = parseNvidiaTable(fixture('nvidia-table-jetson-driver-na.txt'))
    expect(orin).toMatchObject({name: 'Orin (nvgpu)', cudaVersion: '12.2'})
    expect(orin?.driver).toBeUndefined()
  })

  test('four cards in four PCI domains', () => {
    expect(parseNvidiaTable(fixture('nvidia-table-gb200.txt')).map(({index, pciAddress, usedBytes}) => [index, pciAddress, usedBytes])).toEqual([
      [0, '0008:01:00.0', 2 * MiB],
      [1, '0009:01:00.0', 4 * MiB],
      [2, '0018:01:00.0', 4 * MiB],
      [3, '0019:01:00.0', 0],
    ])
  })

  test('WSL may not know its CUDA version', () => {
    const [card] = parseNvidiaTable(fixture('nvidia-table-wsl-cuda-err.txt'))
    expect(card).toMatchObject({driver: '546.80', memoryBytes: 6144 * MiB, freeBytes: 5328 * MiB})
    expect(card?.cudaVersion).toBeUndefined()
  })
})

describe('nvidia-smi nvlink -s', () => {
  test('links and their rate', () => {
    expect(parseNvlink(fixture('nvidia-nvlink-h200.txt'))).toEqual([{index: 0, activeLinkCount: 3, linkBytesPerSecond: 26562000000}])
  })

  test('links that are there but not active, and cards without any', () => {
    expect(parseNvlink(fixture('nvidia-nvlink-inactive.txt'))).toEqual([{index: 2, activeLinkCount: 0}])
    expect(parseNvlink('GPU 0: NVIDIA L40S (UUID: GPU-0)\nDevice does not have or support Nvlink\n')).toEqual([])
  })

  test('a pair has the rate of its bonded links; one whose links are not active talks over PCIe', () => {
    const pair = {gpus: [0, 1] as [number, number], kind: 'nvlink' as const, path: 'NV4', linkCount: 4}
    const status = (index: number) => ({index, activeLinkCount: 4, linkBytesPerSecond: 14.062e9})
    // 4 x 14.062
    expect(withNvlinkRates([pair], [status(0), status(1)])).toEqual([{...pair, bytesPerSecondPerDirection: 56.248e9}])
    expect(withNvlinkRates([pair], [status(0)])).toEqual([pair])
    expect(withNvlinkRates([pair], [status(0), {index: 1, activeLinkCount: 0}])).toEqual([{gpus: [0, 1], kind: 'pcie-host', path: 'NV4'}])
  })
})
