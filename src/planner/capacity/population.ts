/**
 * People who each send a request, read the answer, pause, and send the next: a closed network with two places, thinking and being served. With
 * `people` in all, of whom n are being served at a rate X(n), the number in flight is a birth and death process: births at (people - n) / pause,
 * deaths at X(n). Its balance gives the distribution of n, p(n + 1) / p(n) = (people - n) / (pause X(n + 1)) (a finite population: Kleinrock 1975,
 * Queueing Systems 1, section 3.8, with a service that depends on the load), whatever the law of the pauses (Baskett, Chandy, Muntz and Palacios
 * 1975). Where the time of an answer does not depend on the load it is the binomial distribution; the mean obeys the interactive response time law,
 * X = N / (Z + R). Without a pause all are in flight: the closed loop itself.
 */

/** Requests a second that are answered with so many in flight; never fewer with more. */
export type RateInFlight = (inFlight: number) => number

export interface Population {
  people: number
  /** Mean seconds between an answer and the next request of the same person. */
  pauseSeconds: number
  rate: RateInFlight
}

/** Terms smaller than this against the sum so far, and falling, add nothing. */
const NEGLIGIBLE = 1e-12
/** Beyond this a weight is scaled down, with what was summed before it. */
const LARGE = 1e200

/** Probability that at most so many are in flight. */
export function shareInFlight({people, pauseSeconds, rate}: Population, most: number): number {
  if (most >= people) return 1
  if (pauseSeconds <= 0) return 0
  let weight = 1
  let within = 0
  let beyond = 0
  for (let n = 0; n <= people; n++) {
    if (n <= most) within += weight
    else beyond += weight
    const ratio = (people - n) / (pauseSeconds * rate(n + 1))
    weight *= ratio
    if (n >= most && ((ratio < 1 && weight < NEGLIGIBLE * (within + beyond)) || NEGLIGIBLE * beyond > within)) break
    if (weight > LARGE) {
      within /= weight
      beyond /= weight
      weight = 1
    }
  }
  return within / (within + beyond)
}

/** The least number that is not exceeded with this probability, up to `most`. */
export function busyInFlight(population: Population, share: number, most: number): number {
  let [low, high] = [0, Math.min(most, Math.ceil(population.people))]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (shareInFlight(population, middle) >= share) high = middle
    else low = middle
  }
  return high
}

/** Mean number in flight. */
export function meanInFlight({people, pauseSeconds, rate}: Population): number {
  if (pauseSeconds <= 0) return people
  let weight = 1
  let sum = 0
  let moment = 0
  for (let n = 0; n <= people; n++) {
    sum += weight
    moment += n * weight
    const ratio = (people - n) / (pauseSeconds * rate(n + 1))
    weight *= ratio
    if (ratio < 1 && weight < NEGLIGIBLE * sum) break
    if (weight > LARGE) {
      sum /= weight
      moment /= weight
      weight = 1
    }
  }
  return moment / sum
}

/** Most people of whom, with this probability, no more than `most` are in flight: never fewer than `most` themselves. */
export function mostPeople(pauseSeconds: number, rate: RateInFlight, most: number, share: number): number {
  if (pauseSeconds <= 0) return most
  const keeps = (people: number) => shareInFlight({people, pauseSeconds, rate}, most) >= share
  // With more than this the next number is likelier than the last that is allowed: half of the time it is exceeded.
  let [low, high] = [most, most + Math.ceil(pauseSeconds * rate(most + 1)) + 1]
  while (keeps(high)) [low, high] = [high, 2 * high]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (keeps(middle)) low = middle
    else high = middle
  }
  return low
}
