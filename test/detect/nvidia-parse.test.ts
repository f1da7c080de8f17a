import {describe, expect, test} from 'vitest'
import {parseNvidiaCsv, saysFieldUnknown} from '../../src/detect/nvidia-csv.ts'
import {parseNvidiaList} from '../../src/detect/nvidia-mig.ts'
import {parseNvidiaProcGpu, parseNvidiaProcVersion} from '../../src/detect/nvidia-proc.ts'
import {parseNvidiaXml} from '../../src/detect/nvidia-xml.ts'
import {fixture} from './support/fakes.ts'

describe('nvidia-smi -q -x', () => {
  test('reads an idle desktop card', () => {
    const [device, ...others] = parseNvidiaXml(fixture('nvidia-q-x-rtx-3060.xml'))
    expect(others).toEqual([])
    expect(device).toEqual({
      index: 0,
      pciAddress: '0000:2d:00.0',
      pciDeviceId: '0x2487',
      name: 'NVIDIA GeForce RTX 3060',
      architecture: 'Ampere',
      driver: '570.124.04',
      memoryBytes: 12884901888, // 12288 MiB
      usedBytes: 121634816, // 116 MiB
      freeBytes: 12379488256, // 11806 MiB as printed, not total less used
      pcie: {generation: 4, laneCount: 16}, // it idles at generation 1
      slices: [],
      unknownFields: [],
    })
  })

  test('adds up what programs hold and keeps it apart from what the card has in use', () => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-rtx-4000-sff-ada-desktop.xml'))
    expect(device?.processListBytes).toBe(1262485504) // 410 + 451 + 160 + 183 = 1204 MiB
    expect(device?.usedBytes).toBe(3705667584) // 3534 MiB
    expect(device?.freeBytes).toBe(17282629632) // 16482 MiB
  })

  test('reads the slices of a card in MIG mode', () => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-a100-80gb-mig.xml'))
    expect(device?.migEnabled).toBe(true)
    expect(device?.slices).toHaveLength(4)
    expect(device?.slices[3]).toEqual({device: 3, memoryBytes: 20937965568, usedBytes: 12582912, freeBytes: 20924334080}) // 19968, 12, 19955 MiB
    const [older] = parseNvidiaXml(fixture('nvidia-q-x-a100-40gb-mig-dtd-v11.xml'))
    expect(older?.slices.map(({freeBytes}) => freeBytes)).toEqual([20916994048, 20916994048]) // 19948 MiB
  })

  test('reads Windows, where programs show no memory and the slot has eight lanes', () => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-windows-rtx-2080.xml'))
    expect(device?.processListBytes).toBeUndefined()
    expect(device?.usedBytes).toBe(903872512) // 862 MiB
    expect(device?.pcie).toEqual({generation: 3, laneCount: 8})
  })

  test('reads a name without the maker', () => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-tesla-t4.xml'))
    expect(device).toMatchObject({name: 'Tesla T4', pciDeviceId: '0x1eb8', memoryBytes: 16106127360, freeBytes: 14616100864}) // 15360, 13939 MiB
  })

  test('keeps what stands before a cut', () => {
    const text = fixture('nvidia-q-x-rtx-3060.xml')
    const [device] = parseNvidiaXml(text.slice(0, text.indexOf('<used>')))
    expect(device).toMatchObject({name: 'NVIDIA GeForce RTX 3060', memoryBytes: 12884901888})
    expect(device?.freeBytes).toBeUndefined()
  })

  test.each([
    'N/A',
    '[N/A]',
    'Not Supported',
    '[Not Supported]',
    'ERR!',
    'Unknown Error',
    '[Unknown Error]',
    'GPU is lost',
    '0 MiB',
    '-1 MiB',
    '1e3 MiB',
    '99999999999999 MiB',
    '',
  ])('takes a total of "%s" for unknown', (printed) => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-rtx-3060.xml').replace('<total>12288 MiB</total>', `<total>${printed}</total>`))
    expect(device?.name).toBe('NVIDIA GeForce RTX 3060')
    expect(device?.memoryBytes).toBeUndefined()
  })

  test('leaves out a free figure above the total', () => {
    const [device] = parseNvidiaXml(fixture('nvidia-q-x-rtx-3060.xml').replace('11806 MiB', '12289 MiB'))
    expect(device?.freeBytes).toBeUndefined()
  })

  test.each(['', 'No devices were found', '<', '<nvidia_smi_log>', '<gpu><product_name>x', '\u0000\u0001'])('finds nothing in "%s"', (text) => {
    expect(parseNvidiaXml(text)).toEqual([])
  })
})

