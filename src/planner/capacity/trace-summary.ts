import type {TraceRequest} from '../../core/simulator/load.ts'

/** A trace in short: what a closed form needs. */
export interface TraceSummary {
  requests: number
  seconds: number
  inputTokens: number
  outputTokens: number
  meanRequestsPerSecond: number
  /** Of the busiest window of a minute; the mean where the trace is shorter. */
  peakRequestsPerSecond: number
  /** Of a trace that is longer than is simulated: how many requests in a row are, the busiest ones. */
  busiestRequests?: number
}

const WINDOW_MS = 60_000

/** Arrivals of one minute that are told apart; of more, neighbours count as one that arrived with the later of them. */
const MOST_TIMES = 2 ** 16

/** The most arrivals within a minute, of requests in order. Memory is bounded: beyond `MOST_TIMES` a minute is a little longer, never shorter. */
class BusiestMinute {
  most = 0
  private inside = 0
  private from = 0
  private times: number[] = []
  private counts: number[] = []

  add(arrivalMs: number): void {
    this.times.push(arrivalMs)
    this.counts.push(1)
    this.inside += 1
    while (arrivalMs - this.times[this.from]! > WINDOW_MS) {
      this.inside -= this.counts[this.from]!
      this.from += 1
    }
    this.most = Math.max(this.most, this.inside)
    if (this.times.length - this.from > MOST_TIMES) this.coarsen()
    else if (this.from > MOST_TIMES) this.forget()
  }

  /** Those that have left the minute are not needed again. */
  private forget(): void {
    this.times = this.times.slice(this.from)
    this.counts = this.counts.slice(this.from)
    this.from = 0
  }

  private coarsen(): void {
    this.forget()
    const [times, counts] = [this.times, this.counts]
    this.times = []
    this.counts = []
    for (let at = 0; at < times.length; at += 2) {
      this.times.push(times[at + 1] ?? times[at]!)
      this.counts.push(counts[at]! + (counts[at + 1] ?? 0))
    }
  }
}

/** Sums up requests that come in order of arrival, one by one. */
export class TraceSums {
  private requests = 0
  private firstMs = 0
  private lastMs = 0
  private inputTokens = 0
  private outputTokens = 0
  private readonly minute = new BusiestMinute()

  add({arrivalMs, inputTokens, outputTokens}: TraceRequest): void {
    if (this.requests === 0) this.firstMs = arrivalMs
    this.requests += 1
    this.lastMs = arrivalMs
    this.inputTokens += inputTokens
    this.outputTokens += outputTokens
    this.minute.add(arrivalMs)
  }

  summary(): TraceSummary {
    const {requests} = this
    const mean = (tokens: number) => Math.max(1, Math.round(tokens / requests))
    const span = this.lastMs - this.firstMs
    const meanRequestsPerSecond = span > 0 ? ((requests - 1) * 1000) / span : requests
    return {
      requests,
      seconds: span / 1000,
      inputTokens: mean(this.inputTokens),
      outputTokens: mean(this.outputTokens),
      meanRequestsPerSecond,
      peakRequestsPerSecond: span > WINDOW_MS ? Math.max(meanRequestsPerSecond, (this.minute.most * 1000) / WINDOW_MS) : meanRequestsPerSecond,
    }
  }
}
