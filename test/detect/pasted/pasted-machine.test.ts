import fc from 'fast-check'
import {beforeAll, describe, expect, test} from 'vitest'
import {cardsOnBus} from '../../../src/catalogue/bus-names.ts'
import {type Catalogue, openCatalogue} from '../../../src/catalogue/catalogue.ts'
import type {MigTable} from '../../../src/catalogue/mig.ts'
import {gpuFinder} from '../../../src/catalogue/gpu-finder.ts'
import type {MachineDocument} from '../../../src/detect/machine-document.ts'
import {readPastedMachine} from '../../../src/detect/pasted/pasted-machine.ts'
import {writeReport} from '../../../src/detect/report.ts'
import {fixture, MiB} from '../support/fakes.ts'
import {AMD_METRIC, AMD_STATIC, AMD_TABLE, AMD_TOPOLOGY, MEMINFO, NVLINK_PAIR, nvidiaTable, QUERY_LOG, QUERY_XML, TWO_3090} from './texts.ts'

let catalogue: Catalogue
beforeAll(() => {
  catalogue = openCatalogue(new URL('../../../dist/data', import.meta.url).pathname)
})

const paste = (text: string) =>
  readPastedMachine(text, {
    findGpu: gpuFinder(catalogue),
    findOnBus: (name, _memory, pciId) => cardsOnBus(catalogue, name, pciId)[0],
    sliceBytes: (card, profile) => catalogue.file<MigTable>('mig')[card]?.[profile]?.memoryBytes,
  })
async function machine(text: string): Promise<MachineDocument> {
  const found = await paste(text)
  if (!found) throw new Error('nothing was recognised')
  return found.document
}
const brief = ({gpus}: MachineDocument) =>
  gpus.map(({index, id, memoryBytes, freeBytes}) => [index, id, memoryBytes && memoryBytes / MiB, freeBytes && freeBytes / MiB])

