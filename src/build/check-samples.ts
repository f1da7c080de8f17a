import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {AmdDevice} from '../detect/amd-device.ts'
import {parseAmdMemory, parseAmdStatic, parseAmdTopology} from '../detect/amd-smi.ts'
import {parseSysctl, parseSystemProfiler} from '../detect/apple.ts'
import {parseAscendTable, parseAscendTopology} from '../detect/ascend.ts'
import {parseDmidecode} from '../detect/dmidecode.ts'
import {parseGaudiQuery, parseGaudiTable} from '../detect/gaudi.ts'
import {parseCpuinfo, parseMeminfo} from '../detect/host.ts'
import {parseXpuSmi} from '../detect/intel.ts'
import {parseXpuSmiText, parseXpuTopology} from '../detect/intel-text.ts'
import type {GpuPair} from '../detect/machine-document.ts'
import {parseLscpu} from '../detect/numa.ts'
import {parseNvidiaCsv} from '../detect/nvidia-csv.ts'
import type {NvidiaDevice} from '../detect/nvidia-device.ts'
import {parseNvidiaFailure} from '../detect/nvidia-failures.ts'
import {parseNvidiaList} from '../detect/nvidia-mig.ts'
import {parseNvlink} from '../detect/nvidia-nvlink.ts'
import {parseNvidiaTable} from '../detect/nvidia-table.ts'
import {nvidiaPairs, parseNvidiaPeerAccess, parseNvidiaTopology} from '../detect/nvidia-topology.ts'
import {parseNvidiaXml} from '../detect/nvidia-xml.ts'
import type {PlainDevice} from '../detect/plain-gpus.ts'
import {parseRocmConcise} from '../detect/amd-text.ts'
import {parseRocmSmi, parseRocmTopology} from '../detect/rocm-smi.ts'
import {parseRocminfo} from '../detect/rocminfo.ts'
import {readMachineFile} from '../cli/machine-file.ts'
import {gpuFinder} from '../catalogue/gpu-finder.ts'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {InputError} from '../core/input-error.ts'
import {SAMPLE_EXPECTATIONS} from './sample-expectations.ts'
import {SAMPLE_MACHINES} from './sample-machines.ts'
import type {Task} from './task.ts'
import {withCatalogue} from './with-catalogue.ts'

const MiB = 2 ** 20
const words = (...parts: (string | number | false | undefined)[]) => parts.filter((part) => part !== false && part !== undefined && part !== '').join(' ')
const mebibytes = (bytes: number | undefined) => (bytes === undefined ? '?' : Math.round(bytes / MiB))

const nvidia = (devices: NvidiaDevice[], more: (device: NvidiaDevice) => string): string[] =>
  devices.flatMap((device) => [
    words(
      device.index,
      device.name ?? '?',
      mebibytes(device.memoryBytes),
      mebibytes(device.freeBytes),
      'driver',
      device.driver ?? '?',
      more(device),
      device.migEnabled && 'mig',
      device.processes && `held by ${device.processes.map(({name}) => name).join(', ')}`,
    ),
    ...device.slices.map((slice) => words('slice', slice.device, mebibytes(slice.memoryBytes), mebibytes(slice.freeBytes))),
  ])

const amd = (devices: AmdDevice[]): string[] =>
  devices.map(({index, names, gfxTarget, vramBytes, vramUsedBytes, pciDeviceId, pciAddress, partition}) =>
    words(
      index,
      names.join(', ') || '?',
      gfxTarget ?? '?',
      mebibytes(vramBytes),
      vramUsedBytes === undefined ? '?' : `u${mebibytes(vramUsedBytes)}`,
      pciDeviceId ?? '?',
      partition && `${partition.compute} ${partition.id}`,
      pciAddress && `at ${pciAddress}`,
    ),
  )

const plain = (devices: PlainDevice[]): string[] =>
  devices.map(({index, name, memoryBytes, freeBytes, driver}) =>
    words(index, name ?? '?', mebibytes(memoryBytes), mebibytes(freeBytes), 'driver', driver ?? '?'),
  )

