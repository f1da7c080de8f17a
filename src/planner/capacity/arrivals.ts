import {type Candidate, likelyFirst} from './candidate.ts'
import type {Demand} from './demand.ts'
import {type End, keepsLimits} from './limits.ts'
import type {Carried, Carries, CarryLimit, CarryQuestion} from './question.ts'
import {leastFor, safest} from './safest.ts'
import {askedShare, simulatedLoad, simulatedShare} from './simulated.ts'

/** Deployments whose rate under open arrivals is looked for, best under a closed loop first. */
const TRIED = 6
const RATE_STEPS = 12
const PERCENTILE_STEPS = 6

/** The deployments that answer most requests a second with as many in flight as keep the limits. */
function quickest(candidates: readonly Candidate[]): Candidate[] {
  const best: {candidate: Candidate; rate: number; most: number}[] = []
  for (const candidate of likelyFirst(candidates)) {
    const last = best[TRIED - 1]
    // Fewer in flight answer fewer a second.
    if (last && !candidate.keeps(last.most) && candidate.rateAt(last.most) <= last.rate) continue
    const most = candidate.most('estimate')
    if (most > 0) best.push({candidate, rate: candidate.rateAt(most), most})
    best.sort((a, b) => b.rate - a.rate).splice(TRIED)
  }
  return best.map(({candidate}) => candidate)
}

/** Highest rate of independent arrivals within the limits and the share of saturation that is planned with. */
export function highestRate(candidates: readonly Candidate[], question: CarryQuestion): Carried | undefined {
  const open = quickest(candidates)
    .map((candidate) => ({candidate, means: rateOf(candidate, question, 'estimate')}))
    .filter((found): found is {candidate: Candidate; means: Carries} => found.means !== undefined)
    .sort((a, b) => b.means.amount - a.means.amount)
  const found: {candidate: Candidate; carries: Carries}[] = []
  let enough = 0
  for (const {candidate, means} of open) {
    if (means.amount < enough) break
    const carries = rateAtPercentile(candidate, means, question, 'estimate')
    if (!carries) continue
    found.push({candidate, carries})
    enough = Math.max(enough, leastFor(carries.amount, question))
  }
  const cautious = (candidate: Candidate) => {
    const slow = rateOf(candidate, question, 'high')
    return slow && rateAtPercentile(candidate, slow, question, 'high')
  }
  return safest(
    found.filter(({carries}) => carries.amount >= enough).map(({candidate, carries}) => ({carries, cautious: () => cautious(candidate)})),
    question,
  )
}

/** Highest rate of independent arrivals at which one deployment keeps the limits, and stays below the asked share of saturation. */
function rateOf(candidate: Candidate, {demand, maxUtilisation}: CarryQuestion, end: End): Carries | undefined {
  const carries = (rate: number, limitedBy: CarryLimit): Carries => ({
    amount: rate,
    requestsPerSecond: rate,
    limitedBy,
    point: candidate.arriving(rate),
    at: arrivingAt(candidate),
  })
  const keeps = (rate: number) => keepsLimits(candidate.arriving(rate), demand.slo, end)
  const most = plainRate(saturatedRate(candidate, demand, end) * maxUtilisation)
  if (keeps(most)) return carries(most, 'utilisation')
  let [low, high] = [0, most]
  for (let step = 0; step < RATE_STEPS; step++) {
    const middle = (low + high) / 2
    if (keeps(middle)) low = middle
    else high = middle
  }
  const rate = plainRate(low)
  return rate > 0 && keeps(rate) ? carries(rate, 'limits') : undefined
}

const arrivingAt = (candidate: Candidate) => (rate: number) => ({point: candidate.arriving(rate)})

/** Less than the rate whose means keep the limits, until the asked share of simulated requests does. */
function rateAtPercentile(candidate: Candidate, means: Carries, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const asked = askedShare(demand)
  if (asked === undefined) return means
  const at = (share: number): Carries => {
    const rate = share === 1 ? means.amount : plainRate(means.amount * share)
    const point = share === 1 ? means.point : candidate.arriving(rate)
    const shareWithinLimits = simulatedShare(point, demand, calibration, end, simulatedLoad(demand, {requestsPerSecond: rate}))
    return {amount: rate, requestsPerSecond: rate, limitedBy: share === 1 ? means.limitedBy : 'percentile', point, shareWithinLimits, at: means.at}
  }
  const whole = at(1)
  if (whole.shareWithinLimits! >= asked) return whole
  let best: Carries | undefined
  let [low, high] = [0, 1]
  for (let step = 0; step < PERCENTILE_STEPS; step++) {
    const middle = (low + high) / 2
    const tried = at(middle)
    if (tried.shareWithinLimits! >= asked) {
      best = tried
      low = middle
    } else high = middle
  }
  return best
}

/** Four digits, rounded down: a rate that one can type. */
function plainRate(rate: number): number {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 3)
  return Number((Math.floor(rate / unit) * unit).toPrecision(4))
}

/** Requests a second at which the queue would grow without end. */
function saturatedRate(candidate: Candidate, {outputTokens}: Demand, end: End): number {
  const {estimate, low} = candidate.arriving(1e9).performance.outputTokensPerSecond
  return (end === 'high' ? low : estimate) / outputTokens
}