describe('nvidia-smi --query-gpu', () => {
  test('reads compute capability and free memory', () => {
    expect(parseNvidiaCsv(fixture('nvidia-query-rtx-4080-super.csv'))).toEqual([
      {
        index: 0,
        pciAddress: '0000:01:00.0',
        pciDeviceId: '0x2702',
        name: 'NVIDIA GeForce RTX 4080 SUPER',
        computeCapability: 8.9,
        driver: '595.71.05',
        memoryBytes: 17171480576, // 16376 MiB
        usedBytes: 624951296, // 596 MiB
        freeBytes: 16093544448, // 15348 MiB
        pcie: {generation: 4, laneCount: 16},
        slices: [],
        unknownFields: [],
      },
    ])
  })

  test('leaves memory out where the driver prints [N/A], and says which fields', () => {
    const [device] = parseNvidiaCsv(fixture('nvidia-query-gb10.csv'))
    expect(device).toMatchObject({name: 'NVIDIA GB10', pciAddress: '000f:01:00.0', pciDeviceId: '0x2e12', computeCapability: 12.1})
    expect(device?.memoryBytes).toBeUndefined()
    expect(device?.unknownFields).toEqual([
      {field: 'memory.total', printed: '[N/A]'},
      {field: 'memory.free', printed: '[N/A]'},
    ])
  })

  test('reads units and padding, and two different cards', () => {
    const devices = parseNvidiaCsv(fixture('nvidia-query-mixed-padded.csv'), ['index', 'name', 'memory.total', 'driver_version'])
    expect(devices.map(({index, name, memoryBytes, driver}) => [index, name, memoryBytes, driver])).toEqual([
      [0, 'NVIDIA GeForce RTX 3080', 10737418240, '610.43.03'], // 10240 MiB
      [1, 'NVIDIA GeForce RTX 5060 Ti', 17103323136, '610.43.03'], // 16311 MiB
    ])
  })

  test('a comma in the last field belongs to the name', () => {
    const [device] = parseNvidiaCsv('0, 1024, ACME Accelerator, Rev. B\n', ['index', 'memory.total', 'name'])
    expect(device?.name).toBe('ACME Accelerator, Rev. B')
  })

  test('tells a driver that does not know a field', () => {
    expect(saysFieldUnknown(fixture('nvidia-query-field-unknown.txt'))).toBe(true)
    expect(parseNvidiaCsv(fixture('nvidia-query-field-unknown.txt'))).toEqual([])
  })
})

test('nvidia-smi -L names the profiles of slices, and their identities', () => {
  expect(parseNvidiaList(fixture('nvidia-list-h100-mig.txt'))).toEqual([
    {parentIndex: 0, device: 0, profile: '3g.40gb', uuid: 'MIG-00000000-0000-0000-0000-000000000000'},
    {parentIndex: 0, device: 1, profile: '2g.20gb', uuid: 'MIG-00000001-0000-0000-0000-000000000001'},
    {parentIndex: 0, device: 2, profile: '1g.10gb', uuid: 'MIG-00000002-0000-0000-0000-000000000002'},
    {parentIndex: 0, device: 3, profile: '1g.10gb', uuid: 'MIG-00000003-0000-0000-0000-000000000003'},
  ])
})

test("the kernel module's own files give name, address and version", () => {
  const information =
    'Model: \t\t NVIDIA GeForce RTX 3090\nIRQ:   \t\t 71\nVideo BIOS: \t 94.02.42.00.a9\nBus Type: \t PCIe\nBus Location: \t 0000:0a:00.0\nDevice Minor: \t 0\n'
  expect(parseNvidiaProcGpu(information, '0000:0a:00.0', 0)).toEqual({
    index: 0,
    pciAddress: '0000:0a:00.0',
    name: 'NVIDIA GeForce RTX 3090',
    slices: [],
    unknownFields: [],
  })
  expect(
    parseNvidiaProcVersion('NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\nGCC version:  gcc version 12.2.0\n'),
  ).toBe('535.183.01')
  expect(parseNvidiaProcVersion('NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.126.09  Release Build\n')).toBe('580.126.09')
})
