import {dictionary} from '../../core/dictionary.ts'
import {FIELDS, type Words} from './fields.ts'

/** What the page shows: the question, which view is open, and the text of a machine that was pasted. */
export interface PageState {
  words: Words
  view: View
  /** Format of the start file. */
  format: string
  /** Outputs of tools, as pasted. */
  pasted?: string
}

export type View = 'check' | 'models' | 'plan' | 'compare' | 'capacity'
export const VIEWS: readonly View[] = ['check', 'models', 'plan', 'compare', 'capacity']

/** A question that shows what the page does, and that most people can relate to. */
export const FIRST_STATE: PageState = {
  words: {model: 'qwen3-32b', gpu: '2xrtx-4090', concurrency: '8', 'input-tokens': '2k', 'output-tokens': '500'},
  view: 'check',
  format: 'command',
}

/** Values in a link may be as long as what a person types, and a pasted text after packing. */
const LONGEST_VALUE = 4096
const LONGEST_PACKED = 1_000_000
/** Of a pasted text when it is unpacked. */
const LONGEST_TEXT = 32 * 2 ** 20

/** Blanks and commas stay readable in an address. */
const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+').replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%2F', '/')

/** The part of the address behind `#`: the flags of the command line, so that it can be read. It is never sent to a server. */
export async function linkOf({words, view, format, pasted}: PageState): Promise<string> {
  const parts: string[] = []
  if (view !== FIRST_STATE.view) parts.push(`view=${view}`)
  for (const {flag} of FIELDS) {
    const value = words[flag]
    if (value !== undefined && value !== '') parts.push(`${flag}=${encoded(value)}`)
  }
  if (format !== FIRST_STATE.format) parts.push(`format=${encoded(format)}`)
  if (pasted !== undefined) parts.push(`pasted=${await packed(pasted)}`)
  return parts.join('&')
}

/** What a link asks; a link without a question is answered with the first one. Keys that are not known are left out. */
export async function stateOfLink(hash: string): Promise<PageState> {
  const given = new URLSearchParams(hash.replace(/^#/, ''))
  if ([...given.keys()].length === 0) return FIRST_STATE
  const words: Record<string, string> = dictionary()
  for (const {flag, aliases = []} of FIELDS)
    for (const name of [...aliases, flag]) {
      const value = given.get(name)
      if (value !== null && value !== '') words[flag] = value.slice(0, LONGEST_VALUE)
    }
  const view = VIEWS.find((known) => known === given.get('view')) ?? FIRST_STATE.view
  const text = given.get('pasted')
  const pasted = text === null || text.length > LONGEST_PACKED ? undefined : await unpacked(text)
  return {words, view, format: (given.get('format') ?? FIRST_STATE.format).slice(0, 40), ...(pasted !== undefined && {pasted})}
}

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const reader = new Blob([bytes as BlobPart])
    .stream()
    .pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>)
    .getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const {done, value} = await reader.read()
    if (done) break
    length += value.length
    if (length > LONGEST_TEXT) throw new RangeError('too long')
    parts.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Compressed, in letters that an address may hold (RFC 4648, section 5). */
async function packed(text: string): Promise<string> {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream('deflate-raw'))
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Nothing where it is not such a text. */
async function unpacked(text: string): Promise<string | undefined> {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder().decode(
      await through(
        Uint8Array.from(binary, (letter) => letter.charCodeAt(0)),
        new DecompressionStream('deflate-raw'),
      ),
    )
  } catch {
    return undefined
  }
}
