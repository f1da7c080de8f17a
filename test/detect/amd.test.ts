import {describe, expect, test} from 'vitest'
import {amdGpus} from '../../src/detect/amd.ts'
import {amdNames} from '../../src/detect/amd-device.ts'
import {parseAmdMemory, parseAmdStatic, parseAmdTopology} from '../../src/detect/amd-smi.ts'
import {parseKfdNode} from '../../src/detect/amd-sysfs.ts'
import {detectMachine} from '../../src/detect/detect-machine.ts'
import {parseLooseJson} from '../../src/detect/loose-json.ts'
import {MachineDocumentSchema} from '../../src/detect/machine-schema.ts'
import {parseRocmSmi, parseRocmTopology} from '../../src/detect/rocm-smi.ts'
import {ended, fakeCatalogue, fakeExec, fakeMachine, fixture, MiB} from './support/fakes.ts'

const GiB = 1024 * MiB

describe('amd-smi', () => {
  test('static: MB are mebibytes, and a kernel version is no driver version', () => {
    expect(parseAmdStatic(fixture('amd-smi-static-mi210.json'))).toEqual([
      {index: 0, names: ['AMD Instinct MI210'], gfxTarget: 'gfx90a', vramBytes: 68702699520, pciDeviceId: '0x740f'}, // 65520 MiB
    ])
  })

  test('a bare array, as before version 26, and several documents in one stream', () => {
    const whole = fixture('amd-smi-static-mi210.json')
    const bare = JSON.stringify(JSON.parse(whole).gpu_data)
    expect(parseAmdStatic(bare)).toEqual(parseAmdStatic(whole))
    expect(parseAmdStatic(`${bare}\n[{"gpu": 1, "asic": {"market_name": "AMD Instinct MI210"}}]`).map(({index}) => index)).toEqual([0, 1])
  })

  test('memory in use', () => {
    const text =
      '[{"gpu": 0, "mem_usage": {"total_vram": {"value": 65520, "unit": "MB"}, "used_vram": {"value": 10, "unit": "MB"}, "total_gtt": {"value": 128000, "unit": "MB"}, "used_gtt": "N/A"}}]'
    expect(parseAmdMemory(text).get(0)).toEqual({vramUsedBytes: 10 * MiB, gttBytes: 128000 * MiB})
  })

  test('topology in both shapes', () => {
    expect(parseAmdTopology(fixture('amd-smi-topology-maps.json'))).toEqual([{gpus: [0, 1], kind: 'pcie-host', path: 'PCIE', peerAccess: false}])
    expect(parseAmdTopology(fixture('amd-smi-topology-links.json'))).toEqual([{gpus: [0, 1], kind: 'xgmi', path: 'XGMI', peerAccess: true}])
  })
})

describe('rocm-smi', () => {
  test('a card, also behind a warning', () => {
    const card = {
      index: 0,
      names: ['Radeon RX 7900 XT'],
      gfxTarget: 'gfx1100',
      vramBytes: 21458059264,
      vramUsedBytes: 27856896,
      pciDeviceId: '0x744c',
    }
    expect(parseRocmSmi(fixture('rocm-smi-7900xt.json'))).toEqual([card])
    expect(parseRocmSmi(fixture('rocm-smi-low-power-7900xt.txt'))).toEqual([card])
  })

  test('older spelling: the model is that of the board, so it is no chip id', () => {
    const [card] = parseRocmSmi(fixture('rocm-smi-mi100-rocm602.json'))
    expect(card).toMatchObject({
      names: ['Instinct MI100', 'Arcturus GL-XL [Instinct MI100]'],
      vramBytes: 34342961152,
      vramUsedBytes: 6750208,
    })
    expect(card?.pciDeviceId).not.toBe('0x0c34')
  })

  test('links of eight cards: 8 x 7 / 2 pairs', () => {
    const pairs = parseRocmTopology(fixture('rocm-smi-topology-mi308x.txt'))
    expect(pairs).toHaveLength(28)
    expect(pairs.every(({kind}) => kind === 'xgmi')).toBe(true)
  })
})

test('names that any card may have are no names', () =>
  expect(amdNames('AMD Radeon Graphics', undefined, '0x66a0', 'AMD Instinct MI60 / MI50')).toEqual(['AMD Instinct MI60 / MI50']))

test('the compute driver writes targets in decimal, the last two parts of the name in hex', () => {
  const node = (version: number, location: number) => parseKfdNode(`cpu_cores_count 0\ngfx_target_version ${version}\ndomain 0\nlocation_id ${location}\n`)
  expect(node(90402, 0x2300)).toEqual({address: '0000:23:00.0', gfxTarget: 'gfx942'})
  expect(node(90010, 0xc108)?.gfxTarget).toBe('gfx90a')
  expect(node(90010, 0xc108)?.address).toBe('0000:c1:01.0')
  expect(node(110501, 0)?.gfxTarget).toBe('gfx1151')
  expect(node(0, 0)).toBeUndefined()
})

const pci = (address: string, id: string, more: Record<string, string> = {}) => ({
  [`/sys/bus/pci/devices/${address}/uevent`]: `DRIVER=amdgpu\nPCI_CLASS=38000\nPCI_ID=${id}\nPCI_SLOT_NAME=${address}\n`,
  ...Object.fromEntries(Object.entries(more).map(([name, text]) => [`/sys/bus/pci/devices/${address}/${name}`, text])),
})

