import {durationBeside, durationInWords} from '../../core/words.ts'
import type {CarriesNothing} from './question.ts'
import type {Demand} from './demand.ts'
import type {Reached} from '../answer/index.ts'

/** Why a machine does not carry a model. */
export interface CapacityProblem {
  name: string
  code: string
  message: string
  remedy?: string
  /** Of the nearest deployment with a single request: each limit, the mean that is expected, and the slow end. */
  limits?: Reached[]
  shareWithinLimits?: number
}

/** Why a demand is not carried, in words: with one request alone, what is expected, what is asked, and how sure that is. */
export function problemOf({code, because, remedy, nearest}: CarriesNothing, {name, slo}: Demand): CapacityProblem {
  if (!nearest) return {name, code, message: because, ...(remedy !== undefined && {remedy})}
  const {limits, shareWithinLimits} = nearest
  const missed = limits.filter(({limit, estimate}) => estimate > limit)
  const told = missed.length > 0 ? missed : limits
  const words = told.map(
    (reached) =>
      `${LIMIT_WORDS[reached.name]} ${durationBeside(reached.estimate, reached.limit)} expected (the limit is ${durationInWords(reached.limit)}; ${durationBeside(reached.high, reached.limit)} at the slow end)`,
  )
  const share =
    shareWithinLimits === undefined ? '' : `; ${Math.floor(shareWithinLimits * 100)}% of simulated requests keep the limits, where ${slo.percentile}% must`
  const {engine, weights, tp, pp, dp} = nearest.point.evaluation.deployment
  const layout = `${engine} ${weights} tp ${tp}${pp > 1 ? ` pp ${pp}` : ''}${dp > 1 ? ` dp ${dp}` : ''}`
  const lead = missed.length > 0 || shareWithinLimits !== undefined ? '' : `${because}; `
  return {
    name,
    code,
    message: `${lead}a single request: ${words.join(', ')}${share}; nearest layout: ${layout}`,
    limits,
    ...(shareWithinLimits !== undefined && {shareWithinLimits}),
  }
}

const LIMIT_WORDS = {ttftMs: 'first token', tpotMs: 'each further token', endToEndMs: 'whole answer'}

/** How far a problem is from being none: times over the limit that is missed most; what does not start comes last. */
export const missOf = ({code, limits = []}: CapacityProblem): number =>
  code === 'slo-missed' ? Math.max(1, ...limits.map(({limit, estimate}) => estimate / limit)) : Number.MAX_VALUE