describe('what nvidia-smi prints', () => {
  test('its table: what is used is not free, and how the cards are joined is not told', async () => {
    const {document, kinds} = (await paste(TWO_3090))!
    expect(kinds).toEqual(['nvidia-smi'])
    // 24576 - 1535, 24576 - 328
    expect(brief(document)).toEqual([
      [0, 'rtx-3090', 24576, 23041],
      [1, 'rtx-3090', 24576, 24248],
    ])
    expect(document.gpus[0]).toMatchObject({driver: '580.95.05', cudaVersion: '13.0', processes: [{name: 'Xorg', graphics: true, usedBytes: 180 * MiB}]})
    expect(document.interconnect).toEqual({kind: 'unknown'})
    expect(document.problems.map(({code}) => code)).toEqual(['topology-unknown'])
  })

  test('the table and the links after it', async () => {
    const document = await machine(`${TWO_3090}\n${NVLINK_PAIR}`)
    expect(brief(document)).toHaveLength(2)
    expect(document.interconnect).toEqual({kind: 'nvlink', pairs: [{gpus: [0, 1], kind: 'nvlink', path: 'NV4', linkCount: 4}]})
  })

  test('-q as text says what -q -x says', async () => {
    const [text, xml] = [await machine(QUERY_LOG), await machine(QUERY_XML)]
    expect(text).toEqual(xml)
    expect(brief(text)).toEqual([[0, 'h200-sxm', 143771, 141109]])
    expect(text.gpus[0]).toMatchObject({pcie: {generation: 5, laneCount: 16}, processes: [{name: 'python3', graphics: false, usedBytes: 2038 * MiB}]})
  })

  test('-L names cards that the table cuts', async () => {
    const cut = nvidiaTable([{name: 'NVIDIA GeForce RTX 4080 ...', usedMiB: 596, totalMiB: 16376}])
    const list = 'GPU 0: NVIDIA GeForce RTX 4080 SUPER (UUID: GPU-00000000-1111-2222-3333-000000000000)\n'
    // Of those that begin so and have 16 GiB the slower: 717 GB/s against 736.
    expect((await machine(cut)).gpus[0]).toMatchObject({id: 'rtx-4080', name: 'NVIDIA GeForce RTX 4080 ...'})
    expect((await machine(cut + list)).gpus[0]).toMatchObject({id: 'rtx-4080-super', name: 'NVIDIA GeForce RTX 4080 SUPER', freeBytes: (16376 - 596) * MiB})
    expect((await machine(list)).gpus).toEqual([
      {
        index: 0,
        id: 'rtx-4080-super',
        name: 'NVIDIA GeForce RTX 4080 SUPER',
        vendor: 'nvidia',
        memoryBandwidthBytesPerSecond: 736e9,
        computeCapability: 8.9,
        architecture: 'Ada Lovelace',
      },
    ])
  })

  test('the bus names a card that the table cuts', async () => {
    const cut = nvidiaTable([{name: 'NVIDIA GeForce RTX 50...', usedMiB: 0, totalMiB: 32607}])
    const bus = '01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GB202 [GeForce RTX 5090] [10de:2b85] (rev a1)\n'
    expect((await machine(cut + bus)).gpus.map(({id}) => id)).toEqual(['rtx-5090'])
  })

  test('slices of -L have the memory of their profile', async () => {
    const text = 'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0)\n  MIG 3g.40gb     Device  0: (UUID: MIG-0)\n  MIG 1g.10gb     Device  1: (UUID: MIG-1)\n'
    // As nvidia-smi prints the totals of such slices.
    expect((await machine(text)).gpus.map(({name, memoryBytes}) => [name, Math.round((memoryBytes ?? 0) / MiB)])).toEqual([
      ['NVIDIA H100 80GB HBM3 MIG 3g.40gb', 40448],
      ['NVIDIA H100 80GB HBM3 MIG 1g.10gb', 9984],
    ])
  })

  test.each([
    ['a header', 'name, memory.total [MiB], memory.used [MiB], memory.free [MiB]\nNVIDIA L40S, 46068 MiB, 0 MiB, 45460 MiB\n', [[0, 'l40s', 46068, 45460]]],
    ['a header without units', 'index, gpu_name, memory.free, memory.total\n1, NVIDIA L40S, 45460, 46068\n', [[1, 'l40s', 46068, 45460]]],
    [
      'the command before it',
      '$ nvidia-smi --query-gpu=memory.free,name,memory.total --format=csv,noheader\n45460 MiB, NVIDIA L40S, 46068 MiB\n',
      [[0, 'l40s', 46068, 45460]],
    ],
    // Which of the smaller figures is free is not told.
    ['nothing', '0, NVIDIA L40S, 46068 MiB, 608 MiB, 45460 MiB\n', [[0, 'l40s', 46068, undefined]]],
    ['two queries', 'index, name\n0, NVIDIA L40S\n\nindex, memory.total [MiB], memory.free [MiB]\n0, 46068 MiB, 45460 MiB\n', [[0, 'l40s', 46068, 45460]]],
  ])('rows of a query whose fields are named by %s', async (_, text, expected) => {
    expect(brief(await machine(text))).toEqual(expected)
  })

  test('rows of programs are no cards', async () => {
    const text =
      'timestamp, gpu_name, gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n2026/07/03 22:11:09.916, NVIDIA H200, GPU-0, 10291, /root/memhog, 2566 MiB\n'
    expect(await paste(text)).toBeUndefined()
  })

  test('a failure is told', async () => {
    const {failure, document} = (await paste("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"))!
    expect(failure?.code).toBe('driver-not-loaded')
    expect(document.gpus).toEqual([])
  })

  test('the table of another machine beside it', async () => {
    const other = nvidiaTable([{name: 'NVIDIA H200', usedMiB: 0, totalMiB: 143771}])
    expect(await paste(TWO_3090 + other)).toMatchObject({several: true})
    // The same machine later: the last is what is now. 24576 - 20000
    const later = nvidiaTable([
      {name: 'NVIDIA GeForce RTX 3090', usedMiB: 20000, totalMiB: 24576},
      {name: 'NVIDIA GeForce RTX 3090', usedMiB: 328, totalMiB: 24576},
    ])
    const again = (await paste(TWO_3090 + later))!
    expect(again.several).toBeUndefined()
    expect(brief(again.document)[0]).toEqual([0, 'rtx-3090', 24576, 4576])
  })
})

