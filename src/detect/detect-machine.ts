import {containerProblem, runContainers} from './containers.ts'
import {cudaProblem} from './cuda-drivers.ts'
import {runDisk, sharedMemoryProblem} from './disk.ts'
import {hostMemoryProblem, runCpu, runHostMemory} from './host.ts'
import {interconnectOf} from './interconnect.ts'
import type {DetectedGpu, GpuPair, MachineDocument, MachineProblem} from './machine-document.ts'
import {type MemoryModules, memorySpeedProblem, runMemoryModules} from './memory-modules.ts'
import {runPciScan} from './pci.ts'
import {type DetectionEffects, type FindGpu, guarded, PROBE_TIMEOUT_MS, within} from './probe.ts'
import {readSurroundings} from './surroundings.ts'
import {type VendorAnswer, VENDOR_PROBES} from './vendors.ts'

/**
 * Looks at this machine: GPUs, their links, host memory, processor, room on disk. Never throws: what went wrong is in
 * `problems`, and what was read is kept. Takes little more than the time limit of one tool, since all run at once.
 */
export const detectMachine = async (given: DetectionEffects): Promise<MachineDocument> => (await detectWithIdentities(given)).document

/** The same, with what the driver calls each GPU by its index, which the document keeps to itself. */
export async function detectWithIdentities(given: DetectionEffects): Promise<{document: MachineDocument; identities: Map<number, string>}> {
  const effects = harmless(given)
  const [surroundings, pci, memory, cpu, disk, modules, containers] = [
    readSurroundings(effects),
    runPciScan(effects),
    runHostMemory(effects),
    runCpu(effects),
    runDisk(effects),
    runMemoryModules(effects),
    runContainers(effects),
  ]
  const answers = await Promise.all(VENDOR_PROBES.map((probe) => probe(effects, surroundings, pci, memory)))
  const {gpus, pairs, identities} = renumbered(answers)
  const place = await surroundings
  const {interconnect, problems: linkProblems} = interconnectOf(gpus, pairs)
  const problems = [
    ...answers.flatMap((answer) => answer.problems),
    ...linkProblems,
    ...hostMemoryProblem(await memory),
    ...sharedMemoryProblem(await disk, gpus.length, place.container),
    ...memorySpeedProblem(await modules),
    ...containerProblem(
      await containers,
      gpus.some(({vendor}) => vendor === 'nvidia'),
      place,
    ),
    ...cudaProblem(gpus),
  ]
  if (gpus.length === 0 && problems.every(({code}) => code === 'host-memory-unknown' || code === 'memory-below-rating')) problems.unshift(noGpu())
  if (place.wsl) problems.push(wslHint())
  const {totalBytes, availableBytes} = (await memory).limited
  const document = withoutAbsent<MachineDocument>({
    schemaVersion: 1,
    hostname: effects.system?.hostname,
    gpus,
    interconnect,
    cpu: await cpu,
    memoryBytes: totalBytes,
    availableMemoryBytes: availableBytes,
    memoryBandwidthBytesPerSecond: (await modules)?.bandwidthBytesPerSecond,
    memoryModules: moduleFacts(await modules),
    containers: (await containers).engines.length > 0 ? await containers : undefined,
    disk: await disk,
    problems: distinct(problems),
  })
  return {document, identities}
}

/** Facts of the modules, without the bandwidth, which stands beside the size of memory. */
function moduleFacts(modules: MemoryModules | undefined): MachineDocument['memoryModules'] {
  if (!modules) return undefined
  const {bandwidthBytesPerSecond: _bandwidth, ...facts} = modules
  return facts
}

/** Vendors count from zero each; the document's numbers are unique. The first vendor keeps its own. */
function renumbered(answers: VendorAnswer[]): {gpus: DetectedGpu[]; pairs: GpuPair[]; identities: Map<number, string>} {
  const gpus: DetectedGpu[] = []
  const identities = new Map<number, string>()
  const pairs: GpuPair[] = []
  for (const answer of answers) {
    const offset = Math.max(-1, ...gpus.map(({index}) => index)) + 1
    gpus.push(...answer.gpus.map((gpu) => ({...gpu, index: gpu.index + offset})))
    for (const [index, identity] of answer.identities ?? []) identities.set(index + offset, identity)
    pairs.push(...answer.pairs.map((pair): GpuPair => ({...pair, gpus: [pair.gpus[0] + offset, pair.gpus[1] + offset]})))
  }
  return {gpus, pairs, identities}
}

/** Effects that can neither throw nor hang, whatever was handed in: even a file can hang, where a driver answers for it. */
function harmless(effects: DetectionEffects): DetectionEffects {
  const {readFile, listDirectory, exists, diskSpace, findGpu} = effects
  const timeoutMs = effects.timeoutMs ?? PROBE_TIMEOUT_MS
  const quiet =
    <A extends unknown[], R>(work: ((...args: A) => Promise<R>) | undefined) =>
    (...args: A): Promise<R | undefined> =>
      within(timeoutMs, (async () => work?.(...args))(), undefined)
  return {
    ...effects,
    timeoutMs,
    exec: guarded(effects.exec, timeoutMs),
    readFile: quiet(readFile),
    listDirectory: quiet(listDirectory),
    exists: async (path) => (await quiet(exists)(path)) ?? false,
    diskSpace: quiet(diskSpace),
    findGpu: findGpu && ((...report) => foundBy(findGpu, report)),
  }
}

/** A catalogue that throws, as for a name that several cards share, knows no card. */
function foundBy(findGpu: FindGpu, report: Parameters<FindGpu>): ReturnType<FindGpu> {
  try {
    return findGpu(...report)
  } catch {
    return undefined
  }
}

function noGpu(): MachineProblem {
  return {
    code: 'no-devices',
    message: 'No GPU was found on this machine',
    remedy: 'name the GPUs to plan for with --gpu, such as `--gpu 2xrtx-4090`',
  }
}

function wslHint(): MachineProblem {
  return {
    code: 'wsl',
    message: 'This is WSL: by default Windows gives it half of the host memory, and GPU memory that Windows itself holds is counted but not listed',
    remedy: 'raise `memory=` in .wslconfig if models load slowly, and leave a GiB or two of GPU memory to Windows',
  }
}

function distinct(problems: MachineProblem[]): MachineProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.code}\n${problem.message}`, problem])).values()]
}

/** Without the fields whose value is undefined, so that a document in memory equals the one that is printed. */
function withoutAbsent<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutAbsent) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, withoutAbsent(field)]),
  ) as T
}
