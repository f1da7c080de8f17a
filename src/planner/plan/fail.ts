import {InputError} from '../../core/input-error.ts'
import {nearest} from '../../core/nearest.ts'
import type {Result, Verdict} from '../answer/index.ts'
import {dictionary} from '../../core/dictionary.ts'

/** A condition of `--fail-on`, and whether it holds of a result. */
export interface FailCondition {
  text: string
  holds(result: Result): boolean
}

const NO: readonly Verdict[] = ['too-slow', 'does-not-fit', 'unsupported']

const NAMED: Record<string, (result: Result) => boolean> = dictionary({
  no: ({verdict}) => NO.includes(verdict),
  tight: ({verdict}) => verdict === 'tight',
  extrapolated: ({performance}) => (performance?.basis.extrapolated.length ?? 0) > 0,
  warnings: ({warnings}) => warnings.length > 0,
})

/** Figures that may be compared; speeds at the cautious end, as plans are ranked. */
const FIGURES: Record<string, (result: Result) => number | undefined> = dictionary({
  outputTokensPerSecond: ({performance}) => performance?.outputTokensPerSecond.low,
  outputTokensPerSecondPerUser: ({performance}) => performance && 1000 / performance.tpotMs.high,
  outputTokensPerSecondPerGpu: ({performance, hardware}) => performance && performance.outputTokensPerSecond.low / hardware.gpus,
  ttftMs: ({performance}) => performance?.ttftMs.high,
  tpotMs: ({performance}) => performance?.tpotMs.high,
  maxModelLen: ({deployment}) => deployment.maxModelLen,
  kvCacheTokens: ({memory}) => memory.kvCacheTokens,
  gpus: ({hardware}) => hardware.gpus,
})

/**
 * `tight,extrapolated,outputTokensPerSecond<5000`: names and comparisons, comma-separated.
 * @throws InputError FAIL_ON_INVALID.
 */
export function parseFailOn(text: string): FailCondition[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(condition)
}

function condition(text: string): FailCondition {
  if (Object.hasOwn(NAMED, text)) return {text, holds: NAMED[text]!}
  const match = /^([a-z]+)\s*([<>])\s*(\d+(?:\.\d+)?)$/i.exec(text)
  const figure = match && Object.hasOwn(FIGURES, match[1]!) ? FIGURES[match[1]!] : undefined
  if (!match || !figure) {
    const known = [...Object.keys(NAMED), ...Object.keys(FIGURES)]
    throw new InputError(
      'FAIL_ON_INVALID',
      `--fail-on ${text}: expected ${Object.keys(NAMED).join(', ')}, or one of ${Object.keys(FIGURES).join(', ')} with < or > and a number`,
      {suggestions: nearest(match?.[1] ?? text, known)},
    )
  }
  const bound = Number(match[3])
  return {
    text,
    holds: (result) => {
      const value = figure(result)
      return value === undefined || (match[2] === '<' ? value < bound : value > bound)
    },
  }
}