describe('what other tools print', () => {
  test("amd-smi's table, one name cut at its front", async () => {
    const document = await machine(AMD_TABLE)
    // 196592 - 283, 196592 - 149820
    expect(brief(document)).toEqual([
      [0, 'mi300x', 196592, 196309],
      [1, 'mi300x', 196592, 46772],
    ])
    expect(document.gpus[0]).toMatchObject({driver: '6.12.12', vendor: 'amd'})
  })

  test('amd-smi static, metric and topology one after another', async () => {
    const {document, kinds} = (await paste(`${AMD_STATIC}\n${AMD_METRIC}\n${AMD_TOPOLOGY}`))!
    expect(kinds).toEqual(['amd-smi static', 'amd-smi metric', 'amd-smi topology'])
    expect(brief(document)).toEqual([
      [0, 'mi300x', 196592, 196309],
      [1, 'mi300x', 196592, 46772],
    ])
    expect(document.interconnect).toEqual({kind: 'xgmi', pairs: [{gpus: [0, 1], kind: 'xgmi', path: 'XGMI', peerAccess: true}]})
  })

  test('rocm-smi: two answers in JSON, and the table with a part of the memory taken', async () => {
    const names = '{"card0": {"Card Series": "Radeon RX 7900 XT", "GFX Version": "gfx1100", "Card Model": "0x744c"}}'
    const memory = '{"card0": {"VRAM Total Memory (B)": "21458059264", "VRAM Total Used Memory (B)": "27856896"}}'
    expect(brief(await machine(`${names}\n${memory}\n`))).toEqual([[0, 'rx-7900-xt', 21458059264 / MiB, (21458059264 - 27856896) / MiB]])
    const table = `============ ROCm System Management Interface ============
Device  Node  IDs              Temp        Power     Partitions          SCLK    MCLK    Fan  Perf  PwrCap  VRAM%  GPU%
0       2     0x74a1,   1017   43.0°C      155.0W    NPS1, SPX, 0        94Mhz   900Mhz  0%   auto  650.0W  75%    0%
`
    // A quarter of the 196592 MiB that the catalogue has for the chip.
    expect(brief(await machine(table))).toEqual([[0, 'mi300x', 196592, 49148]])
  })

  test('lspci: chips that the list of names knows or does not, bridges and displays left aside', async () => {
    const text = `05:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA102 [GeForce RTX 3090] [10de:2204] (rev a1)
\tKernel driver in use: nvidia
0a:00.0 3D controller: NVIDIA Corporation Device 2204 (rev a1)
06:00.0 Bridge [0680]: NVIDIA Corporation GH100 [H100 NVSwitch] [10de:22a3] (rev a1)
02:00.0 VGA compatible controller [0300]: ASPEED Technology, Inc. ASPEED Graphics Family [1a03:2000] (rev 52)
00:02.0 VGA compatible controller [0300]: Intel Corporation UHD Graphics 770 [8086:4680] (rev 0c)
`
    const document = await machine(text)
    expect(document.gpus.map(({index, id, memoryBytes}) => [index, id, memoryBytes])).toEqual([
      [0, 'rtx-3090', undefined],
      [1, 'rtx-3090', undefined],
    ])
    expect(document.interconnect.kind).toBe('unknown')
  })

  test('a card that is handed to virtual machines is not offered', async () => {
    const text = `05:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA102 [GeForce RTX 3090] [10de:2204] (rev a1)
\tKernel driver in use: vfio-pci
0a:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA102 [GeForce RTX 3090] [10de:2204] (rev a1)
\tKernel driver in use: nvidia
`
    expect((await machine(text)).gpus).toHaveLength(1)
  })

  test('a Mac in text and in JSON: GB of macOS are GiB', async () => {
    const text =
      'Graphics/Displays:\n\n    Apple M2 Max:\n\n      Chipset Model: Apple M2 Max\n      Total Number of Cores: 38\n\nHardware:\n\n    Hardware Overview:\n\n      Chip: Apple M2 Max\n      Total Number of Cores: 12 (8 performance and 4 efficiency)\n      Memory: 64 GB\n'
    const json = JSON.stringify({
      SPDisplaysDataType: [{sppci_model: 'Apple M2 Max', sppci_cores: '38'}],
      SPHardwareDataType: [{chip_type: 'Apple M2 Max', physical_memory: '64 GB'}],
    })
    for (const document of [await machine(text), await machine(json)])
      expect(document.gpus).toMatchObject([{id: 'apple-m2-max', gpuCoreCount: 38, memoryBytes: 64 * 1024 ** 3, unifiedMemory: true}])
    const sysctl = 'hw.memsize: 17179869184\nmachdep.cpu.brand_string: Apple M1\n'
    expect((await machine(sysctl)).gpus).toMatchObject([{id: 'apple-m1', memoryBytes: 16 * 1024 ** 3}])
  })

  test('what a chip without memory of its own shares is told by the host', async () => {
    const table = fixture('nvidia-table-gb10.txt')
    expect((await machine(`${table}\n${MEMINFO}`)).gpus).toMatchObject([{id: 'gb10', memoryBytes: 127600748 * 1024, freeBytes: 118566368 * 1024}])
    // free -m, its command typed before it: 124610 and 115787 MiB
    const free =
      '$ free -m\n               total        used        free      shared  buff/cache   available\nMem:          124610        8000       96679          40       19931      115787\nSwap:              0           0           0\n'
    expect((await machine(table + free)).gpus).toMatchObject([{memoryBytes: 124610 * MiB, freeBytes: 115787 * MiB}])
  })

  test('a report of doctor', async () => {
    const report = writeReport({
      schemaVersion: 1,
      env: {},
      commands: [
        {line: 'nvidia-smi -q -x', outcome: {kind: 'ended', exitCode: 0, stdout: QUERY_XML, stderr: ''}},
        {line: 'nvidia-smi topo -m', outcome: {kind: 'missing'}},
      ],
      files: {},
      directories: {},
      existing: [],
      disks: {},
    })
    expect(brief(await machine(`My machine:\r\n\r\n${report.replaceAll('\n', '\r\n')}`))).toEqual([[0, 'h200-sxm', 143771, 141109]])
  })

  test('what tells of no GPU', async () => {
    expect(await paste('It does not work on my machine, which has a big GPU.\n')).toBeUndefined()
    expect(await paste('')).toBeUndefined()
    expect((await machine(MEMINFO)).gpus).toEqual([])
  })
})

