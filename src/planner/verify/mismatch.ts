/** Whether a log can be of the card, the model and the layout that it is compared with. */
import {matchDriverReport} from '../../catalogue/find-gpu.ts'
import {plainName} from '../../catalogue/gpu-names.ts'
import type {Accelerator, Vendor} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {requestBytes} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import type {LogReport} from '../../verify/log-report.ts'
import type {Evaluation} from '../answer/index.ts'
import {kindsOfLayers} from './layer-kinds.ts'
import {dictionary} from '../../core/dictionary.ts'

/** What of a log contradicts the question, in words. */
export interface Mismatch {
  of: 'card' | 'model' | 'layout' | 'memory'
  message: string
}

/** Devices by the word that engines print for them (vllm/platforms, sglang's --device): whose cards they are. ROCm calls itself cuda too. */
const VENDORS: Record<string, readonly Vendor[]> = dictionary({
  cuda: ['nvidia', 'amd'],
  rocm: ['amd'],
  xpu: ['intel'],
  hpu: ['intel'],
  npu: ['huawei'],
  tpu: ['google'],
  mps: ['apple'],
  metal: ['apple'],
})

/** As drivers and engines differ in what they call a card's total (see `memoryTolerance` of the catalogue); variants of a card differ by more. */
const TOTAL_TOLERANCE = 0.08
/** Estimates of weights lie within a few per cent; formats and models differ by more than this, and small ones need some room. */
const WEIGHTS_TOLERANCE = 0.3
const LEAST_WEIGHTS_BYTES = 2 ** 29
/** Of the card: no estimate of a deployment that was understood was ever as far off. */
const ROOM_TOLERANCE = 0.25

/** What is no card: a processor that serves by itself. */
const isProcessor = ({vendor}: Accelerator): boolean => String(vendor) === 'cpu'

/** @throws InputError LOG_OF_CPU: where there was no card there is nothing to compare with one. */
export function requireCard({device}: LogReport, accelerator: Accelerator | undefined): void {
  if (device === 'cpu' && (accelerator === undefined || !isProcessor(accelerator)))
    throw new InputError(
      'LOG_OF_CPU',
      'The log is of a start on a CPU, which says nothing of a GPU: expected the log of a start on the GPU that is asked about',
    )
}

/** Whether the name that a log prints is another card's. A name that the catalogue does not have says nothing. */
function isAnotherCard(accelerator: Accelerator, name: string, gpus: readonly Accelerator[]): boolean {
  const own = [accelerator.id, accelerator.name, ...accelerator.aliases, ...(accelerator.sharedAliases ?? [])]
  if (accelerator.slice !== undefined || own.some((spelling) => plainName(spelling) === plainName(name))) return false
  const match = matchDriverReport(gpus, {name})
  return match.kind === 'found' && match.gpu.id !== accelerator.id
}

/** Where the log says what the card holds, that decides; else what it used of it. */
function memoryMismatch({memory, machine}: Evaluation, {figures}: LogReport): string | undefined {
  const {accelerator} = machine.gpus[0]!
  if (accelerator.unifiedMemory) return undefined
  const {totalBytes, weightsBytes = 0, kvCacheBytes = 0, activationBytes = 0} = figures
  const card = machine.gpus.reduce((least, {memoryBytes}) => Math.min(least, memoryBytes), Number.POSITIVE_INFINITY)
  if (totalBytes !== undefined)
    return Math.abs(totalBytes / card - 1) > TOTAL_TOLERANCE
      ? `the log is of a device with ${bytesInWords(totalBytes)}, but ${accelerator.name} has ${bytesInWords(memory.totalBytes)}`
      : undefined
  const used = weightsBytes + kvCacheBytes + activationBytes
  return used > card * (1 + TOTAL_TOLERANCE)
    ? `weights, cache and trial run in the log take ${bytesInWords(used)}, but ${accelerator.name} has ${bytesInWords(memory.totalBytes)}`
    : undefined
}

