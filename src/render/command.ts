import type {CommandReport} from '../planner/words/index.ts'
import {harmless, padEnd, wrap} from './style.ts'

const LABEL = 16

/** Flags that a line holds; more are counted. */
const MOST_FLAGS = 24

/** What became of the engine's own command: each flag once, what the engine will print, and the smallest change that helps. */
export function renderCommand({flags, environment, replaced, prints, risks, change}: CommandReport, {columns}: {columns: number}): string {
  const row = (label: string, text: string): string => `  ${padEnd(label, LABEL)}${wrap(harmless(text), columns - LABEL - 2, LABEL + 2)}`
  const rows: string[] = []
  const add = (label: string, texts: readonly string[]) => rows.push(...texts.map((text, index) => row(index === 0 ? label : '', text)))
  const counted = flags.filter(({effect}) => effect === 'counted')
  const wrong = flags.filter(({effect}) => effect === 'wrong')
  const passed = flags.filter(({effect}) => effect === 'ignored-here')
  if (counted.length > 0) add('Counted', [listed(counted.map(({flag, value}) => `${flag}${inWords(value)}`))])
  // What is for the same thing is said together.
  for (const [label, uncounted] of [
    ['Not counted', true],
    ['No effect', false],
  ] as const) {
    const reasons = new Map<string, string[]>()
    for (const one of [...passed, ...environment.map(({name, ...rest}) => ({flag: name, ...rest}))])
      if ((one.uncounted ?? false) === uncounted) reasons.set(one.because, [...(reasons.get(one.because) ?? []), one.flag])
    add(
      label,
      [...reasons].map(([because, names]) => `${listed([...new Set(names)])} (${because})`),
    )
  }
  add(
    'Wrong',
    wrong.map(({flag, because, suggestions}) => `${flag}: ${because}${suggestions ? `; did you mean ${suggestions[0]}?` : ''}`),
  )
  add(
    'Overridden',
    replaced.map(({field, command, given}) => `${field} ${brief(given)}, instead of ${brief(command)}`),
  )
  add('Log will say', prints)
  add('At risk', risks)
  if (change) add('Smallest fix', [`${change.flags}: ${change.outcome}`])
  return rows.length === 0 ? '' : `\n${rows.join('\n')}\n`
}

const listed = (words: readonly string[]): string =>
  words.length > MOST_FLAGS ? `${words.slice(0, MOST_FLAGS).join(', ')} and ${words.length - MOST_FLAGS} more` : words.join(', ')

function inWords(value: string | boolean | string[]): string {
  if (typeof value === 'boolean') return ''
  const text = Array.isArray(value) ? value.join(' ') : value
  return ` ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`
}

const brief = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, 80)
