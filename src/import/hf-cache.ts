import {readdir, stat} from 'node:fs/promises'
import {homedir} from 'node:os'
import {join} from 'node:path'
import {isRepositoryName} from '../catalogue/import/model-names.ts'
import {InputError} from '../core/input-error.ts'
import {localFolder} from './local-folder.ts'
import type {ModelFolder} from './model-folder.ts'
import {textOfFile} from './text-file.ts'

/** More than any revision or token has. */
const SMALL_BYTES = 64 * 2 ** 10

export type Environment = Readonly<Record<string, string | undefined>>

const given = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === '' ? undefined : value.trim().replace(/^~(?=$|[\\/])/, homedir())

/** Where Hugging Face's tools keep what concerns all of them (huggingface_hub `constants.py`: HF_HOME, then XDG_CACHE_HOME). */
export const huggingFaceHome = (env: Environment): string => given(env.HF_HOME) ?? join(given(env.XDG_CACHE_HOME) ?? join(homedir(), '.cache'), 'huggingface')

/** Where they keep downloaded repositories. */
export const hubCacheFolder = (env: Environment): string => given(env.HF_HUB_CACHE) ?? given(env.HUGGINGFACE_HUB_CACHE) ?? join(huggingFaceHome(env), 'hub')

/** `org/name`, each part as the hub allows it. Two dots would climb out of the cache. */
export const isRepositoryId = isRepositoryName

/** The snapshot of a repository in the local cache: the one `main` points at, else the newest; undefined where there is none. */
export async function cachedRepository(id: string, env: Environment): Promise<ModelFolder | undefined> {
  if (!isRepositoryId(id)) return undefined
  const base = join(hubCacheFolder(env), `models--${id.replace('/', '--')}`)
  const snapshot = await snapshotOf(base)
  if (snapshot === undefined) return undefined
  const folder = await localFolder(snapshot, {title: `${id} in the local cache`, hfId: id, deep: true})
  return folder.files.size > 0 ? folder : undefined
}

/** The newest snapshot below a repository's folder in the cache. */
export async function snapshotOf(base: string): Promise<string | undefined> {
  const main = await textOfFile(join(base, 'refs', 'main'), {what: 'a revision', bytes: SMALL_BYTES}).then(
    (text) => text.trim(),
    () => undefined,
  )
  if (main !== undefined && /^[\w.-]{1,100}$/.test(main) && !main.includes('..')) {
    const path = join(base, 'snapshots', main)
    if (await isDirectory(path)) return path
  }
  const names = await readdir(join(base, 'snapshots')).catch(() => [])
  const dated = await Promise.all(
    names.slice(0, 1000).map(async (name) => ({
      path: join(base, 'snapshots', name),
      time: await stat(join(base, 'snapshots', name)).then(
        ({mtimeMs}) => mtimeMs,
        () => 0,
      ),
    })),
  )
  return dated.sort((a, b) => b.time - a.time)[0]?.path
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

/** The access token that the environment or a login left. Never printed. */
export async function accessToken(env: Environment): Promise<string | undefined> {
  const direct = given(env.HF_TOKEN) ?? given(env.HUGGING_FACE_HUB_TOKEN)
  const token =
    direct ??
    (await textOfFile(given(env.HF_TOKEN_PATH) ?? join(huggingFaceHome(env), 'token'), {what: 'an access token', bytes: SMALL_BYTES}).then(
      (text) => text.trim(),
      () => '',
    ))
  if (token === '') return undefined
  if (!/^[\x21-\x7e]{1,1000}$/.test(token))
    throw new InputError('TOKEN_INVALID', 'HF_TOKEN holds characters that no access token has: expected one such as hf_...')
  return token
}
