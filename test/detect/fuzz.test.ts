import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {amdGpus} from '../../src/detect/amd.ts'
import {parseAmdMemory, parseAmdStatic, parseAmdTopology} from '../../src/detect/amd-smi.ts'
import {parseKfdNode} from '../../src/detect/amd-sysfs.ts'
import {parseSysctl, parseSystemProfiler} from '../../src/detect/apple.ts'
import {detectMachine} from '../../src/detect/detect-machine.ts'
import {parseAscendTable} from '../../src/detect/ascend.ts'
import {parseDmidecode} from '../../src/detect/dmidecode.ts'
import {parseGaudiQuery, parseGaudiTable} from '../../src/detect/gaudi.ts'
import {parseCpuinfo, parseMeminfo, parseMemoryGroup} from '../../src/detect/host.ts'
import {parseXpuSmi} from '../../src/detect/intel.ts'
import {parseXpuSmiText, parseXpuTopology} from '../../src/detect/intel-text.ts'
import {MachineDocumentSchema} from '../../src/detect/machine-schema.ts'
import {NVIDIA_FIELDS, parseNvidiaCsv} from '../../src/detect/nvidia-csv.ts'
import {parseNvidiaFailure} from '../../src/detect/nvidia-failures.ts'
import {parseNvidiaList} from '../../src/detect/nvidia-mig.ts'
import {parseNvidiaProcGpu, parseNvidiaProcVersion} from '../../src/detect/nvidia-proc.ts'
import {parseNvidiaPeerAccess, parseNvidiaTopology} from '../../src/detect/nvidia-topology.ts'
import {parseNvidiaXml} from '../../src/detect/nvidia-xml.ts'
import {parseLscpu, parseNumaNode} from '../../src/detect/numa.ts'
import {parseNvlink} from '../../src/detect/nvidia-nvlink.ts'
import {parseNvidiaTable} from '../../src/detect/nvidia-table.ts'
import {readReport} from '../../src/detect/report.ts'
import {parsePciEvent} from '../../src/detect/pci.ts'
import {parseRocmSmi, parseRocmTopology} from '../../src/detect/rocm-smi.ts'
import {parseRocminfo} from '../../src/detect/rocminfo.ts'
import {toMachineGroups} from '../../src/detect/to-machine.ts'
import {ended, fakeCatalogue, fakeExec, fakeMachine, fixture} from './support/fakes.ts'

const NASTY = [
  '',
  '-',
  '0',
  '-1',
  '1e309',
  'NaN',
  'Infinity',
  '99999999999999999999',
  '0x10',
  '1,5',
  'N/A',
  '[N/A]',
  'ERR!',
  '<',
  '</',
  '>',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  '\n',
  '\t',
  '\u0000',
  '\u001b[4m',
  '\ud800',
  'null',
  '1.5.2',
  '0.0',
]

/** A text with a few of its pieces cut out, doubled or put something else in place of. */
function mutated(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(text.length),
    length: fc.oneof(fc.nat(6), fc.nat(400)),
    put: fc.oneof(fc.constantFrom(...NASTY), fc.string({maxLength: 12}), fc.integer().map(String)),
  })
  const number = fc.record({nth: fc.nat(200), put: fc.constantFrom(...NASTY)})
  return fc.tuple(fc.array(edit, {maxLength: 6}), fc.array(number, {maxLength: 4})).map(([edits, numbers]) => {
    let result = text
    for (const {nth, put} of numbers) {
      let seen = 0
      result = result.replace(/\d+(?:\.\d+)?/g, (digits) => (seen++ === nth ? put : digits))
    }
    for (const {at, length, put} of edits) result = result.slice(0, at) + put + result.slice(at + length)
    return result
  })
}