describe('a machine with AMD GPUs', () => {
  async function detect(effects: Parameters<typeof detectMachine>[0]) {
    const document = await detectMachine(effects)
    expect(MachineDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document)
    return document
  }

  test('Strix Halo without any tool: memory is what the GPU may map, and no more of it is free than the host has available', async () => {
    const document = await detect(
      fakeMachine({
        files: {
          ...pci('0000:c5:00.0', '1002:1586', {
            mem_info_vram_total: '4294967296\n',
            mem_info_vram_used: '500000000\n',
            mem_info_gtt_total: '103079215104\n',
            mem_info_gtt_used: '1073741824\n',
          }),
          '/sys/class/kfd/kfd/topology/nodes/1/properties': `gfx_target_version 110501\nlocation_id ${0xc500}\ndomain 0\n`,
          '/proc/meminfo': 'MemTotal:       128000000 kB\nMemAvailable:   90000000 kB\n',
        },
      }),
    )
    expect(document.gpus).toEqual([
      {
        index: 0,
        id: 'strix-halo-128gb',
        name: 'AMD Radeon 8060S Graphics',
        vendor: 'amd',
        memoryBytes: 103079215104, // 96 GiB of GTT, not 100 with the carve-out
        freeBytes: 92160000000, // 90,000,000 kB available; 95 GiB of GTT are unused
        processesBytes: 1073741824,
        memoryBandwidthBytesPerSecond: 256e9,
        gfxTarget: 'gfx1151',
        unifiedMemory: true,
      },
    ])
    expect(document.interconnect.kind).toBe('unified')
    expect(document.problems.map(({code}) => code)).toEqual(['tool-missing'])
  })

  test('two joined cards through amd-smi', async () => {
    const both = JSON.stringify(
      [0, 1].map((gpu) => ({
        gpu,
        asic: {market_name: 'AMD Instinct MI210', target_graphics_version: 'gfx90a', device_id: '0x740f'},
        bus: {bdf: `000${gpu}:01:00.0`},
        vram: {size: {value: 65520, unit: 'MB'}},
      })),
    )
    const used = JSON.stringify([0, 1].map((gpu) => ({gpu, mem_usage: {used_vram: {value: 20, unit: 'MB'}}})))
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          'amd-smi static': ended(both),
          'amd-smi metric': ended(used),
          'amd-smi topology': ended(fixture('amd-smi-topology-links.json')),
        }),
      }),
    )
    expect(document.gpus.map(({index, id, memoryBytes, freeBytes}) => [index, id, memoryBytes, freeBytes])).toEqual([
      [0, 'mi210', 65520 * MiB, 65500 * MiB],
      [1, 'mi210', 65520 * MiB, 65500 * MiB],
    ])
    expect(document.interconnect.kind).toBe('xgmi')
  })

  test('a container without /dev/kfd', async () => {
    const document = await detect(fakeMachine({files: {...pci('0000:23:00.0', '1002:74A1'), '/.dockerenv': ''}}))
    expect(document.gpus).toEqual([])
    expect(document.problems[0]).toMatchObject({code: 'in-container-without-gpus', remedy: expect.stringContaining('/dev/kfd')})
  })

  test('beside an NVIDIA card numbers go on, and different makers are not joined', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          'nvidia-smi --query-gpu': ended(fixture('nvidia-query-rtx-4080-super.csv')),
          'rocm-smi --showproductname': ended(fixture('rocm-smi-7900xt.json')),
        }),
      }),
    )
    expect(document.gpus.map(({index, id}) => [index, id])).toEqual([
      [0, 'rtx-4080-super'],
      [1, 'rx-7900-xt'],
    ])
    expect(document.interconnect.kind).toBe('none')
  })
})

test('partitions of one package each print all of its memory, and get their part', () => {
  const devices = [0, 1, 2, 3].map((index) => ({
    index,
    names: ['AMD Instinct MI300X'],
    gfxTarget: 'gfx942',
    pciAddress: `0000:05:00.${index}`,
    vramBytes: 206141652992,
    vramUsedBytes: 297771008,
  }))
  const {value, problems} = amdGpus(devices, {}, fakeCatalogue)
  expect(value.map(({memoryBytes}) => memoryBytes)).toEqual([51535413248, 51535413248, 51535413248, 51535413248]) // 206141652992 / 4
  expect(value[0]?.freeBytes).toBe(51460970496) // less 297771008 / 4 = 74442752
  expect(problems.map(({code}) => code)).toEqual(['partitions-share-memory'])
})

test('graphics for displays stand back behind a card', () => {
  const desktop = [
    {index: 0, names: ['Radeon RX 7900 XT'], gfxTarget: 'gfx1100', vramBytes: 21458059264, vramUsedBytes: 27856896},
    {index: 1, names: [], gfxTarget: 'gfx1036', vramBytes: 536870912, gttBytes: 32 * GiB},
  ]
  expect(amdGpus(desktop, {totalBytes: 64 * GiB}, fakeCatalogue).value.map(({id}) => id)).toEqual(['rx-7900-xt'])
})

test('loose JSON', () => {
  expect(parseLooseJson('WARNING: [x] {\n{"a": "}"}\n[1]')).toEqual([{a: '}'}, [1]])
  expect(parseLooseJson('{"a": 1}{"b": 2}')).toEqual([{a: 1}, {b: 2}])
  expect(parseLooseJson('[unclosed\n{"a": 1}')).toEqual([{a: 1}])
  expect(parseLooseJson('{"a": 1,}')).toEqual([])
  expect(parseLooseJson('')).toEqual([])
})
