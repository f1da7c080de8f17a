import {describe, expect, test} from 'vitest'
import {amdGpus} from '../../src/detect/amd.ts'
import {parseAmdStatic, parseAmdTopology} from '../../src/detect/amd-smi.ts'
import {parseRocmSmi} from '../../src/detect/rocm-smi.ts'
import {parseRocminfo} from '../../src/detect/rocminfo.ts'
import {fakeCatalogue, fixture} from './support/fakes.ts'

describe('AMD tools without JSON', () => {
  test('amd-smi static', () => {
    expect(parseAmdStatic(fixture('amd-smi-static-mi308x.txt'))).toEqual([{index: 0, names: ['MI308X'], gfxTarget: 'gfx942', pciDeviceId: '0x74a2'}])
    const whole =
      'GPU: 1\n    ASIC:\n        MARKET_NAME: AMD Instinct MI300X\n    BUS:\n        BDF: 0000:26:00.0\n    VRAM:\n        TYPE: HBM\n        SIZE: 196592 MB\n'
    expect(parseAmdStatic(whole)).toEqual([{index: 1, names: ['AMD Instinct MI300X'], pciAddress: '0000:26:00.0', vramBytes: 206141652992}])
  })

  test('amd-smi topology by bus address; a row that has lost its end is left out', () => {
    expect(parseAmdTopology(fixture('amd-smi-topology-3xgmi.txt'))).toEqual([
      {gpus: [0, 1], kind: 'xgmi', path: 'XGMI', peerAccess: true},
      {gpus: [0, 2], kind: 'xgmi', path: 'XGMI'},
      {gpus: [1, 2], kind: 'xgmi', path: 'XGMI'},
    ])
  })

  test('rocm-smi: memory, names, CSV', () => {
    expect(parseRocmSmi(fixture('rocm-smi-memory-mi50.txt')).map(({index, vramBytes, vramUsedBytes}) => [index, vramBytes, vramUsedBytes])).toEqual([
      [0, 34342961152, 25227759616],
      [1, 17163091968, 7695077376],
      [2, 536870912, 18165760],
    ])
    // "AMD Radeon Graphics" is what every card may be called.
    expect(parseRocmSmi(fixture('rocm-smi-names-mi50.txt')).map(({names, gfxTarget, pciDeviceId}) => [names, gfxTarget, pciDeviceId])).toEqual([
      [[], 'gfx906', '0x66a0'],
      [['AMD Instinct MI60 / MI50'], 'gfx906', '0x66a1'],
      [[], 'gfx90c', '0x1638'],
    ])
    expect(parseRocmSmi(fixture('rocm-smi-7900xt.csv'))).toMatchObject([
      {index: 0, names: ['Radeon RX 7900 XT'], gfxTarget: 'gfx1100', vramBytes: 21458059264, vramUsedBytes: 27856896, pciDeviceId: '0x744c'},
    ])
  })

  test('its table tells how a package is divided', () => {
    expect(parseRocmSmi(fixture('rocm-smi-table-qpx.txt')).map(({pciDeviceId, partition}) => [pciDeviceId, partition])).toEqual(
      [0, 1, 2, 3].map((id) => ['0x74a1', {compute: 'QPX', memory: 'NPS1', id}]),
    )
  })

  test('a quarter of a package has a quarter of its memory and of its bandwidth', () => {
    const devices = [0, 1, 2, 3].map((index) => ({
      index,
      names: ['AMD Instinct MI300X'],
      gfxTarget: 'gfx942',
      vramBytes: 206141652992,
      vramUsedBytes: 297771008,
      partition: {compute: 'QPX', memory: 'NPS1', id: index},
    }))
    const {value, problems} = amdGpus(devices, {}, fakeCatalogue)
    // 206141652992 / 4, 5.3 TB/s / 4
    expect(value.map(({memoryBytes, memoryBandwidthBytesPerSecond, partition}) => [memoryBytes, memoryBandwidthBytesPerSecond, partition])).toEqual(
      [0, 1, 2, 3].map(() => [51535413248, 1325e9, {mode: 'QPX', count: 4}]),
    )
    expect(problems.map(({code}) => code)).toEqual(['partitions-share-memory'])
  })

  test('with NPS4 each part prints its own memory', () => {
    const devices = [0, 1, 2, 3].map((index) => ({
      index,
      names: ['AMD Instinct MI300X'],
      vramBytes: 51535413248,
      partition: {compute: 'QPX', memory: 'NPS4', id: index},
    }))
    expect(amdGpus(devices, {}, fakeCatalogue).value.map(({memoryBytes}) => memoryBytes)).toEqual([51535413248, 51535413248, 51535413248, 51535413248])
  })
})

describe('rocminfo', () => {
  test('the GPU among processor and NPU', () => {
    expect(parseRocminfo(fixture('rocminfo-strix-halo.txt'))).toEqual([{index: 0, names: ['AMD Radeon 8060S Graphics'], gfxTarget: 'gfx1151'}])
  })

  test('bus address and memory', () => {
    // 12032 = 0x2f00: bus 2f; 67092480 KiB
    expect(parseRocminfo(fixture('rocminfo-mi250.txt'))).toEqual([
      {index: 0, names: ['AMD Instinct MI250X/MI250'], gfxTarget: 'gfx90a', pciAddress: '0000:2f:00.0', vramBytes: 67092480 * 1024},
    ])
  })
})
