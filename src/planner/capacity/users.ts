import {type Candidate, likelyFirst, MOST_IN_FLIGHT, rateCurve} from './candidate.ts'
import type {End} from './limits.ts'
import {busyInFlight, meanInFlight, mostPeople} from './population.ts'
import type {Carried, Carries, CarryLimit, CarryQuestion} from './question.ts'
import {leastFor, safest} from './safest.ts'
import {askedShare, populationLoad, simulatedShare, WARM_UP} from './simulated.ts'

const PERCENTILE_STEPS = 6
/** How many are in flight varies where people pause: the limits are kept at the number that is exceeded in no more than 5% of the time. */
const BUSY_SHARE = 0.95

/** Most users: in flight all the time, or with a pause between an answer and the next request. */
export function mostUsers(candidates: readonly Candidate[], question: CarryQuestion): Carried | undefined {
  const {demand} = question
  const pauseSeconds = demand.thinkSeconds ?? 0
  const ordered = likelyFirst(candidates)
  const found: {candidate: Candidate; carries: Carries}[] = []
  let enough = 0
  let beaten = 0
  for (const candidate of askedShare(demand) === undefined ? ordered : simulatedFirst(ordered)) {
    // What breaks a limit with so many in flight may have fewer, and of people who pause none more than in the mean were as many in flight.
    if (beaten > 0 && !candidate.keeps(beaten) && beaten - 1 + pauseSeconds * candidate.rateAt(beaten) + 1 < enough) continue
    const carries = usersOf(candidate, question, 'estimate')
    if (!carries) continue
    found.push({candidate, carries})
    const least = leastFor(carries.amount, question)
    if (least <= enough) continue
    enough = least
    beaten = pauseSeconds === 0 ? Math.ceil(enough) - 1 : candidate.most('estimate')
  }
  return safest(
    found.filter(({carries}) => carries.amount >= enough).map(({candidate, carries}) => ({carries, cautious: () => usersOf(candidate, question, 'high')})),
    question,
  )
}

/** The deployments that are worth a simulation, the one with most in flight and the one with the highest rate: they are the same however long people pause. */
function simulatedFirst(candidates: readonly Candidate[]): Candidate[] {
  const able = candidates.filter((candidate) => candidate.most('estimate') > 0)
  const first = (value: (candidate: Candidate) => number) => [...able].sort((a, b) => value(b) - value(a)).slice(0, 1)
  return [...new Set([...first((candidate) => candidate.most('estimate')), ...first((candidate) => candidate.rateAt(candidate.most('estimate')))])]
}

/** Users that one deployment carries at one end of the intervals; undefined: not one. */
function usersOf(candidate: Candidate, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const means = candidate.most(end)
  if (means === 0) return undefined
  const asked = askedShare(demand)
  const most = asked === undefined ? means : atShare(0, means, asked, (inFlight) => candidate.share(inFlight, end))
  if (most === 0) return undefined
  const limitedBy: CarryLimit = most < means ? 'percentile' : means === candidate.held ? 'cache' : means === MOST_IN_FLIGHT ? 'most-looked-at' : 'limits'
  const pauseSeconds = demand.thinkSeconds ?? 0
  const rate = rateCurve(candidate, most, end)
  if (pauseSeconds === 0)
    return {
      amount: most,
      requestsPerSecond: rate(most),
      limitedBy,
      point: candidate.at(most),
      at: (amount) => ({point: candidate.at(Math.max(1, Math.ceil(amount - 1e-9)))}),
      ...(asked !== undefined && {shareWithinLimits: candidate.share(most, end)}),
    }
  const flight = (people: number) => {
    const population = {people, pauseSeconds, rate}
    return {mean: meanInFlight(population), busy: Math.max(1, busyInFlight(population, asked ?? BUSY_SHARE, most))}
  }
  const bySize = mostPeople(pauseSeconds, rate, most, asked ?? BUSY_SHARE)
  const share = (people: number) => {
    const {busy} = flight(people)
    return simulatedShare(candidate.at(busy), demand, calibration, end, populationLoad(demand, people, busy), WARM_UP * busy)
  }
  // As many as may be in flight may pause as well: nothing is worse for it.
  const people = asked === undefined ? bySize : atShare(most, bySize, asked, share)
  const inFlight = flight(people)
  return {
    amount: people,
    requestsPerSecond: (people - inFlight.mean) / pauseSeconds,
    limitedBy: people < bySize ? 'percentile' : limitedBy,
    point: candidate.at(inFlight.busy),
    inFlight,
    at: (amount) => {
      const less = flight(amount)
      return {point: candidate.at(less.busy), inFlight: less}
    },
    ...(asked !== undefined && {shareWithinLimits: share(people)}),
  }
}

/** The largest whole number from `least`, which is taken to do, up to `most` with which the asked share of simulated requests keeps the limits; within a few steps. */
function atShare(least: number, most: number, asked: number, share: (amount: number) => number): number {
  if (share(most) >= asked) return most
  let [low, high] = [least, most]
  for (let step = 0; step < PERCENTILE_STEPS && high - low > 1; step++) {
    const middle = Math.floor((low + high) / 2)
    if (share(middle) >= asked) low = middle
    else high = middle
  }
  return low > 0 || share(1) < asked ? low : 1
}
