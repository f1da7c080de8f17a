import {InputError} from '../core/input-error.ts'
import {quotedShort} from '../core/nearest.ts'
import {HOW_TO_GIVE_FIGURES} from './gpu-figures.ts'

/** GPUs as asked for: how many of which. Nothing is looked up yet. */
export interface GpuRequest {
  count: number
  /** In lower case. */
  id: string
  /** What stands behind the colon: a memory size (`22gb`), a slice (`2g.20gb`), or figures (`memory=20GiB,bandwidth=760GB/s`). */
  option?: string
}

/** More than the largest scale-up domain times a few: beyond it, the number is a slip of the keyboard. */
const largestGpuCount = 4096

/** A figure without a card: it belongs to the card before it, as in `2xcard:memory=20GiB,bandwidth=760GB/s`. */
const isFigure = (part: string): boolean => /^\s*[a-z0-9_-]+\s*=/i.test(part)

/**
 * `8xh200-sxm,2xrtx-4090` as counts and names; a name alone counts once. Spaces, capitals and the sign × are welcome.
 * Throws InputError GPU_SPEC_INVALID.
 */
export function parseGpuSpec(spec: string): GpuRequest[] {
  const parts: string[] = []
  for (const piece of spec.split(',')) {
    if (isFigure(piece) && parts.length > 0) parts.push(`${parts.pop()},${piece}`)
    else parts.push(piece)
  }
  const loose = parts.findIndex((part, index) => /^\s*\d{1,2}\s*$/.test(part) && index + 1 < parts.length)
  if (loose >= 0) {
    const meant = `${parts[loose]!.trim()}x${parts[loose + 1]!.trim()}`
    throw invalidSpec(spec, `"${parts[loose]!.trim()}" is a number without a card (a count and its card are joined by x)`, [meant])
  }
  const requests = parts.map((part) => parseGpuRequest(part.trim(), spec))
  const total = requests.reduce((sum, {count}) => sum + count, 0)
  if (total > largestGpuCount) throw invalidSpec(spec, `${total} GPUs are more than ${largestGpuCount}`)
  return requests
}

/** `2 3090`, `2 x RTX 3090` without the x. No name of a card begins with a short number and a blank. */
const COUNT_BEFORE = /^([1-9]\d?)\s+(?!g(?:i?b)?\b)(.*(?:[a-z]|\d{3}).*)$/i

/** How much memory says neither which card nor how fast. */
const IS_SIZE = /^\d{1,4}\s*gi?b$/i

/** `4090 x2`, `rtx 4090 x 2`: no card is called 2, and nobody has 4090 of one. */
const COUNT_BEHIND = /^(\d{4}|(?!\d+\s*[x×*])[^:,=]*[a-z][^:,=]*?)\s*[x×*]\s*(\d{1,2})$/i

function parseGpuRequest(part: string, spec: string): GpuRequest {
  if (isFigure(part)) throw invalidSpec(spec, `${quotedShort(part)} is a figure without a card before it`)
  const [, before, countBehind] = COUNT_BEHIND.exec(part) ?? []
  const joined = part.replace(COUNT_BEFORE, (whole, count: string, card: string) => (/^[x×*]/i.test(card) ? whole : `${count}x${card}`))
  const [, number, rest = ''] = before === undefined ? (/^(?:([-+]?[\d.]+)\s*[x×*]\s*)?(.*)$/is.exec(joined) ?? []) : ['', countBehind, before]
  // `7900xtx` and `9070 xt` are cards.
  const isName = Number(number) > largestGpuCount && /^t/i.test(rest)
  const countText = isName ? undefined : number
  const named = isName ? part : rest
  if (IS_SIZE.test(named.trim())) throw invalidSpec(spec, `${quotedShort(named.trim())} is a memory size, not a card`)
  const {name, option} = splitOption(named)
  if (!/^[a-z0-9]/i.test(name)) throw invalidSpec(spec, part === '' ? 'a part of it is empty' : `${quotedShort(part)} names no GPU`)
  const count = countText === undefined ? 1 : Number(countText)
  if (!Number.isInteger(count) || count < 1) throw invalidSpec(spec, `${quotedShort(countText ?? '')} is not a number of GPUs`)
  return {count, id: name.toLowerCase(), ...(option !== undefined && {option})}
}

/** Drivers print colons too, in brackets: `NVIDIA Corporation Device [10de:2e12]`. */
function splitOption(named: string): {name: string; option?: string} {
  const at = named.replaceAll(/\[[^\]]*\]/g, (bracket) => '_'.repeat(bracket.length)).indexOf(':')
  return at < 0 ? {name: named.trim()} : {name: named.slice(0, at).trim(), option: named.slice(at + 1).trim()}
}

const invalidSpec = (spec: string, why: string, suggestions: string[] = []): InputError =>
  new InputError(
    'GPU_SPEC_INVALID',
    `${quotedShort(spec)} is not a list of GPUs: ${why}; expected something like 8xh200-sxm or 2xrtx-4090,1xrtx-3090; ${HOW_TO_GIVE_FIGURES}`,
    {suggestions},
  )
