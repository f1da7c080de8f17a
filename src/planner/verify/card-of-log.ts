/** The card that a log is of, where nobody says it and none is here. */
import {matchDriverReport} from '../../catalogue/find-gpu.ts'
import type {Accelerator} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {bytesInWords} from '../../core/words.ts'
import type {LogReport} from '../../verify/log-report.ts'

/** What a runtime sees of a card is up to this share less than what its driver reports. */
const SEEN_SHARE = 0.03

const likely = (gpus: readonly Accelerator[], totalBytes: number): Accelerator[] =>
  gpus
    .filter(({memoryBytes, slice}) => slice === undefined && Math.abs(totalBytes / memoryBytes - 1) <= SEEN_SHARE)
    .sort((a, b) => Math.abs(a.memoryBytes - totalBytes) - Math.abs(b.memoryBytes - totalBytes))

/** The card by the name that a line of the log holds; undefined where none does. */
export function cardOfLog(gpus: readonly Accelerator[], {deviceName, figures}: LogReport): Accelerator | undefined {
  if (deviceName === undefined) return undefined
  const match = matchDriverReport(gpus, {name: deviceName, memoryBytes: figures.totalBytes})
  return match.kind === 'found' ? match.gpu : undefined
}

/** That the card must be named, with those that have the log's memory. */
export function cardMissing(gpus: readonly Accelerator[], {figures}: LogReport, gpuCount: number): InputError {
  const names = figures.totalBytes === undefined ? [] : likely(gpus, figures.totalBytes).map(({id}) => id)
  const memory = figures.totalBytes === undefined ? '' : `, only that it has ${bytesInWords(figures.totalBytes)}`
  return new InputError(
    'GPU_MISSING',
    `The log does not say which card it is of${memory}, and there is no GPU here: give it with --gpu, such as --gpu ${gpuCount}x${names[0] ?? 'rtx-4090'}`,
    {suggestions: names.slice(0, 5).map((id) => `${gpuCount}x${id}`)},
  )
}
