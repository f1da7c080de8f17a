import * as Flags from '@oclif/core/flags'
import type {Objectives} from '../planner/scenario/index.ts'
import {InputError} from '../core/input-error.ts'
import {percentOf} from '../core/words.ts'
import {parseNumber} from './quantities.ts'

const LIMITS = 'LIMITS'

const milliseconds = (name: string, description: string) =>
  Flags.custom<number>({description, helpValue: 'MS', helpGroup: LIMITS, parse: async (text) => parseNumber(text, name, {min: 0.001, max: 1e9})})()

function parsePercentile(text: string): number {
  const value = percentOf(text)
  if (value !== undefined && value >= 1 && value <= 99.9) return value
  throw new InputError('NUMBER_INVALID', `--slo-percentile ${text}: expected a share of requests from 1% to 99.9%, such as 95, 95% or 0.95`)
}

/** Latency limits. */
export const sloFlags = {
  'slo-ttft-ms': milliseconds('slo-ttft-ms', 'longest time to the first token'),
  'slo-tpot-ms': milliseconds('slo-tpot-ms', 'longest time for each further token'),
  'slo-e2e-ms': milliseconds('slo-e2e-ms', 'longest time from a request to its last token'),
  'slo-percentile': Flags.custom<number>({
    description: 'share of requests that must keep the limits, as 95, 95% or 0.95, judged by the simulator (default: the mean must)',
    helpValue: 'PERCENT',
    helpGroup: LIMITS,
    parse: async (text) => parsePercentile(text),
  })(),
}

/** The limits of flags, over those of a file. */
export function objectivesFrom(flags: Record<string, unknown>, below: Objectives = {}): Objectives {
  const value = (name: keyof typeof sloFlags) => flags[name] as number | undefined
  const limits = {
    ttftMs: value('slo-ttft-ms') ?? below.ttftMs,
    tpotMs: value('slo-tpot-ms') ?? below.tpotMs,
    endToEndMs: value('slo-e2e-ms') ?? below.endToEndMs,
    percentile: value('slo-percentile') ?? below.percentile,
  }
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
}