/** Every number anywhere in a result is finite and not negative, and what is called a total is above zero. */
function expectSane(value: unknown, name = ''): void {
  if (typeof value === 'number') {
    expect(Number.isFinite(value) && value >= 0, `${name} is ${value}`).toBe(true)
    if (/^(?:memory|total|vram|gtt|limit|wiredLimit|parentMemory)Bytes$/.test(name))
      expect(Number.isSafeInteger(value) && value > 0, `${name} is ${value}`).toBe(true)
  } else if (value instanceof Map) for (const [key, entry] of value) expectSane(entry, String(key))
  else if (value !== null && typeof value === 'object') for (const [key, entry] of Object.entries(value)) expectSane(entry, Array.isArray(value) ? name : key)
}

const place = {container: false, wsl: false}

const PARSERS: [name: string, parse: (text: string) => unknown, seeds: string[]][] = [
  ['nvidia-smi -q -x', parseNvidiaXml, ['nvidia-q-x-rtx-3060.xml', 'nvidia-q-x-a100-80gb-mig.xml', 'nvidia-q-x-windows-rtx-2080.xml']],
  ['nvidia-smi --query-gpu', parseNvidiaCsv, ['nvidia-query-h200.csv', 'nvidia-query-gb10.csv', 'nvidia-query-field-unknown.txt']],
  ['nvidia-smi -L', parseNvidiaList, ['nvidia-list-h100-mig.txt']],
  ['nvidia-smi topo -m', parseNvidiaTopology, ['nvidia-topo-3xa6000-partial.txt', 'nvidia-topo-4xa100-mlx5.txt', 'nvidia-topo-single-ansi.txt']],
  ['nvidia-smi topo -p2p r', parseNvidiaPeerAccess, ['nvidia-p2p-2x5090-gns.txt']],
  ['nvidia failures', (text) => parseNvidiaFailure(text, place), ['nvidia-fail-gpu-lost.txt', 'nvidia-fail-version-mismatch.txt']],
  ['/proc/driver/nvidia', (text) => [parseNvidiaProcGpu(text, '0000:01:00.0', 0), parseNvidiaProcVersion(text)], ['nvidia-fail-driver-comm.txt']],
  ['amd-smi static', parseAmdStatic, ['amd-smi-static-mi210.json']],
  ['amd-smi metric', parseAmdMemory, ['amd-smi-static-mi210.json']],
  ['amd-smi topology', parseAmdTopology, ['amd-smi-topology-maps.json', 'amd-smi-topology-links.json']],
  ['rocm-smi', parseRocmSmi, ['rocm-smi-7900xt.json', 'rocm-smi-low-power-7900xt.txt', 'rocm-smi-mi100-rocm602.json']],
  ['rocm-smi topology', parseRocmTopology, ['rocm-smi-topology-mi308x.txt']],
  ['system_profiler', parseSystemProfiler, ['apple-displays-m2-max.json']],
  ['sysctl', parseSysctl, ['proc-meminfo-gb10.txt']],
  ['xpu-smi', parseXpuSmi, ['xpu-smi-discovery-b60.json']],
  ['/proc/meminfo', parseMeminfo, ['proc-meminfo-1gb-vm.txt', 'proc-meminfo-gb10.txt']],
  ['/proc/cpuinfo', parseCpuinfo, ['proc-meminfo-1gb-vm.txt']],
  ['control group', (text) => parseMemoryGroup(text, text, text, 'inactive_file'), ['proc-meminfo-gb10.txt']],
  ['kfd node', parseKfdNode, ['proc-meminfo-gb10.txt']],
  [
    'nvidia-smi table',
    parseNvidiaTable,
    ['nvidia-table-h100-mig.txt', 'nvidia-table-rtx-4080-super-cut-name.txt', 'nvidia-table-gb10.txt', 'nvidia-table-windows-kmd.txt'],
  ],
  ['nvidia-smi nvlink -s', parseNvlink, ['nvidia-nvlink-h200.txt', 'nvidia-nvlink-inactive.txt']],
  ['hl-smi query', parseGaudiQuery, ['gaudi-query-hl-325l.csv']],
  ['hl-smi table', parseGaudiTable, ['gaudi-table-hl-325l.txt']],
  ['npu-smi', parseAscendTable, ['ascend-910b3-gap.txt', 'ascend-910b4-wide.txt', 'ascend-without-name.txt']],
  ['amd-smi static as text', parseAmdStatic, ['amd-smi-static-mi308x.txt']],
  ['amd-smi topology as text', parseAmdTopology, ['amd-smi-topology-3xgmi.txt']],
  ['rocm-smi as text', parseRocmSmi, ['rocm-smi-memory-mi50.txt', 'rocm-smi-names-mi50.txt', 'rocm-smi-7900xt.csv', 'rocm-smi-table-qpx.txt']],
  ['rocminfo', parseRocminfo, ['rocminfo-strix-halo.txt', 'rocminfo-mi250.txt']],
  ['xpu-smi as text', parseXpuSmiText, ['xpu-smi-discovery-b580.txt', 'xpu-smi-table-b580.txt']],
  ['xpu-smi topology', parseXpuTopology, ['xpu-smi-topology-rows.txt']],
  ['dmidecode', parseDmidecode, ['dmidecode-ddr5-downclocked.txt', 'dmidecode-strix-halo-lpddr5.txt']],
  ['lscpu', parseLscpu, ['lscpu-xeon-6126t.txt', 'lscpu-indented.txt', 'lscpu-epyc-offline.txt']],
  ['NUMA node', (text) => parseNumaNode(0, text, text), ['lscpu-xeon-6126t.txt']],
  ['uevent', (text) => parsePciEvent(text, '0000:01:00.0'), ['proc-meminfo-gb10.txt']],
]

