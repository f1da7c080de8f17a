import {randomBytes} from 'node:crypto'
import {constants} from 'node:fs'
import {access, link, mkdir, open, readlink, rename, rm} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {InputError} from '../core/input-error.ts'

/** Links that are followed one after another, as kernels follow them. */
const MOST_LINKS = 40

/** The file that a path leads to: what it links to, whether that is there or not. */
export async function targetOf(path: string): Promise<string> {
  let target = path
  for (let links = 0; links < MOST_LINKS; links++) {
    const next = await readlink(target).catch(() => undefined)
    if (next === undefined) return target
    target = resolve(dirname(target), next)
  }
  throw new InputError('FILE_UNWRITABLE', `${path} links to itself`)
}

/**
 * Writes a file whole or not at all: beside its place first, then moved there. A file that is there already stays unless
 * `force` is given. `before` runs right before it is moved.
 *
 * @throws InputError FILE_EXISTS, FILE_UNWRITABLE.
 */
export async function saveFile(path: string, text: string, {force = false, before}: {force?: boolean; before?: () => Promise<void>} = {}): Promise<void> {
  const exists = () => new InputError('FILE_EXISTS', `${path} exists already: give another name, or --force to replace it`)
  if (
    !force &&
    (await access(path, constants.F_OK).then(
      () => true,
      () => false,
    ))
  )
    throw exists()
  // Numbers of processes come again, in containers at once: what one left behind is in nobody's way.
  const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
  try {
    await mkdir(dirname(path), {recursive: true})
    await writtenWhole(temporary, text)
    await before?.()
    if (force) await rename(temporary, path)
    // Unlike a rename, a link never takes the place of a file that came in between.
    else await link(temporary, path)
  } catch (error) {
    if (error instanceof InputError) throw error
    const {code} = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw exists()
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS' || code === 'EOPNOTSUPP') return await rename(temporary, path)
    throw new InputError('FILE_UNWRITABLE', `${path} cannot be written (${code ?? 'error'})`)
  } finally {
    await rm(temporary, {force: true})
  }
}

/** The text is on the disk before its name is: a machine that loses power keeps the old file or the new. */
async function writtenWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx')
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
