import type {Speculation} from '../core/deployment.ts'
import {quoteWord} from '../render/launch/shell-quote.ts'
import {typedName} from './flag-names.ts'

/** Flags that only change how an answer is shown. */
const SHOWN_ONLY = new Set(['explain', 'json', 'simulate', 'seed', 'html', 'markdown', 'svg', 'csv', 'save', 'format', 'fail-on', 'junit', 'sarif', 'force'])

/** The arguments that ask the same question again, quoted for a shell: what a "next" line is made of. */
export function commandWords(model: string, flags: Record<string, unknown>, known: Record<string, unknown>): string {
  const words = [quoteWord(model)]
  for (const name of Object.keys(known)) {
    const value = flags[name]
    if (value === undefined || value === false || SHOWN_ONLY.has(name)) continue
    // A flag that may be given more than once is given once for each.
    if (Array.isArray(value) && (known[name] as {multiple?: boolean} | undefined)?.multiple) {
      for (const one of value) words.push(`--${typedName(name)}`, quoteWord(String(one)))
      continue
    }
    words.push(`--${typedName(name)}`)
    if (value !== true) words.push(quoteWord(inWords(name, value)))
  }
  return words.join(' ')
}

const inWords = (name: string, value: unknown): string =>
  name === 'speculative' && typeof value === 'object' && value !== null && 'method' in value
    ? `${(value as {method: string}).method}:${(value as unknown as {tokens: number}).tokens}`
    : typeof value === 'object' && value !== null && !Array.isArray(value)
      ? JSON.stringify(name === 'speculative-config' ? vllmSpeculation(value as Speculation) : value)
      : typeof value === 'number' && name.split('-').includes('bytes')
        ? bytesTyped(value)
        : String(value)

/** Bytes as they are typed, where that is exact: 100GiB. */
function bytesTyped(bytes: number): string {
  const [unit, size] = (
    [
      ['GiB', 1024 ** 3],
      ['MiB', 1024 ** 2],
    ] as const
  ).find(([, one]) => bytes > 0 && bytes % one === 0) ?? ['', 1]
  return `${bytes / size}${unit}`
}

/** As `--speculative-config` takes it. */
const vllmSpeculation = ({method, tokens, draft}: Speculation) => ({method, ...(draft !== undefined && {model: draft}), num_speculative_tokens: tokens})
