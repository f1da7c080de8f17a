import {readdir, stat} from 'node:fs/promises'
import {join, sep} from 'node:path'
import {InputError} from '../core/input-error.ts'
import {fileSource} from './byte-source.ts'
import {MAX_TEXT_BYTES, type ModelFolder} from './model-folder.ts'
import {textOfFile} from './text-file.ts'

/** Entries of a directory that are looked at; a repository has a few hundred. */
const MAX_ENTRIES = 20_000

/** A text file of a user's. @throws InputError FILE_UNREADABLE, FILE_TOO_LARGE, FILE_BINARY. */
export const readTextFile = (path: string, what: string): Promise<string> => textOfFile(path, {what, bytes: MAX_TEXT_BYTES})

export interface LocalFolderOptions {
  title?: string
  hfId?: string
  /** Files of subdirectories count as well: repositories keep GGUF variants in some. */
  deep?: boolean
}

/** A directory with a model's files; links (the cache is made of them) are followed. */
export async function localFolder(path: string, {title = path, hfId, deep = false}: LocalFolderOptions = {}): Promise<ModelFolder> {
  const files = new Map<string, number | undefined>()
  try {
    const names = await readdir(path, {recursive: deep, encoding: 'utf8'})
    for (const name of names.slice(0, MAX_ENTRIES)) {
      if (!/\.(json|safetensors|gguf)$/i.test(name)) continue
      const found = await stat(join(path, name)).catch(() => undefined)
      if (found?.isFile()) files.set(name.split(sep).join('/'), found.size)
    }
  } catch (error) {
    throw new InputError(
      'FILE_UNREADABLE',
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected a directory with a model's files`,
    )
  }
  return {
    title,
    hfId,
    files,
    parallel: 8,
    text: (file) => readTextFile(join(path, file), file === 'config.json' ? "a model's config.json" : 'JSON'),
    open: (file) => fileSource(join(path, file)),
  }
}
