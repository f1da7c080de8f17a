/** How long a server may take to come up and to go down, in seconds, and what that is made of. */
import type {Startable} from './startable.ts'
import {count} from '../numbers.ts'

export interface Patience {
  seconds: number
  because: string
}

const decimal = (value: number): string => String(Math.round(value * 10) / 10)

/** Bytes a second of a download where nothing is known of the line: a gigabit line, not to itself. */
const DOWNLOAD_BYTES_PER_SECOND = 100e6
/** Bytes a second of the disk that weights lie on, where nothing is known of it: what a SATA drive reads. */
const DISK_BYTES_PER_SECOND = 500e6
/** What follows the weights: kernels are compiled and tuned, graphs are captured. Minutes as a rule, and a server that is stopped in the middle begins anew. */
const COMPILE_SECONDS = 1800

/** How long the first start may take: the download where there is one, the weights off the disk and onto the cards, and what is compiled. */
export function startPatience({checkpointBytes = 0, modelPath, model, loading}: Startable): Patience {
  const gigabytes = `${decimal(checkpointBytes / 1e9)} GB`
  const parts = ['half an hour to compile and tune']
  let seconds = COMPILE_SECONDS
  const add = (bytes: number, rate: number, words: (seconds: number) => string): void => {
    const own = Math.ceil(bytes / rate)
    if (own <= 0) return
    seconds += own
    parts.push(words(own))
  }
  if (modelPath === undefined && !model.startsWith('/'))
    add(checkpointBytes, DOWNLOAD_BYTES_PER_SECOND, (own) => `${count(own)} s to download ${gigabytes} at 100 MB/s`)
  add(checkpointBytes, DISK_BYTES_PER_SECOND, (own) => `${count(own)} s to read ${parts.length > 1 ? 'them' : gigabytes} at 500 MB/s`)
  if (loading)
    add(loading.bytesPerGpu, loading.bytesPerSecond, (own) => `${count(own)} s onto the cards at ${decimal(loading.bytesPerSecond / 1e9)} GB/s for each`)
  return {seconds, because: parts.join(', ')}
}

/** Answers are waited for so long at least, and at most. */
const LEAST_WAIT_SECONDS = 60
const MOST_WAIT_SECONDS = 600

/** How long a stop waits for answers that are being given: as long as one takes at the planned load. */
export function stopPatience({answerSeconds}: Startable): Patience {
  if (answerSeconds === undefined) return {seconds: LEAST_WAIT_SECONDS, because: 'for answers that are being given'}
  const seconds = Math.min(MOST_WAIT_SECONDS, Math.max(LEAST_WAIT_SECONDS, Math.ceil(answerSeconds)))
  const takes = answerSeconds < 1 ? 'less than 1 s' : `up to ${count(Math.ceil(answerSeconds))} s`
  return {seconds, because: `for answers that are being given: one takes ${takes} at the planned load`}
}

/** What the engine itself takes to end after the last answer, before it is killed. */
const ENDING_SECONDS = 30

/** From the word to stop until it is killed. */
export const killSeconds = (startable: Startable): number => stopPatience(startable).seconds + ENDING_SECONDS
