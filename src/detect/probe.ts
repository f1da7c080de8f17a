import type {Accelerator} from '../core/accelerator.ts'
import type {MachineProblem} from './machine-document.ts'

/** What became of a child process. Nothing here is an exception: every outcome is an answer about the machine. */
export type ExecOutcome =
  | {kind: 'ended'; exitCode: number | null; stdout: string; stderr: string; truncated?: boolean}
  | {kind: 'timeout'; stdout: string; stderr: string}
  | {kind: 'missing'}
  | {kind: 'no-permission'}
  | {kind: 'failed'; message: string}

export type Exec = (command: string, args: string[], options?: {timeoutMs?: number}) => Promise<ExecOutcome>

/**
 * Looks a GPU up by the name its driver prints (or its id in the catalogue), its total memory in bytes, its PCI id as vendor and
 * device (`10de:2330`), and, for Apple, the cores of its GPU. Nothing where no card or more than one fits.
 */
export type FindGpu = (name: string, memoryBytes?: number, pciId?: string, gpuCoreCount?: number) => Accelerator | undefined

/** The first card that goes by one of these names; by what else is known alone where there is no name. */
export function firstFound(
  findGpu: FindGpu | undefined,
  names: string[],
  memoryBytes?: number,
  pciId?: string,
  gpuCoreCount?: number,
): Accelerator | undefined {
  for (const name of names.length > 0 ? names : ['']) {
    const found = findGpu?.(name, memoryBytes, pciId, gpuCoreCount)
    if (found) return found
  }
  return undefined
}

/** What Node knows of the machine without starting anything. */
export interface SystemFacts {
  platform: string
  architecture?: string
  hostname?: string
  totalMemoryBytes?: number
  /** Free pages: less than what a program could get, where the system keeps a page cache. */
  freeMemoryBytes?: number
  cpuModel?: string
  logicalCpuCount?: number
}

/** Slow answers of a library, asked only where the cheap reads fell short. */
export interface SlowFacts {
  cpu(): Promise<{name?: string; vendor?: string; physicalCount?: number; socketCount?: number} | undefined>
  memory(): Promise<{totalBytes?: number; availableBytes?: number} | undefined>
}

/** Everything that detection touches. What is absent is treated as not there. */
export interface DetectionEffects {
  exec: Exec
  /** Text of a file, or nothing where it cannot be read. */
  readFile(path: string): Promise<string | undefined>
  env: Record<string, string | undefined>
  findGpu?: FindGpu
  /** Names in a directory; nothing where it cannot be listed. */
  listDirectory?(path: string): Promise<string[] | undefined>
  exists?(path: string): Promise<boolean>
  /** Size of the file system that holds the path; nothing where the path does not exist. */
  diskSpace?(path: string): Promise<{totalBytes: number; freeBytes: number} | undefined>
  system?: SystemFacts
  slow?: SlowFacts
  /** Longest time for one tool. */
  timeoutMs?: number
}

/** Time limit for one tool, in milliseconds. A driver with a lost card can hang for ever. */
export const PROBE_TIMEOUT_MS = 1000

/** What came of a probe: the reading, whole or in part, and what was wrong. */
export interface Reading<T> {
  value: T
  problems: MachineProblem[]
}

/** The value, or `fallback` where the promise fails or takes too long. Leaves no timer behind. */
export async function within<T>(limitMs: number, work: Promise<T>, fallback: T): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(fallback), limitMs)
  })
  try {
    return await Promise.race([work.catch(() => fallback), late])
  } finally {
    clearTimeout(timer)
  }
}

/** More than any tool prints: eight GPUs with all their clocks are below 1 MiB. In characters or bytes, whichever is counted. */
export const OUTPUT_LIMIT = 4 * 1024 ** 2

/** An `exec` that can neither throw, nor outlast its limit, nor flood its reader, whatever the one inside does. */
export function guarded(exec: Exec, defaultTimeoutMs: number): Exec {
  return async (command, args, options) => {
    const timeoutMs = options?.timeoutMs ?? defaultTimeoutMs
    const run = async () => exec(command, args, {timeoutMs})
    // The inner limit should strike first, since it alone can kill the child and keep what it has said so far.
    const limitMs = timeoutMs + 150
    const outcome = await within<ExecOutcome>(
      limitMs,
      run().catch((error: unknown) => ({kind: 'failed', message: String(error)})),
      {kind: 'timeout', stdout: '', stderr: ''},
    )
    return outcome.kind === 'ended' || outcome.kind === 'timeout'
      ? {...outcome, stdout: outcome.stdout.slice(0, OUTPUT_LIMIT), stderr: outcome.stderr.slice(0, OUTPUT_LIMIT)}
      : outcome
  }
}

/** Failures are told in a few lines; what is longer is data. */
const FAILURE_LIMIT = 16 * 1024

/** The beginning of standard output and error together, since tools disagree about where a failure belongs. */
export function saidBy(outcome: ExecOutcome): string {
  return outcome.kind === 'ended' || outcome.kind === 'timeout' ? `${outcome.stdout.slice(0, FAILURE_LIMIT)}\n${outcome.stderr.slice(0, FAILURE_LIMIT)}` : ''
}

/** Standard output; empty where the tool did not run. */
export function printedBy(outcome: ExecOutcome): string {
  return outcome.kind === 'ended' || outcome.kind === 'timeout' ? outcome.stdout : ''
}
