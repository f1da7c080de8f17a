import {arrayOf, objectOf, parseLooseJson, textOf} from './loose-json.ts'
import type {DetectedGpu, MachineProblem} from './machine-document.ts'
import {type DetectionEffects, type Exec, type ExecOutcome, type FindGpu, firstFound, printedBy, type Reading} from './probe.ts'
import {countOf, known, quotable, totalBytesOf} from './quantity.ts'

export interface AppleReading {
  /** `Apple M2 Max` */
  model?: string
  /** Cores of the GPU: chips of one name come with more and with fewer, and different bandwidth. */
  gpuCoreCount?: number
  memoryBytes?: number
  /** What the GPU may hold at most, where a person has set it. */
  wiredLimitBytes?: number
}

export function runSystemProfiler(exec: Exec): Promise<ExecOutcome> {
  return exec('system_profiler', ['SPDisplaysDataType', '-json'])
}

export function runSysctl(exec: Exec): Promise<ExecOutcome> {
  return exec('sysctl', ['hw.memsize', 'machdep.cpu.brand_string', 'iogpu.wired_limit_mb'])
}

/**
 * The readable model name: `_name` can be an internal token. Graphics of other makers in older Macs are left out. Detection asks for the
 * displays alone; a person may add hardware and memory, or leave `-json` away.
 */
export function parseSystemProfiler(text: string): AppleReading {
  const documents = parseLooseJson(text).map(objectOf)
  if (documents.length === 0) return parseSystemProfilerText(text)
  const entries = (name: string) => documents.flatMap((document) => arrayOf(document[name])).map(objectOf)
  const reading: AppleReading = {}
  for (const display of entries('SPDisplaysDataType')) {
    const model = [display.sppci_model, display._name].map((name) => known(textOf(name))).find((name) => name?.startsWith('Apple '))
    if (!model) continue
    Object.assign(reading, {model: quotable(model, 60), gpuCoreCount: countOf(textOf(display.sppci_cores))})
    break
  }
  const chip = entries('SPHardwareDataType').map(({chip_type}) => known(textOf(chip_type)))[0]
  if (reading.model === undefined && chip?.startsWith('Apple ')) reading.model = quotable(chip, 60)
  const size = [...entries('SPHardwareDataType').map(({physical_memory}) => physical_memory), ...entries('SPMemoryDataType').map((own) => own.SPMemoryDataType)]
  const memoryBytes = size.map((own) => appleMemory(textOf(own))).find((bytes) => bytes !== undefined)
  return memoryBytes === undefined ? reading : {...reading, memoryBytes}
}

/** `Chipset Model: Apple M2 Max`, `Total Number of Cores: 38`, and of the hardware overview `Chip:` and `Memory: 64 GB`. */
function parseSystemProfilerText(text: string): AppleReading {
  const field = (name: string) => known(new RegExp(`^\\s*${name}: (.+)$`, 'm').exec(text)?.[1])
  const model = [field('Chipset Model'), field('Chip')].find((name) => name?.startsWith('Apple '))
  // The hardware overview counts the processor's cores under the same words, with how many are of which kind behind them.
  const cores = /^\s*Total Number of Cores: (\d{1,3})\s*$/m.exec(text.slice(Math.max(0, text.search(/Chipset Model:/))))?.[1]
  const memoryBytes = appleMemory(field('Memory'))
  return {
    ...(model ? {model: quotable(model, 60)} : {}),
    ...(text.includes('Chipset Model:') && cores ? {gpuCoreCount: countOf(cores)} : {}),
    ...(memoryBytes === undefined ? {} : {memoryBytes}),
  }
}

/** macOS writes GB for 1,073,741,824 bytes. */
const appleMemory = (text: string | undefined): number | undefined => totalBytesOf(text?.replace(/ ([MGT])B$/, ' $1iB'))

/** Lines of `name: value`. A limit of 0 is the system's own, whose share of memory is not documented. */
export function parseSysctl(text: string): AppleReading {
  const field = (name: string) => new RegExp(`^${name.replaceAll('.', '\\.')}: (.+)$`, 'm').exec(text)?.[1]?.trim()
  const brand = known(field('machdep.cpu.brand_string'))
  return {
    model: brand?.startsWith('Apple ') ? quotable(brand, 60) : undefined,
    memoryBytes: totalBytesOf(field('hw.memsize')),
    wiredLimitBytes: totalBytesOf(field('iogpu.wired_limit_mb'), 'MiB'),
  }
}

export async function detectApple({exec}: DetectionEffects): Promise<AppleReading> {
  const [profiler, sysctl] = await Promise.all([runSystemProfiler(exec), runSysctl(exec)])
  const fromProfiler = parseSystemProfiler(printedBy(profiler))
  const fromSysctl = parseSysctl(printedBy(sysctl))
  return {
    ...fromSysctl,
    model: fromProfiler.model ?? fromSysctl.model,
    gpuCoreCount: fromProfiler.gpuCoreCount,
    memoryBytes: fromSysctl.memoryBytes ?? fromProfiler.memoryBytes,
  }
}

/** The one GPU of an Apple chip; none on a Mac with an Intel processor. */
export function appleGpus(
  {model, gpuCoreCount, memoryBytes: read, wiredLimitBytes}: AppleReading,
  host: {totalBytes?: number; availableBytes?: number},
  findGpu: FindGpu | undefined,
): Reading<DetectedGpu[]> {
  if (!model) return {value: [], problems: []}
  const problems: MachineProblem[] = []
  const memoryBytes = read ?? host.totalBytes
  const names = gpuCoreCount === undefined ? [model] : [`${model} (${gpuCoreCount}-core GPU)`, model]
  const catalogued = firstFound(findGpu, names, memoryBytes, undefined, gpuCoreCount)
  if (memoryBytes === undefined)
    problems.push({code: 'memory-unknown', message: `No tool reported how much memory this ${model} has`, remedy: 'name the GPU with --gpu'})
  if (findGpu && !catalogued)
    problems.push({
      code: 'gpu-unknown',
      message: `${names[0]} is not in the catalogue, so its speed cannot be predicted`,
      remedy: 'name the closest chip with --gpu (see `servefit gpus`), or add a data file for it',
    })
  const limits = [host.availableBytes, wiredLimitBytes, memoryBytes].filter((bytes) => bytes !== undefined)
  const gpu: DetectedGpu = {
    index: 0,
    id: catalogued?.id,
    name: model,
    vendor: 'apple',
    memoryBytes,
    freeBytes: host.availableBytes === undefined ? undefined : Math.min(...limits),
    memoryBandwidthBytesPerSecond: catalogued?.memoryBandwidthBytesPerSecond,
    architecture: catalogued?.architecture,
    gpuCoreCount,
    unifiedMemory: true,
  }
  return {value: [gpu], problems}
}
