import {randomBytes} from 'node:crypto'
import {chmod, lstat, mkdir, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {InputError} from '../core/input-error.ts'

interface TextFile {
  name: string
  text: string
}

/**
 * Writes files into a folder, which is made where it is not there: each beside its place first, then moved into it, readable
 * by all. Nothing is written when one of them is there already, unless told so. Returns the paths.
 * @throws InputError FILE_EXISTS, or OUT_UNWRITABLE with what the system said.
 */
export async function writeFiles(folder: string, files: readonly TextFile[], {force}: {force: boolean}): Promise<string[]> {
  const there: string[] = []
  for (const {name} of files) {
    const found = await lstat(join(folder, name)).catch(() => undefined)
    if (found?.isDirectory()) throw new InputError('FILE_EXISTS', `${join(folder, name)} is a directory`)
    if (found) there.push(name)
  }
  if (there.length > 0 && !force)
    throw new InputError(
      'FILE_EXISTS',
      `${folder} has ${there.join(', ')} already: give --force to replace ${there.length === 1 ? 'it' : 'them'}, or another --out`,
    )
  try {
    await mkdir(folder, {recursive: true})
    const paths: string[] = []
    for (const {name, text} of files) paths.push(await place(folder, name, text))
    return paths
  } catch (error) {
    throw new InputError('OUT_UNWRITABLE', `${folder} cannot be written to (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`)
  }
}

async function place(folder: string, name: string, text: string): Promise<string> {
  const path = join(folder, name)
  const fresh = join(folder, `.${name}.${randomBytes(6).toString('hex')}`)
  try {
    await writeFile(fresh, text, {flag: 'wx'})
    await chmod(fresh, 0o644)
    await rename(fresh, path)
  } finally {
    await rm(fresh, {force: true})
  }
  return path
}
