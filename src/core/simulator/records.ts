import type {Requests} from './load.ts'

/** What happened to each request, by order of arrival, and to the replica meanwhile. Times are milliseconds; NaN: it did not happen. */
export interface Records {
  arrivalMs: Float64Array
  /** When the first step that works on it began. */
  startMs: Float64Array
  /** When the client had the first token and the last. */
  firstTokenMs: Float64Array
  finishMs: Float64Array
  inputTokens: Int32Array
  outputTokens: Int32Array
  /** Its prompt and answer are larger than the whole cache. */
  refused: Uint8Array
  /** The measured requests: from this one up to, and without, that one. */
  measuredFrom: number
  measuredTo: number

  /** The window: from the arrival of the first measured request to that of the first measured no more, or to the end of all. What follows is summed over it. */
  fromMs: number
  toMs: number
  busyMs: number
  outputTokensInWindow: number
  promptTokensInWindow: number
  /** Sequences running, requests waiting, blocks used: times milliseconds. */
  runningMs: number
  waitingMs: number
  blockMs: number

  /** Over the whole run. `totalBlocks` is Infinity where the cache has no limit. */
  totalBlocks: number
  peakRunning: number
  peakWaiting: number
  peakBlocks: number
  waitingAtLastArrival: number
  preemptions: number
  recomputedTokens: number
  iterations: number
  /** Prompts computed anew after a preemption count again. */
  computedPromptTokens: number
  emittedTokens: number
}

/** Nothing has happened yet. `skipFirst` and `skipLast` requests are not measured. */
export function emptyRecords(requests: Requests, totalBlocks: number, skipFirst: number, skipLast: number): Records {
  const {count} = requests
  const never = () => new Float64Array(count).fill(NaN)
  const measuredFrom = Math.min(count, Math.max(0, skipFirst))
  return {
    arrivalMs: requests.arrivalMs.slice(),
    startMs: never(),
    firstTokenMs: never(),
    finishMs: never(),
    inputTokens: requests.inputTokens,
    outputTokens: requests.outputTokens,
    refused: new Uint8Array(count),
    measuredFrom,
    measuredTo: Math.max(measuredFrom, count - Math.max(0, skipLast)),
    fromMs: Infinity,
    toMs: Infinity,
    busyMs: 0,
    outputTokensInWindow: 0,
    promptTokensInWindow: 0,
    runningMs: 0,
    waitingMs: 0,
    blockMs: 0,
    totalBlocks,
    peakRunning: 0,
    peakWaiting: 0,
    peakBlocks: 0,
    waitingAtLastArrival: 0,
    preemptions: 0,
    recomputedTokens: 0,
    iterations: 0,
    computedPromptTokens: 0,
    emittedTokens: 0,
  }
}