describe.each(PARSERS)('%s', (_, parse, seeds) => {
  test.each(seeds)('mutations of %s neither throw nor yield a number that cannot be', (seed) => {
    fc.assert(
      fc.property(mutated(fixture(seed)), (text) => expectSane(parse(text))),
      {numRuns: 250},
    )
  })

  test('nor does any text at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({maxLength: 300, unit: 'binary'}), fc.json()), (text) => expectSane(parse(text))),
      {numRuns: 150},
    )
  })
})

test('whatever the tools print, the document keeps to its schema and becomes machines', async () => {
  const outcome = (seed: string) => fc.tuple(mutated(fixture(seed)), fc.integer({min: 0, max: 255})).map(([text, code]) => ended(text, code))
  await fc.assert(
    fc.asyncProperty(
      outcome('nvidia-q-x-a100-80gb-mig.xml'),
      outcome('nvidia-query-gb10.csv'),
      outcome('nvidia-topo-3xa6000-partial.txt'),
      outcome('amd-smi-static-mi210.json'),
      mutated(fixture('proc-meminfo-gb10.txt')),
      async (xml, csv, topology, amd, meminfo) => {
        const exec = fakeExec({'nvidia-smi -q': xml, 'nvidia-smi --query': csv, 'nvidia-smi topo -m': topology, 'amd-smi static': amd})
        const document = await detectMachine(fakeMachine({exec, files: {'/proc/meminfo': meminfo}}))
        expect(MachineDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document)
        expect(new Set(document.gpus.map(({index}) => index)).size).toBe(document.gpus.length)
        expectSane(document)
        expectSane(toMachineGroups(document, fakeCatalogue))
      },
    ),
    {numRuns: 200},
  )
})

test('fields of a query may hold anything', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...NASTY), fc.integer().map(String), fc.double().map(String)), {
        minLength: NVIDIA_FIELDS.length,
        maxLength: NVIDIA_FIELDS.length,
      }),
      (cells) => expectSane(parseNvidiaCsv(['0', ...cells.slice(1)].join(', '))),
    ),
    {numRuns: 500},
  )
})

