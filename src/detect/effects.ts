import {spawn} from 'node:child_process'
import {constants} from 'node:fs'
import {access, type FileHandle, open, readdir, statfs} from 'node:fs/promises'
import {arch, cpus, freemem, homedir, hostname, platform, totalmem, userInfo} from 'node:os'
import {type DetectionEffects, type ExecOutcome, type FindGpu, OUTPUT_LIMIT, PROBE_TIMEOUT_MS, type SlowFacts} from './probe.ts'

const FILE_LIMIT_BYTES = 4 * 1024 ** 2
/** Files of the kernel are short, and given in whole pages. */
const PIECE_BYTES = 64 * 2 ** 10

/** The world as it is. `findGpu` is handed in, since detection does not know the catalogue. */
export function realEffects(findGpu?: FindGpu): DetectionEffects {
  return {
    exec: runProgram,
    readFile: readText,
    env: process.env,
    findGpu,
    listDirectory: (path) => readdir(path).catch(() => undefined),
    exists: (path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    diskSpace,
    system: {
      platform: platform(),
      architecture: arch(),
      hostname: hostname(),
      totalMemoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      cpuModel: cpus()[0]?.model,
      logicalCpuCount: cpus().length,
    },
    slow: slowFacts,
  }
}

/** Names that a report must not hold. */
export function knownNames(): {hostname: string; userNames: string[]; homes: string[]} {
  const {USER, LOGNAME, USERNAME, SUDO_USER, HOME, USERPROFILE} = process.env
  const own = (() => {
    try {
      return userInfo().username
    } catch {
      // A user without an entry, as in many containers.
      return undefined
    }
  })()
  const distinct = (values: (string | undefined)[]) => [...new Set(values.filter((value) => value !== undefined && value !== ''))] as string[]
  return {hostname: hostname(), userNames: distinct([own, USER, LOGNAME, USERNAME, SUDO_USER]), homes: distinct([HOME, USERPROFILE, homedir()])}
}

/**
 * Runs a program with its output captured. Ends by the time limit in any case: the whole process group is killed then, and
 * a child that cannot be killed (stuck in a driver call) is left behind rather than waited for.
 */
export function runProgram(command: string, args: string[], {timeoutMs = PROBE_TIMEOUT_MS}: {timeoutMs?: number} = {}): Promise<ExecOutcome> {
  return new Promise((resolve) => {
    const ownGroup = platform() !== 'win32'
    let child: ReturnType<typeof spawn>
    try {
      child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: ownGroup,
        windowsHide: true,
        env: {...process.env, LC_ALL: 'C', LANG: 'C'},
      })
    } catch (error) {
      return resolve({kind: 'failed', message: String(error)})
    }
    const output = {stdout: [] as Buffer[], stderr: [] as Buffer[]}
    let bytes = 0
    let truncated = false
    let ended: {exitCode: number | null} | undefined
    const text = (from: 'stdout' | 'stderr') => Buffer.concat(output[from]).toString('utf8')
    const kill = () => killGroup(child, ownGroup)
    const finish = (outcome: ExecOutcome) => {
      clearTimeout(timer)
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.unref()
      resolve(outcome)
    }
    const timer = setTimeout(() => {
      kill()
      // The program may have ended while something that it started holds the pipe: then its answer stands.
      const said = {stdout: text('stdout'), stderr: text('stderr')}
      finish(ended ? {kind: 'ended', ...ended, ...said} : {kind: 'timeout', ...said})
    }, timeoutMs)
    for (const from of ['stdout', 'stderr'] as const) {
      child[from]?.on('data', (chunk: Buffer) => {
        const room = OUTPUT_LIMIT - bytes
        if (chunk.length > room) truncated = true
        if (room > 0) output[from].push(chunk.subarray(0, room))
        bytes += Math.min(chunk.length, Math.max(0, room))
        if (truncated) {
          kill()
          finish({kind: 'ended', exitCode: null, stdout: text('stdout'), stderr: text('stderr'), truncated})
        }
      })
      child[from]?.on('error', () => {})
    }
    child.on('error', (error: NodeJS.ErrnoException) => finish(startFailure(error)))
    child.on('exit', (exitCode) => {
      ended = {exitCode}
    })
    child.on('close', (exitCode) => finish({kind: 'ended', exitCode, stdout: text('stdout'), stderr: text('stderr')}))
  })
}

function startFailure(error: NodeJS.ErrnoException): ExecOutcome {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return {kind: 'missing'}
  if (error.code === 'EACCES' || error.code === 'EPERM') return {kind: 'no-permission'}
  return {kind: 'failed', message: error.code ?? 'unknown error'}
}

function killGroup(child: ReturnType<typeof spawn>, ownGroup: boolean): void {
  if (child.pid === undefined) return
  try {
    if (ownGroup) process.kill(-child.pid, 'SIGKILL')
    else spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], {stdio: 'ignore', windowsHide: true}).on('error', () => child.kill())
  } catch {
    child.kill('SIGKILL')
  }
}

/** The front of a file of the kernel or of the system's settings, which says nothing of its size. */
async function readText(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    if (!(await file.stat()).isFile()) return undefined
    const pieces: Buffer[] = []
    for (let size = 0; size < FILE_LIMIT_BYTES; ) {
      const {bytesRead, buffer} = await file.read(Buffer.alloc(PIECE_BYTES))
      if (bytesRead === 0) break
      pieces.push(buffer.subarray(0, bytesRead))
      size += bytesRead
    }
    return Buffer.concat(pieces).toString('utf8').slice(0, FILE_LIMIT_BYTES)
  } catch {
    return undefined
  } finally {
    await file?.close()
  }
}

async function diskSpace(path: string): Promise<{totalBytes: number; freeBytes: number} | undefined> {
  try {
    const {bsize, blocks, bavail} = await statfs(path)
    return {totalBytes: blocks * bsize, freeBytes: bavail * bsize}
  } catch {
    return undefined
  }
}

/** systeminformation, loaded only when asked: it starts several programs and takes a good part of a second. */
const slowFacts: SlowFacts = {
  async cpu() {
    const {cpu} = await import('systeminformation')
    const {manufacturer, brand, physicalCores, processors} = await cpu()
    return {
      name: [manufacturer, brand].filter(Boolean).join(' ') || undefined,
      vendor: manufacturer || undefined,
      physicalCount: positive(physicalCores),
      socketCount: positive(processors),
    }
  },
  async memory() {
    const {mem} = await import('systeminformation')
    const {total, available} = await mem()
    return {totalBytes: positive(total), availableBytes: positive(available)}
  },
}

function positive(value: number): number | undefined {
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}
