import {constants} from 'node:fs'
import {access, link, mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {dirname} from 'node:path'
import {InputError} from '../core/input-error.ts'

/**
 * Writes a file whole or not at all: beside its place first, then moved there. A file that is there already stays unless
 * `force` is given.
 *
 * @throws InputError FILE_EXISTS, FILE_UNWRITABLE.
 */
export async function saveFile(path: string, text: string, {force = false}: {force?: boolean} = {}): Promise<void> {
  const exists = () => new InputError('FILE_EXISTS', `${path} exists already: give another name, or --force to replace it`)
  if (
    !force &&
    (await access(path, constants.F_OK).then(
      () => true,
      () => false,
    ))
  )
    throw exists()
  const temporary = `${path}.${process.pid}.new`
  try {
    await mkdir(dirname(path), {recursive: true})
    await writeFile(temporary, text, {flag: 'wx'})
    if (force) await rename(temporary, path)
    // Unlike a rename, a link never takes the place of a file that came in between.
    else await link(temporary, path)
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw exists()
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS' || code === 'EOPNOTSUPP') return await rename(temporary, path)
    throw new InputError('FILE_UNWRITABLE', `${path} cannot be written (${code ?? 'error'})`)
  } finally {
    await rm(temporary, {force: true})
  }
}
