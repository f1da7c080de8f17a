import {randomBytes} from 'node:crypto'
import {link, mkdir, readFile, rename, rm, stat, writeFile} from 'node:fs/promises'
import {hostname} from 'node:os'
import {dirname} from 'node:path'
import {InputError} from '../core/input-error.ts'

/** A lock of another machine, or of a process that cannot be looked up, was left behind when it is older than this; writing takes a hundredth of it. */
const STALE_MILLISECONDS = 30_000
const STEP_MILLISECONDS = 15
/** Longest that others are waited for; hundreds of processes that save one after another take less. */
const LONGEST_WAIT_MILLISECONDS = 120_000

/** Who holds a lock: a process on a machine, and which of its turns. */
interface Holder {
  pid: number
  host: string
  turn: string
}

/**
 * Runs alone among processes that write the same file: what two of them learn at once is kept. The lock is a file beside it that names its holder; one
 * whose holder is dead is taken away. `stillAlone` is to be asked right before the file is put in its place: it throws where the lock was lost.
 *
 * @throws InputError FILE_UNWRITABLE.
 */
export async function alone<T>(path: string, run: (stillAlone: () => Promise<void>) => Promise<T>): Promise<T> {
  const lock = `${path}.lock`
  const own: Holder = {pid: process.pid, host: hostname(), turn: randomBytes(8).toString('hex')}
  await mkdir(dirname(path), {recursive: true}).catch(() => undefined)
  const unwritable = (why: string) => new InputError('FILE_UNWRITABLE', `${path} cannot be written (${why})`)
  const until = Date.now() + LONGEST_WAIT_MILLISECONDS
  for (;;) {
    try {
      await taken(lock, own)
      break
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException
      if (code !== 'EEXIST' && code !== 'EISDIR') throw unwritable(code ?? 'error')
    }
    await withoutStale(lock)
    if (Date.now() > until) throw unwritable(`${lock} is held by another process: remove it if none is running`)
    await new Promise((resolve) => setTimeout(resolve, STEP_MILLISECONDS * (0.5 + Math.random())))
  }
  try {
    return await run(async () => {
      if ((await holderOf(lock))?.turn !== own.turn) throw unwritable('another process took its turn: try again')
    })
  } finally {
    if ((await holderOf(lock))?.turn === own.turn) await rm(lock, {force: true})
  }
}

/** The lock appears with its holder in it: a file that is linked into place, never one that is still empty. @throws EEXIST. */
async function taken(lock: string, own: Holder): Promise<void> {
  const text = JSON.stringify(own)
  const fresh = `${lock}.${own.turn}`
  try {
    await writeFile(fresh, text, {flag: 'wx'})
    try {
      await link(fresh, lock)
    } catch (error) {
      // File systems without links: created at once, its text a moment later.
      if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
      await writeFile(lock, text, {flag: 'wx'})
    }
  } finally {
    await rm(fresh, {force: true})
  }
}

async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(lock, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

/** Takes a lock away whose holder is gone. Of several that see it at once one moves it; who moved another's puts it back. */
async function withoutStale(lock: string): Promise<void> {
  const found = await stat(lock).catch(() => undefined)
  if (!found) return
  const holder = await holderOf(lock)
  if (!isGone(holder, Date.now() - found.mtimeMs)) return
  const aside = `${lock}.${randomBytes(8).toString('hex')}`
  try {
    await rename(lock, aside)
  } catch {
    return
  }
  if ((await holderOf(aside))?.turn !== holder?.turn) await link(aside, lock).catch(() => undefined)
  await rm(aside, {recursive: true, force: true})
}

function isGone(holder: Holder | undefined, ageMilliseconds: number): boolean {
  if (ageMilliseconds > STALE_MILLISECONDS) return true
  if (holder?.host !== hostname() || !Number.isInteger(holder.pid) || holder.pid === process.pid) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    // Another user's process lives, and may not be asked.
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
