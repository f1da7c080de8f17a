import type {Speculation} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import {LIMITS} from './scenario.ts'

/**
 * Speculation in words: `mtp`, `mtp:3`, `EAGLE3, org/draft, 3 steps, 4 draft tokens`. The method is the first word; tokens are what
 * is drafted for each step, 1 when nothing says so; a repository is the draft.
 */
export function parseSpeculation(text: string): Speculation {
  const method = /^[a-z][a-z0-9_-]*/i.exec(text.trim())?.[0]?.toLowerCase()
  if (!method) throw new InputError('SPECULATION_INVALID', `Speculation "${text}" names no method: expected METHOD or METHOD:TOKENS, such as mtp:1`)
  const tokens = Number(/^[a-z][a-z0-9_-]*:(\d+)$/i.exec(text.trim())?.[1] ?? /(\d+) draft tokens/i.exec(text)?.[1] ?? /(\d+) steps?/i.exec(text)?.[1] ?? 1)
  const {min, max} = LIMITS.draftTokens
  if (!Number.isInteger(tokens) || tokens < min || tokens > max)
    throw new InputError('SPECULATION_INVALID', `Speculation "${text}" drafts ${tokens} tokens: expected ${min} to ${max}`)
  const draft = /(?:^|[\s,])([\w.-]+\/[\w.-]+)(?=$|[\s,])/.exec(text)?.[1]
  return {method, tokens, ...(draft !== undefined && {draft})}
}

const METHODS: Record<string, string> = {
  deepseek_mtp: 'mtp',
  qwen3_next_mtp: 'mtp',
  glm4_moe_mtp: 'mtp',
  ernie_mtp: 'mtp',
  longcat_flash_mtp: 'mtp',
  mimo_mtp: 'mtp',
}

/**
 * Speculation as vLLM's `--speculative-config` has it: method, model, num_speculative_tokens. A model without a method is a draft model
 * unless its name says otherwise, as vLLM tells them (vllm/config/speculative.py __post_init__, 0.28.0).
 */
export function speculationFrom(config: Record<string, unknown>): Speculation {
  const model = typeof config.model === 'string' ? config.model : undefined
  const named = typeof config.method === 'string' ? config.method.toLowerCase() : undefined
  const method =
    named ??
    (model === undefined
      ? 'mtp'
      : model === 'ngram' || model === '[ngram]'
        ? 'ngram'
        : (/eagle3|eagle|dflash|medusa/i.exec(model)?.[0].toLowerCase() ?? 'draft_model'))
  const tokens = Number(config.num_speculative_tokens ?? 1)
  const {min, max} = LIMITS.draftTokens
  if (!Number.isInteger(tokens) || tokens < min || tokens > max)
    throw new InputError('SPECULATION_INVALID', `num_speculative_tokens ${String(config.num_speculative_tokens).slice(0, 40)}: expected ${min} to ${max}`)
  const isDraft = model !== undefined && method !== 'ngram'
  const called = method.endsWith('_mtp') && !Object.hasOwn(METHODS, method) ? 'mtp' : (METHODS[method] ?? method)
  return {method: config.parallel_drafting === true && called === 'draft_model' ? 'pard' : called, tokens, ...(isDraft && {draft: model})}
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
