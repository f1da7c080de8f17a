import {dictionary} from '../core/dictionary.ts'

/** Reading numbers out of tool output. A word in place of a number means unknown, and unknown is never zero. */

const UNKNOWN_WORDS =
  /^(?:n\/a|not supported|not available|unsupported|unknown|unknown error|err!?|error|none|null|undefined|-+|requested functionality has been deprecated|insufficient permissions|gpu is lost|gpu requires reset|no permission)$/i

const LARGEST_BYTES = 64 * 1024 ** 4

const UNIT_BYTES: Record<string, number> = dictionary({b: 1, bytes: 1, byte: 1, kib: 1024, mib: 1024 ** 2, gib: 1024 ** 3, tib: 1024 ** 4})

/** The text, trimmed, or nothing where the tool says that it does not know. */
export function known(text: string | undefined): string | undefined {
  const trimmed = text?.trim()
  if (!trimmed) return undefined
  const bare = trimmed.replace(/^\[(.*)\]$/, '$1').trim()
  return bare === '' || UNKNOWN_WORDS.test(bare) ? undefined : trimmed
}

/** True where the tool printed something, and that something says "unknown". */
export function saysUnknown(text: string | undefined): boolean {
  return text !== undefined && text.trim() !== '' && known(text) === undefined
}

/**
 * Bytes from `12288 MiB`, `12288` with a default unit, `17179869184`. Zero is a legal answer (a full card has
 * nothing free). Nothing for a sign, a fraction of a byte, a decimal unit, or more than 64 TiB.
 */
export function bytesOf(text: string | undefined, defaultUnit: 'B' | 'KiB' | 'MiB' = 'B'): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)$/.exec(known(text) ?? '')
  if (!match) return undefined
  const unit = UNIT_BYTES[(match[2] || defaultUnit).toLowerCase()]
  if (unit === undefined) return undefined
  const bytes = Math.round(Number(match[1]) * unit)
  return bytes <= LARGEST_BYTES ? bytes : undefined
}

/** As `bytesOf`, for totals: zero means that the tool did not know. */
export function totalBytesOf(text: string | undefined, defaultUnit: 'B' | 'KiB' | 'MiB' = 'B'): number | undefined {
  const bytes = bytesOf(text, defaultUnit)
  return bytes ? bytes : undefined
}

/** Compute capability from `8.9`, `12.1`. */
export function computeCapabilityOf(text: string | undefined): number | undefined {
  const value = known(text)
  return value && /^[1-9]\d?\.\d$/.test(value) ? Number(value) : undefined
}

/** A small count from `16`, `16x`, `Gen 4` is not this: digits with an optional x. */
export function countOf(text: string | undefined): number | undefined {
  const match = /^(\d{1,4})x?$/.exec(known(text) ?? '')
  const count = match ? Number(match[1]) : 0
  return count > 0 ? count : undefined
}

/** `00000000:2D:00.0` and `0000:2d:00.0` are one address: domain of at least four digits, lower case. */
export function pciAddressOf(text: string | undefined): string | undefined {
  const match = /^([0-9a-f]{1,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text?.trim() ?? '')
  if (!match) return undefined
  const domain = match[1]?.replace(/^0+/, '').padStart(4, '0')
  return `${domain}:${match[2]}:${match[3]}.${match[4]}`.toLowerCase()
}

/** Text without the escape sequences that colour or underline it, which some tools print even into a pipe. */
export function withoutStyling(text: string): string {
  const [first = '', ...styled] = text.split('\u001b')
  return first + styled.map((part) => part.replace(/^\[[0-9;]*[A-Za-z]/, '')).join('')
}

/** A line fit to be quoted in a message: no control characters, not long, and without identities of devices, since people paste it into issues. */
export function quotable(text: string, limit = 160): string {
  const plain = withoutStyling(text)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .replace(/\b(?:GPU-|MIG-)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '(id)')
    .trim()
  return plain.length > limit ? `${plain.slice(0, limit - 3)}...` : plain
}