/** A difference in the room for the cache that no error of an estimate explains; what was taken out of the engine's hands is left out. */
function roomMismatch({memory, deployment, machine}: Evaluation, {figures, engine}: LogReport): string | undefined {
  const {kvCacheBytes, kvCacheTokens} = figures
  const given = deployment.kvCacheBytes ?? deployment.kvCacheTokens ?? deployment.kvCacheBlocks
  if (machine.gpus[0]!.accelerator.unifiedMemory || given !== undefined || engine === 'trtllm') return undefined
  const predicted = requestBytes(memory)
  const reported =
    kvCacheBytes ?? (kvCacheTokens !== undefined && memory.kvCacheTokens > 0 ? (kvCacheTokens / memory.kvCacheTokens) * Math.max(0, predicted) : undefined)
  if (reported === undefined || Math.abs(reported - predicted) <= ROOM_TOLERANCE * memory.totalBytes) return undefined
  return `the cache in the log takes ${bytesInWords(Math.max(0, reported))} where ${bytesInWords(Math.max(0, predicted))} would be left: it is of another card, or of another share of memory than ${deployment.gpuMemoryUtilization}`
}

function weightsMismatch({memory, model, checkpoint, machine}: Evaluation, {figures}: LogReport): Mismatch | undefined {
  const predicted = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  const {weightsBytes} = figures
  if (weightsBytes === undefined || !(predicted > 0)) return undefined
  const difference = Math.abs(weightsBytes - predicted)
  if (difference <= LEAST_WEIGHTS_BYTES || difference <= WEIGHTS_TOLERANCE * predicted) return undefined
  // What the system keeps of the files counts as the engine's there: 29 GiB more were seen.
  if (machine.gpus[0]!.accelerator.unifiedMemory && weightsBytes > predicted)
    return {
      of: 'memory',
      message: `memory is shared with the system, and ${bytesInWords(weightsBytes)} for weights of ${bytesInWords(predicted)} count what it keeps of their files`,
    }
  const message = `weights of ${bytesInWords(weightsBytes)} are not those of ${model.name} as ${checkpoint.weights} in this layout (${bytesInWords(predicted)})`
  return {of: 'model', message}
}

/** Bytes of a token: what a model of one kind of layers takes is known to the byte. */
function tokenMismatch({memory, model, deployment}: Evaluation, {figures}: LogReport): string | undefined {
  const {kvCacheBytes, kvCacheTokens} = figures
  if (kvCacheBytes === undefined || kvCacheTokens === undefined || kvCacheTokens <= 0 || kvCacheBytes <= 0 || memory.kvCacheTokens <= 0) return undefined
  if (kindsOfLayers(model).size !== 1 || (deployment.decodeContextParallel ?? 1) > 1 || deployment.dp > 1) return undefined
  const [reported, predicted] = [kvCacheBytes / kvCacheTokens, requestBytes(memory) / memory.kvCacheTokens]
  const ratio = reported / predicted
  if (ratio > 0.5 && ratio < 2) return undefined
  return `a token of the log takes ${kibibytes(reported)} of cache, one of ${model.name} as ${deployment.kvCache} in this layout ${kibibytes(predicted)}`
}

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(bytes < 10_240 ? 1 : 0)} KiB`

/** Everything that speaks against the log being of what was asked; the first of each kind. */
export function mismatchesOf(best: Evaluation, report: LogReport, gpus: readonly Accelerator[], namedGpuCount: number): Mismatch[] {
  const {accelerator} = best.machine.gpus[0]!
  const found: Mismatch[] = []
  const add = (of: Mismatch['of'], message: string | undefined) => {
    if (message !== undefined && !found.some((one) => one.of === of)) found.push({of, message})
  }
  const vendors = report.device === undefined ? undefined : VENDORS[report.device]
  if (vendors && !vendors.includes(accelerator.vendor)) add('card', `the log is of a device of the kind ${report.device}, which ${accelerator.name} is not`)
  if (report.deviceName !== undefined && isAnotherCard(accelerator, report.deviceName, gpus))
    add('card', `the log names the card ${report.deviceName.slice(0, 80)}, but the question is about ${accelerator.name}`)
  add('card', memoryMismatch(best, report))
  const needed = best.engine.gpuCount(best.deployment)
  if (needed > namedGpuCount) add('layout', `the layout of the log takes ${needed} GPUs, but ${namedGpuCount === 1 ? 'one is' : `${namedGpuCount} are`} named`)
  const weights = weightsMismatch(best, report)
  add(weights?.of ?? 'model', weights?.message)
  add('model', tokenMismatch(best, report))
  if (found.length === 0) add('card', roomMismatch(best, report))
  return found
}
