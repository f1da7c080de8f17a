import {joined, parentOf} from './paths.ts'
import type {DiskSpace, MachineProblem} from './machine-document.ts'
import {type DetectionEffects, within} from './probe.ts'

const DISK_LIMIT_MS = 400
const GiB = 1024 ** 3

/** Where Hugging Face libraries, and so all engines, put checkpoints: their documented order of precedence. */
export function checkpointDirectory(env: Record<string, string | undefined>, platform: string | undefined): string | undefined {
  const join = (first: string, ...others: string[]) => joined(platform, first, ...others)
  const home = homeOf(env)
  const expand = (path: string) => (home && /^~(?=$|[\\/])/.test(path) ? join(home, path.slice(1)) : path)
  const hub = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE
  if (hub) return expand(hub)
  if (env.HF_HOME) return join(expand(env.HF_HOME), 'hub')
  if (env.XDG_CACHE_HOME) return join(expand(env.XDG_CACHE_HOME), 'huggingface', 'hub')
  return home ? join(home, '.cache', 'huggingface', 'hub') : undefined
}

/** Room for checkpoints, and of shared memory, which tensor parallel workers use to talk. Directories yet to be made count as their parent. */
export async function runDisk({env, diskSpace, system}: DetectionEffects): Promise<DiskSpace[]> {
  const platform = system?.platform
  const checkpoints = checkpointDirectory(env, platform)
  const measure = async (path: string | undefined, use: DiskSpace['use'], climb: boolean): Promise<DiskSpace[]> => {
    if (!path || !diskSpace) return []
    const space = await within(DISK_LIMIT_MS, climb ? nearestSpace(path, platform, diskSpace) : diskSpace(path), undefined)
    return space && space.totalBytes > 0 ? [{path: withoutHome(path, env), use, totalBytes: space.totalBytes, freeBytes: space.freeBytes}] : []
  }
  const shared = platform === undefined || platform === 'linux' ? '/dev/shm' : undefined
  return (await Promise.all([measure(checkpoints, 'checkpoints', true), measure(shared, 'shared-memory', false)])).flat()
}

async function nearestSpace(path: string, platform: string | undefined, diskSpace: NonNullable<DetectionEffects['diskSpace']>) {
  for (let at = path, parent = parentOf(platform, at), depth = 0; depth < 64; at = parent, parent = parentOf(platform, at), depth++) {
    const space = await diskSpace(at)
    if (space) return space
    if (parent === at) return undefined
  }
  return undefined
}

function homeOf(env: Record<string, string | undefined>): string | undefined {
  return env.HOME || env.USERPROFILE || undefined
}

/** A home directory holds a person's name, which is nobody's business in a document that is passed around. */
function withoutHome(path: string, env: Record<string, string | undefined>): string {
  const home = homeOf(env)?.replace(/[\\/]+$/, '')
  return home && (path === home || path.startsWith(`${home}/`) || path.startsWith(`${home}\\`)) ? `~${path.slice(home.length)}` : path
}

/** Docker gives 64 MiB of shared memory unless told otherwise; NCCL between several GPUs then fails with a bus error. */
export function sharedMemoryProblem(disk: DiskSpace[], gpuCount: number, container: boolean): MachineProblem[] {
  const shared = disk.find(({use}) => use === 'shared-memory')
  if (!container || gpuCount < 2 || !shared || shared.totalBytes >= GiB) return []
  return [
    {
      code: 'shared-memory-small',
      message: `/dev/shm holds ${Math.round(shared.totalBytes / 1024 ** 2)} MiB, too little for workers on ${gpuCount} GPUs`,
      remedy: 'start the container with `--ipc=host` or `--shm-size=16g`',
    },
  ]
}