test('AMD figures of any size', () => {
  const amount = fc.option(
    fc.nat(2 ** 31).map((mebibytes) => mebibytes * 1024 ** 2 + 1),
    {nil: undefined},
  )
  fc.assert(
    fc.property(
      amount,
      amount,
      amount,
      amount,
      fc.constantFrom('gfx1151', 'gfx1036', 'gfx942', undefined),
      (vramBytes, vramUsedBytes, gttBytes, gttUsedBytes, gfxTarget) =>
        expectSane(
          amdGpus([{index: 0, names: [], gfxTarget, vramBytes, vramUsedBytes, gttBytes, gttUsedBytes}], {totalBytes: 64e9, availableBytes: 1e9}, undefined)
            .value,
        ),
    ),
  )
})

/** Digits kept, columns moved: other widths and more blanks, as other versions print. */
function rewidened(text: string, widths: number[]): string {
  let at = 0
  return text.replace(/ {2,}/g, (blanks) => ' '.repeat(Math.max(2, blanks.length + (widths[at++ % widths.length] ?? 0))))
}

describe('other column widths give the same answer', () => {
  const TABLES: [name: string, parse: (text: string) => unknown, seed: string][] = [
    ['nvidia-smi', parseNvidiaTable, 'nvidia-table-h100-mig.txt'],
    ['nvidia-smi, cut names', parseNvidiaTable, 'nvidia-table-rtx-4080-super-cut-name.txt'],
    ['hl-smi', parseGaudiTable, 'gaudi-table-hl-325l.txt'],
    ['npu-smi', parseAscendTable, 'ascend-910b3-gap.txt'],
    ['xpu-smi', parseXpuSmiText, 'xpu-smi-table-b580.txt'],
    ['rocm-smi', parseRocmSmi, 'rocm-smi-table-qpx.txt'],
    ['lscpu', parseLscpu, 'lscpu-xeon-6126t.txt'],
  ]
  test.each(TABLES)('%s', (_, parse, seed) => {
    const text = fixture(seed)
    const expected = parse(text)
    fc.assert(
      fc.property(fc.array(fc.integer({min: -6, max: 12}), {minLength: 1, maxLength: 9}), (widths) => {
        expect(parse(rewidened(text, widths))).toEqual(expected)
      }),
      {numRuns: 60},
    )
  })
})

/** Texts that end anywhere: every number that is read is one that stands in the whole text too, or none. */
describe('a text that was cut gives right fields or none', () => {
  const CUT: [name: string, parse: (text: string) => {memoryBytes?: number; vramBytes?: number}[], seed: string][] = [
    ['nvidia-smi', parseNvidiaTable, 'nvidia-table-gb200.txt'],
    ['nvidia-smi -q -x', parseNvidiaXml, 'nvidia-q-x-rtx-3060.xml'],
    ['hl-smi', parseGaudiTable, 'gaudi-table-hl-325l.txt'],
    ['npu-smi', parseAscendTable, 'ascend-910b3-gap.txt'],
    ['xpu-smi', parseXpuSmiText, 'xpu-smi-discovery-b580.txt'],
    ['rocminfo', parseRocminfo, 'rocminfo-mi250.txt'],
  ]
  test.each(CUT)('%s', (_, parse, seed) => {
    const text = fixture(seed)
    const right = new Set(parse(text).map(({memoryBytes, vramBytes}) => memoryBytes ?? vramBytes))
    for (let end = 0; end < text.length; end += 7)
      for (const {memoryBytes, vramBytes} of parse(text.slice(0, end))) expect([...right, undefined]).toContain(memoryBytes ?? vramBytes)
  })
})

test('a report of any text is read or refused, and never throws', () => {
  fc.assert(
    fc.property(mutated(fixture('machines/mig-h100.md')), (text) => {
      const recording = readReport(text)
      expect(recording === undefined || Array.isArray(recording.commands)).toBe(true)
    }),
    {numRuns: 150},
  )
})
