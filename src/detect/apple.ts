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

/** The readable model name: `_name` can be an internal token. Graphics of other makers in older Macs are left out. */
export function parseSystemProfiler(text: string): AppleReading {
  const displays = parseLooseJson(text).flatMap((document) => arrayOf(objectOf(document).SPDisplaysDataType))
  for (const display of displays.map(objectOf)) {
    const model = [display.sppci_model, display._name].map((name) => known(textOf(name))).find((name) => name?.startsWith('Apple '))
    if (model) return {model: quotable(model, 60), gpuCoreCount: countOf(textOf(display.sppci_cores))}
  }
  return {}
}

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
  return {...fromSysctl, model: fromProfiler.model ?? fromSysctl.model, gpuCoreCount: fromProfiler.gpuCoreCount}
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
    problems.push({code: 'memory-unknown', message: `No tool told how much memory this ${model} has`, remedy: 'name the GPU with --gpu'})
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
