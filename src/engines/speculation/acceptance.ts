/** How many tokens a step yields: as given, as published for the draft or the model, or as published for the method. */
import type {Deployment, Speculation} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import {tokensPerStep} from '../../core/throughput/drafting.ts'
import type {AcceptanceRow} from './table.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Mean accepted length of a step, the model's own token included, and how it is known. */
export interface AcceptedLength {
  tokensPerStep: number
  /** Standard deviation of its logarithm; 0 where it was given. */
  spread: number
  /** In words. */
  source: string
  /** Where it was published. */
  published: string[]
}

/** Methods without figures of their own are taken for their nearest kin. */
const KIN: Record<string, string> = dictionary({suffix: 'ngram', pard: 'draft_model', mlp_speculator: 'medusa'})
/** Texts differ by this much at least: the same draft yields 0.85 to 1.15 times as much on another set (pairs of data/drafts/acceptance.yaml). */
const LEAST_SPREAD = 0.1
/** Of a method with a single published figure. */
const SINGLE_SPREAD = 0.25

/**
 * An acceptance as it was given, as a share of the drafted tokens: up to 1 it is that, above it is the mean accepted length of a step.
 * @throws InputError ACCEPTANCE_INVALID for a length that so many drafted tokens cannot give.
 */
export function acceptedShare(given: number, {tokens}: Speculation): number {
  if (given >= 0 && given <= 1) return given
  if (given > 1 && given <= tokens + 1) return (given - 1) / tokens
  throw new InputError(
    'ACCEPTANCE_INVALID',
    `Acceptance ${given} is not possible with ${tokens} drafted token${tokens === 1 ? '' : 's'}: expected a share from 0 to 1, or a mean accepted length above 1 and up to ${tokens + 1}`,
  )
}

/** The chance of each token, the same at every position, that makes so many drafted tokens yield this length. */
function chanceOf(length: number, tokens: number): number {
  let low = 0
  let high = 1
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (tokensPerStep(middle, tokens) < length) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** What a row says of a number of drafted tokens: as published, else with the chance that gives the nearest published length. */
export function lengthOf({lengths = {}, chance}: AcceptanceRow, tokens: number): number {
  if (chance !== undefined) return tokensPerStep(chance, tokens)
  const own = lengths[String(tokens)]
  if (own !== undefined) return own
  const [nearest] = Object.keys(lengths)
    .map(Number)
    .sort((a, b) => Math.abs(a - tokens) - Math.abs(b - tokens))
  return nearest === undefined ? 1 : tokensPerStep(chanceOf(lengths[String(nearest)]!, nearest), tokens)
}

const plain = (value: number): string => String(Number(value.toPrecision(3)))

/** The rows that speak of a question most closely, and for whom they do. */
function rowsFor(
  rows: readonly AcceptanceRow[],
  method: string,
  model: string,
  draft: string | undefined,
): {rows: AcceptanceRow[]; whose: string; general: boolean} {
  const ofMethod = rows.filter((row) => row.method === method)
  const ofDraft = draft === undefined ? [] : ofMethod.filter((row) => row.draft?.toLowerCase() === draft.toLowerCase())
  if (ofDraft.length > 0) return {rows: ofDraft, whose: 'this draft', general: false}
  // What another draft does for this model says less than what drafts of the method do.
  const ofModel = ofMethod.filter((row) => row.model === model && row.draft === undefined)
  if (ofModel.length > 0) return {rows: ofModel, whose: 'this model', general: false}
  const kin = KIN[method]
  if (ofMethod.length === 0 && kin !== undefined) return {...rowsFor(rows, kin, model, undefined), whose: `${kin}, its nearest kin`, general: true}
  return {rows: ofMethod, whose: method, general: true}
}

/** Mean accepted length of a deployment that drafts. */
export function acceptedLength(
  rows: readonly AcceptanceRow[],
  model: {id: string},
  {acceptance}: Pick<Deployment, 'acceptance'>,
  {method, tokens, draft}: Speculation,
): AcceptedLength {
  if (acceptance !== undefined) return {tokensPerStep: 1 + acceptance * tokens, spread: 0, source: 'given', published: []}
  const found = rowsFor(rows, method, model.id, draft)
  const words = `${tokens} drafted token${tokens === 1 ? '' : 's'}`
  if (found.rows.length === 0)
    return {tokensPerStep: 1, spread: SINGLE_SPREAD, source: `assumed: no accepted length of ${method} is published, so no gain is counted`, published: []}
  const logarithms = found.rows.map((row) => Math.log(lengthOf(row, tokens)))
  const mean = logarithms.reduce((sum, value) => sum + value, 0) / logarithms.length
  const variance = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, logarithms.length - 1)
  const spread = found.rows.length === 1 && found.general ? SINGLE_SPREAD : Math.max(LEAST_SPREAD, Math.sqrt(variance))
  const low = Math.exp(Math.min(...logarithms))
  const high = Math.exp(Math.max(...logarithms))
  const range = found.rows.length === 1 ? plain(high) : `${plain(low)} to ${plain(high)}`
  return {
    tokensPerStep: Math.exp(mean),
    spread,
    source: `assumed: public acceptance of ${found.whose} with ${words}, ${range} tokens a step`,
    published: [...new Set(found.rows.map(({source}) => source))],
  }
}