const pairs = (list: GpuPair[]): string[] => list.map(({gpus, kind, path}) => words(gpus.join('-'), kind, path))

const place = {container: false, wsl: false}

/** Readers by the names that the expectations use; each turns a text into lines that a person can compare with it. */
const READERS: Record<string, (text: string) => string[]> = {
  'nvidia table': (text) => nvidia(parseNvidiaTable(text), ({cudaVersion}) => `cuda ${cudaVersion ?? '?'}`),
  'nvidia xml': (text) => nvidia(parseNvidiaXml(text), ({cudaVersion}) => `cuda ${cudaVersion ?? '?'}`),
  'nvidia query': (text) => nvidia(parseNvidiaCsv(text), ({computeCapability}) => `cc ${computeCapability ?? '?'}`),
  'nvidia short rows': (text) => nvidia(parseNvidiaCsv(text, ['index', 'name', 'memory.total', 'driver_version']), () => ''),
  'nvidia list': (text) => parseNvidiaList(text).map(({parentIndex, device, profile}) => `${parentIndex}.${device} ${profile}`),
  'nvidia topology': (text) => pairs(nvidiaPairs(parseNvidiaTopology(text), [])),
  'nvidia peers': (text) => parseNvidiaPeerAccess(text).map(({gpus, peerAccess}) => words(gpus.join('-'), peerAccess ? 'yes' : 'no')),
  'nvidia links': (text) =>
    parseNvlink(text).map(({index, activeLinkCount, linkBytesPerSecond}) =>
      words(index, activeLinkCount, 'links', linkBytesPerSecond === undefined ? '?' : linkBytesPerSecond / 1e9),
    ),
  'nvidia failure': (text) => parseNvidiaFailure(text, place).map(({code}) => code),
  'amd-smi': (text) => amd(parseAmdStatic(text)),
  'amd-smi memory': (text) => [...parseAmdMemory(text).keys()].map(String),
  'amd-smi topology': (text) => pairs(parseAmdTopology(text)),
  'rocm-smi': (text) => amd(parseRocmSmi(text)),
  'rocm-smi table': (text) => amd(parseRocmConcise(text)),
  'rocm-smi topology': (text) => pairs(parseRocmTopology(text)),
  rocminfo: (text) => amd(parseRocminfo(text)),
  system_profiler: (text) => {
    const {model, gpuCoreCount} = parseSystemProfiler(text)
    return model ? [`${model}, ${gpuCoreCount ?? '?'} cores`] : []
  },
  sysctl: (text) => [words(mebibytes(parseSysctl(text).memoryBytes))],
  'xpu-smi': (text) =>
    [...parseXpuSmi(text), ...parseXpuSmiText(text)].map(({index, name, memoryBytes, freeBytes, pciDeviceId}) =>
      words(index, name ?? '?', mebibytes(memoryBytes), mebibytes(freeBytes), pciDeviceId ?? '?'),
    ),
  'xpu-smi topology': (text) => pairs(parseXpuTopology(text)),
  'gaudi table': (text) => plain(parseGaudiTable(text)),
  'gaudi query': (text) => plain(parseGaudiQuery(text)),
  ascend: (text) => plain(parseAscendTable(text)),
  'ascend topology': (text) => pairs(parseAscendTopology(text)),
  dmidecode: (text) => {
    const found = parseDmidecode(text)
    return found
      ? [
          `${found.count} ${found.type ?? '?'} ${found.megatransfersPerSecond ?? '?'} of ${found.ratedMegatransfersPerSecond ?? '?'} MT/s, ${found.channelCount ?? '?'} channels, ${found.bandwidthBytesPerSecond === undefined ? '?' : found.bandwidthBytesPerSecond / 1e9} GB/s`,
        ]
      : []
  },
  meminfo: (text) => {
    const {totalBytes, availableBytes} = parseMeminfo(text)
    return totalBytes === undefined ? [] : [`${mebibytes(totalBytes)} ${mebibytes(availableBytes)}`]
  },
  lscpu: (text) => {
    const {name, logicalCount, physicalCount, socketCount, numaNodeCount} = parseLscpu(text)
    return [`${name ?? '?'}, ${logicalCount ?? '?'} threads, ${physicalCount ?? '?'} cores, ${socketCount ?? '?'} sockets, ${numaNodeCount ?? '?'} nodes`]
  },
  cpuinfo: (text) => [JSON.stringify(parseCpuinfo(text))],
}

