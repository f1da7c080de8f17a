import {InputError} from '../../core/input-error.ts'
import type {ByteSource} from '../byte-source.ts'
import {isRepositoryId} from '../hf-cache.ts'
import {MAX_TEXT_BYTES, type ModelFolder} from '../model-folder.ts'
import type {HubAnswer, HubClient} from './client.ts'

const MAX_LISTING_BYTES = 32 * 2 ** 20
const MAX_FILES = 50_000
/** Read at once where a file's size is not known yet. */
const FIRST_READ_BYTES = 128 * 1024

/** Longest that one repository may take, however many files it has. */
const LONGEST_MS = 120_000

interface Listing {
  id: string
  revision: string
  files: Map<string, number | undefined>
  licence?: string
}

/**
 * A repository on a hub. Only its list of files, small text files and the beginnings of weight files are ever asked for.
 *
 * @throws InputError MODEL_UNKNOWN where the hub has none of this name, MODEL_GATED, TOKEN_REFUSED, HUB_*.
 */
export async function hubRepository(client: HubClient, id: string): Promise<ModelFolder> {
  const answer = await client.get(`/api/models/${id}?blobs=true`, {maxBytes: MAX_LISTING_BYTES})
  refuseFailure(client, id, answer)
  const listing = listingOf(client, id, answer)
  const address = (file: string) => `/${listing.id}/resolve/${encodeURIComponent(listing.revision)}/${file.split('/').map(encodeURIComponent).join('/')}`
  const until = client.now() + LONGEST_MS
  const ask = async (file: string, request: Parameters<HubClient['get']>[1]) => {
    if (client.now() > until) throw new InputError('HUB_TIMEOUT', `${id} was not read within ${LONGEST_MS / 1000} s: give the path of a local copy`)
    const found = await client.get(address(file), request)
    refuseFailure(client, `${id} (${file})`, found)
    return found
  }
  return {
    title: id,
    hfId: listing.id,
    files: listing.files,
    ...(listing.licence !== undefined && {licence: listing.licence}),
    parallel: 8,
    text: async (file) => new TextDecoder().decode((await ask(file, {maxBytes: MAX_TEXT_BYTES})).body),
    open: (file) => rangeSource(`${id}: ${file}`, listing.files.get(file), (request) => ask(file, request)),
  }
}

type Ask = (request: Parameters<HubClient['get']>[1]) => Promise<HubAnswer>

async function rangeSource(name: string, knownBytes: number | undefined, ask: Ask): Promise<ByteSource> {
  const piece = async (offset: number, length: number): Promise<HubAnswer> => {
    const answer = await ask({range: {offset, length}, maxBytes: length})
    if (offset > 0 && answer.status !== 206)
      throw new InputError('HUB_ANSWER_INVALID', `${name}: the hub does not honour range requests (it answers ${answer.status}): give the path of a local copy`)
    return answer
  }
  const first = knownBytes === undefined ? await piece(0, FIRST_READ_BYTES) : undefined
  const sizeBytes = knownBytes ?? totalOf(first!)
  if (sizeBytes === undefined) throw new InputError('HUB_ANSWER_INVALID', `${name}: the hub does not say how long the file is: give the path of a local copy`)
  return {
    name,
    sizeBytes,
    read: async (offset, length) => {
      const wanted = Math.max(0, Math.min(length, sizeBytes - offset))
      if (wanted === 0) return new Uint8Array(0)
      if (first && offset + wanted <= first.body.length) return first.body.subarray(offset, offset + wanted)
      return (await piece(offset, wanted)).body
    },
    close: async () => {},
  }
}

/** `bytes 0-131071/4966157456`; a server without ranges states the length itself. */
function totalOf({status, headers}: HubAnswer): number | undefined {
  const text = status === 206 ? /\/(\d{1,16})$/.exec(headers.get('content-range') ?? '')?.[1] : (headers.get('content-length') ?? undefined)
  const total = Number(text ?? Number.NaN)
  return Number.isSafeInteger(total) ? total : undefined
}

/** Turns what hubs answer instead of a file into what to do about it (`X-Error-Code`: huggingface_hub utils/_http.py). */
function refuseFailure(client: HubClient, what: string, {status, headers}: HubAnswer): void {
  if (status >= 200 && status < 300) return
  const code = headers.get('x-error-code') ?? ''
  const id = what.split(' ')[0]!
  if (code === 'GatedRepo' || (status === 403 && code === '')) {
    const next = client.hasToken
      ? 'accept its terms there with the account of your token, or use a token that may read gated repositories'
      : 'accept its terms there and set HF_TOKEN to your access token'
    throw new InputError('MODEL_GATED', `${what} is gated: ${next} (${client.endpoint}/${id})`)
  }
  if (status === 401 && code !== 'RepoNotFound' && client.hasToken)
    throw new InputError('TOKEN_REFUSED', `The hub refuses the access token for ${what}: make a new one and set HF_TOKEN, or unset it`)
  if (status === 401 || status === 404) {
    throw new InputError(
      'HUB_NOT_FOUND',
      `${what} is not on ${client.endpoint}${status === 401 ? `, or private: ${client.hasToken ? 'check the name' : 'check the name, or set HF_TOKEN'}` : ': check the name'}`,
    )
  }
  throw new InputError('HUB_ANSWER_INVALID', `The hub answers ${status} for ${what}: check the name and HF_ENDPOINT`)
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function listingOf(client: HubClient, id: string, {body}: HubAnswer): Listing {
  const refuse = (why: string) => new InputError('HUB_ANSWER_INVALID', `What ${client.endpoint} says about ${id} is not understood (${why}): check HF_ENDPOINT`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(body))
  } catch {
    throw refuse('not JSON')
  }
  if (!isRecord(value) || !Array.isArray(value.siblings)) throw refuse('no list of files')
  if (value.siblings.length > MAX_FILES) throw refuse(`${value.siblings.length} files`)
  const files = new Map<string, number | undefined>()
  for (const entry of value.siblings as unknown[]) {
    if (!isRecord(entry) || typeof entry.rfilename !== 'string' || !isPlainPath(entry.rfilename)) continue
    const size = isRecord(entry.lfs) && typeof entry.lfs.size === 'number' ? entry.lfs.size : entry.size
    files.set(entry.rfilename, typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined)
  }
  const licence = licenceOf(value)
  return {
    // A repository that was renamed answers under its new name.
    id: typeof value.id === 'string' && isRepositoryId(value.id) ? value.id : id,
    revision: typeof value.sha === 'string' && /^[0-9a-f]{7,64}$/.test(value.sha) ? value.sha : 'main',
    files,
    ...(licence !== undefined && {licence}),
  }
}

/** A path below the repository's root without control characters. */
const isPlainPath = (path: string): boolean =>
  path.length <= 500 && !/[\u0000-\u001F\u007F-\u009F\\]/.test(path) && !path.split('/').some((part) => part === '' || part === '.' || part === '..')

function licenceOf(value: Record<string, unknown>): string | undefined {
  const card = isRecord(value.cardData) ? value.cardData : {}
  const stated = card.license === 'other' && typeof card.license_name === 'string' ? card.license_name : card.license
  return typeof stated === 'string' && /^[\w .+-]{1,80}$/.test(stated) ? stated : undefined
}
