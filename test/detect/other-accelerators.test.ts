import {describe, expect, test} from 'vitest'
import {parseAscendTable, parseAscendTopology} from '../../src/detect/ascend.ts'
import {detectMachine} from '../../src/detect/detect-machine.ts'
import {parseGaudiQuery, parseGaudiTable} from '../../src/detect/gaudi.ts'
import {parseXpuSmiText, parseXpuTopology} from '../../src/detect/intel-text.ts'
import {ended, fakeExec, fakeMachine, fixture, MiB} from './support/fakes.ts'

describe('Gaudi', () => {
  test('the query', () => {
    expect(parseGaudiQuery(fixture('gaudi-query-hl-325l.csv'))).toMatchObject([
      {index: 0, name: 'HL-325L', driver: '1.22.1-97ec1a4', memoryBytes: 131072 * MiB, usedBytes: 672 * MiB, freeBytes: 130400 * MiB},
      {index: 1, name: 'HL-325L'},
    ])
  })

  test('the table; the driver of its network cards is another', () => {
    // 131072 - 672
    expect(parseGaudiTable(fixture('gaudi-table-hl-325l.txt'))).toEqual([
      {
        index: 0,
        name: 'HL-325L',
        driver: '1.20.1-366eb9c',
        pciAddress: '0000:e9:00.0',
        memoryBytes: 131072 * MiB,
        usedBytes: 672 * MiB,
        freeBytes: 130400 * MiB,
      },
      {
        index: 1,
        name: 'HL-325L',
        driver: '1.20.1-366eb9c',
        pciAddress: '0000:c1:00.0',
        memoryBytes: 131072 * MiB,
        usedBytes: 672 * MiB,
        freeBytes: 130400 * MiB,
      },
    ])
  })

  test('a card on the bus and no tool', async () => {
    const files = {'/sys/bus/pci/devices/0000:a3:00.0/uevent': 'DRIVER=habanalabs\nPCI_CLASS=120000\nPCI_ID=1DA3:1060\n'}
    const {gpus, problems} = await detectMachine(fakeMachine({files}))
    expect(gpus).toEqual([])
    expect(problems[0]).toMatchObject({code: 'tool-missing', message: expect.stringContaining('hl-smi')})
  })
})

describe('Ascend', () => {
  test('numbers with a gap; a figure glued to its bar', () => {
    expect(parseAscendTable(fixture('ascend-910b3-gap.txt'))).toEqual([
      // 65536 - 3445, 65536 - 60156
      {index: 0, name: 'Ascend 910B3', driver: '25.5.1', pciAddress: '0000:c1:00.0', memoryBytes: 65536 * MiB, usedBytes: 3445 * MiB, freeBytes: 62091 * MiB},
      {index: 5, name: 'Ascend 910B3', driver: '25.5.1', pciAddress: '0000:02:00.0', memoryBytes: 65536 * MiB, usedBytes: 60156 * MiB, freeBytes: 5380 * MiB},
    ])
  })

  test('the wider table of version 26, without its head', () => {
    expect(parseAscendTable(fixture('ascend-910b4-wide.txt'))).toMatchObject([
      {index: 0, name: 'Ascend 910B4', memoryBytes: 32768 * MiB, usedBytes: 2871 * MiB},
    ])
  })

  test('HBM counts and not the memory of its control processor; a name that says nothing is none', () => {
    const devices = parseAscendTable(fixture('ascend-without-name.txt'))
    expect(devices.map(({index, name, memoryBytes, usedBytes}) => [index, name, memoryBytes, usedBytes])).toEqual([
      [2, undefined, 32768 * MiB, 0],
      [5, undefined, 32768 * MiB, 0],
    ])
  })

  test('two chips of one card go by their device numbers', () => {
    const row = (chip: number, device: number, bus: string) =>
      `| ${chip}     ${device}               | 0000:${bus}:00.0  | 0           0    / 0          3100 / 65536         |\n`
    const card = '| 0     Ascend910           | OK            | 170.2       35                0    / 0             |\n'
    expect(parseAscendTable(card + row(0, 0, '9D') + card + row(1, 1, '9F')).map(({index, name}) => [index, name])).toEqual([
      [0, 'Ascend910'],
      [1, 'Ascend910'],
    ])
  })

  test('links', () => {
    const text =
      '       NPU0   NPU1   NPU2   CPU Affinity\nNPU0   X      HCCS   PXB    0-23\nNPU1   HCCS   X      SYS    0-23\nNPU2   PXB    SYS    X      24-47\n'
    expect(parseAscendTopology(text)).toEqual([
      {gpus: [0, 1], kind: 'other', path: 'HCCS'},
      {gpus: [0, 2], kind: 'pcie-host', path: 'PXB'},
      {gpus: [1, 2], kind: 'pcie-host', path: 'SYS'},
    ])
  })

  test('a busy tool is no exception', async () => {
    const exec = fakeExec({'npu-smi info': ended('dcmi module initialize failed. ret is -8005\n', 1)})
    const files = {'/sys/bus/pci/devices/0000:c1:00.0/uevent': 'DRIVER=devdrv\nPCI_CLASS=120000\nPCI_ID=19E5:D802\n'}
    expect((await detectMachine(fakeMachine({exec, files}))).problems[0]).toMatchObject({code: 'unreadable-output'})
  })
})

describe('xpu-smi without JSON', () => {
  test('discovery', () => {
    expect(parseXpuSmiText(fixture('xpu-smi-discovery-b580.txt'))).toEqual([
      {index: 0, name: 'Intel(R) Arc(TM) B580 Graphics', pciDeviceId: '0xe20b', pciAddress: '0000:03:00.0', memoryBytes: 12216 * MiB},
    ])
  })

  test('the table of version 2', () => {
    // 12216 - 239
    expect(parseXpuSmiText(fixture('xpu-smi-table-b580.txt'))).toEqual([
      {index: 0, name: 'Intel(R) Arc(TM) B580', pciAddress: '0000:03:00.0', memoryBytes: 12216 * MiB, freeBytes: 11977 * MiB},
    ])
  })

  test('rows of its matrix', () => {
    const pairs = parseXpuTopology(fixture('xpu-smi-topology-rows.txt'))
    // Rows of GPU 1 and GPU 4: seven pairs each, one of them common.
    expect(pairs).toHaveLength(13)
    expect(pairs).toContainEqual({gpus: [1, 2], kind: 'pcie-host', path: 'NODE'})
    expect(pairs).toContainEqual({gpus: [1, 4], kind: 'pcie-host', path: 'SYS'})
    expect(pairs).toContainEqual({gpus: [4, 7], kind: 'pcie-host', path: 'NODE'})
  })
})