const each = (text: string, prefix: string): string =>
  text
    .split('\n')
    .map((line) => `${prefix}${line}`)
    .join('\n')

/** What terminals, logs and people put around an output. */
const DECORATIONS: Record<string, (text: string) => string> = {
  'carriage returns': (text) => text.replaceAll('\n', '\r\n'),
  'blanks before every line': (text) => each(text, '    '),
  'fences of Markdown': (text) => `Here it is:\n\n\`\`\`text\n${text}\`\`\`\n\nThanks!\n`,
  'a quote': (text) => each(text, '> '),
  'a prompt': (text) => `anna@rig:~$ nvidia-smi\n${text}anna@rig:~$ exit\nlogout\n`,
  colours: (text) => text.replaceAll('NVIDIA', '\u001B[1;32mNVIDIA\u001B[0m').replaceAll('\n', '\u001B[K\n'),
  'a title of the window': (text) => `\u001B]0;anna@rig: ~\u0007${text}`,
  'times of a log': (text) => each(text, '2026-11-28T09:14:02.123Z '),
  'docker compose': (text) => each(text, 'gpu-probe-1  | '),
  syslog: (text) => each(text, 'Nov 28 09:14:02 rig probe[812]: '),
  kubectl: (text) => each(text, '[pod/probe-x7k2/main] '),
  'the name of a host': (text) => each(text, 'rig: '),
  'a banner before and a goodbye after': (text) =>
    `Welcome to Ubuntu 24.04.1 LTS (GNU/Linux 6.8.0 x86_64)\n\n 3 updates can be applied.\n\n${text}\nConnection to rig closed.\n`,
}

describe('what stands around an output changes nothing', () => {
  const OUTPUTS: Record<string, string> = {
    'nvidia-smi': TWO_3090,
    'nvidia-smi and topo -m': TWO_3090 + NVLINK_PAIR,
    'nvidia-smi -q': QUERY_LOG,
    'amd-smi': AMD_TABLE,
    'amd-smi static and metric': `${AMD_STATIC}\n${AMD_METRIC}`,
  }
  for (const [output, text] of Object.entries(OUTPUTS))
    test.each(Object.keys(DECORATIONS))(`${output} with %s`, async (decoration) => {
      expect(await machine(DECORATIONS[decoration]!(text))).toEqual(await machine(text))
    })

  test('several at once', async () => {
    const expected = await machine(TWO_3090)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.constantFrom(...Object.keys(DECORATIONS).filter((name) => name !== 'the name of a host')), {minLength: 2, maxLength: 3}),
        async (names) => {
          const text = names.reduce((own, name) => DECORATIONS[name]!(own), TWO_3090)
          expect(await machine(text)).toEqual(expected)
        },
      ),
      {numRuns: 60},
    )
  })
})

test('whatever is pasted, nothing is thrown, and no memory is negative or more than there is', async () => {
  const pieces = [
    ...TWO_3090.split('\n'),
    ...QUERY_LOG.split('\n'),
    ...AMD_STATIC.split('\n'),
    ...AMD_TABLE.split('\n'),
    NVLINK_PAIR,
    '{"card0": {',
    '"gpu_data": [',
    '<gpu>',
    '\u001B]',
    '| ',
    'GPU 0: ',
    'Mem: 1 2 3',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({weight: 8, arbitrary: fc.constantFrom(...pieces)}, {weight: 1, arbitrary: fc.string()}), {maxLength: 60}),
      async (lines) => {
        const found = await paste(lines.join('\n'))
        for (const {memoryBytes, freeBytes} of found?.document.gpus ?? []) {
          if (memoryBytes !== undefined) expect(memoryBytes).toBeGreaterThan(0)
          if (memoryBytes !== undefined && freeBytes !== undefined) expect(freeBytes).toBeLessThanOrEqual(memoryBytes)
          if (freeBytes !== undefined) expect(freeBytes).toBeGreaterThanOrEqual(0)
        }
      },
    ),
    {numRuns: 200},
  )
})