/**
 * Runs every reader over every captured output of a folder: none may throw, and each file has to be read as a person reads it; those
 * that hold a whole machine are taken by `--machine`.
 * The folder is not part of the repository; a file without an expectation is a failure, so that new captures are looked at.
 */
export async function main({root, args: [folder]}: Task): Promise<number> {
  if (folder === undefined) {
    console.error('usage: node src/build/run.mjs check-samples DIR')
    return 2
  }
  const names = (await readdir(folder)).filter((name) => name !== 'SOURCES.md').sort()
  const failures: string[] = []
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8')
    for (const [reader, read] of Object.entries(READERS)) {
      try {
        read(text)
      } catch (error) {
        failures.push(`${name}: the reader "${reader}" threw ${(error as Error).message}`)
      }
    }
    const expected = SAMPLE_EXPECTATIONS[name]
    if (!expected) failures.push(`${name}: nothing is written down of what it says (src/build/sample-expectations.ts)`)
    else failures.push(...differences(name, expected.says, READERS[expected.read]?.(text) ?? []))
  }
  for (const name of Object.keys(SAMPLE_EXPECTATIONS)) if (!names.includes(name)) failures.push(`${name}: not in ${folder}`)
  const compiled = await withCatalogue(root, async (catalogue) => {
    for (const name of names) failures.push(...(await machineDifference(catalogue, folder, name)))
    return 0
  })
  for (const failure of failures) console.error(failure)
  console.log(`${names.length} captured outputs, ${failures.length} read wrongly; ${Object.keys(SAMPLE_MACHINES).length} of them are whole machines`)
  return failures.length > 0 ? 1 : compiled
}

/** What `--machine FILE` makes of an output: the machine that it holds, or one message where it holds none. */
async function machineDifference(catalogue: Catalogue, folder: string, name: string): Promise<string[]> {
  const expected = SAMPLE_MACHINES[name]
  try {
    const {gpus, link} = await readMachineFile(catalogue, join(folder, name), gpuFinder(catalogue))
    const free = [...new Set(gpus.map(({freeBytes}) => (freeBytes === undefined ? '?' : mebibytes(freeBytes))))].join('/')
    const [first] = gpus
    const read = `${gpus.length} x ${expected?.includes(' x * ') ? '*' : first?.accelerator.id} ${mebibytes(first?.memoryBytes)} free ${free} ${link.kind}`
    if (expected === undefined) return [`${name}: --machine reads "${read}", and nothing is written down of it (src/build/sample-machines.ts)`]
    return read === expected ? [] : [`${name}: --machine reads "${read}", which is "${expected}"`]
  } catch (error) {
    if (!(error instanceof InputError)) return [`${name}: --machine threw ${(error as Error).message}`]
    return expected === undefined ? [] : [`${name}: --machine refuses it (${error.message.slice(0, 100)}), and it holds "${expected}"`]
  }
}

function differences(name: string, expected: string[], read: string[]): string[] {
  const missing = expected.filter((line) => !read.includes(line)).map((line) => `${name}: says "${line}", which was not read`)
  const extra = read.filter((line) => !expected.includes(line)).map((line) => `${name}: "${line}" was read, which it does not say`)
  return missing.length + extra.length === 0 && expected.length !== read.length
    ? [`${name}: ${expected.length} lines expected, ${read.length} read`]
    : [...missing, ...extra]
}
