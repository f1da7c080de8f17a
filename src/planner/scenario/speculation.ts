import type {Speculation} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import {speculationFrom, usualDraftTokens} from '../../engines/words.ts'
import {LIMITS} from './scenario.ts'

/**
 * Speculation in words: `mtp`, `mtp:3`, `EAGLE3, org/draft, 3 steps, 4 draft tokens`. The method is the first word; tokens are what
 * is drafted for each step, the usual number of the method when nothing says so; a repository is the draft.
 */
export function parseSpeculation(text: string): Speculation {
  const method = /^[a-z][a-z0-9_-]*/i.exec(text.trim())?.[0]?.toLowerCase()
  if (!method) throw new InputError('SPECULATION_INVALID', `Speculation "${text}" names no method: expected METHOD or METHOD:TOKENS, such as mtp:1`)
  const tokens = Number(
    /^[a-z][a-z0-9_-]*:(\d+)$/i.exec(text.trim())?.[1] ?? /(\d+) draft tokens/i.exec(text)?.[1] ?? /(\d+) steps?/i.exec(text)?.[1] ?? usualDraftTokens(method),
  )
  const {min, max} = LIMITS.draftTokens
  if (!Number.isInteger(tokens) || tokens < min || tokens > max)
    throw new InputError('SPECULATION_INVALID', `Speculation "${text}" drafts ${tokens} tokens: expected ${min} to ${max}`)
  const draft = /(?:^|[\s,])([\w.-]+\/[\w.-]+)(?=$|[\s,])/.exec(text)?.[1]
  return {method, tokens, ...(draft !== undefined && {draft})}
}

/** The same as text. @throws InputError SPECULATION_INVALID. */
export function speculationFromJson(text: string): Speculation {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(
      'SPECULATION_INVALID',
      `--speculative-config ${text.slice(0, 100)}: expected JSON such as {"method": "mtp", "num_speculative_tokens": 1}`,
    )
  return speculationFrom(value as Record<string, unknown>)
}
