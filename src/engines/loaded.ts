/** Weights that an engine does not keep as the checkpoint stores them. */
import type {Deployment} from '../core/deployment.ts'
import type {Checkpoint} from '../core/model.ts'
import type {EngineData, Subject} from './engine.ts'
import {formatAnswer, packerOf} from './support-formats.ts'

/** By the checkpoint, then by what was widened: the same object for the same question, as sums are remembered by it. */
const KNOWN = new WeakMap<Checkpoint, Map<string, Checkpoint>>()

/** The checkpoint as it lies in memory: formats that the card has no kernel for are widened while the weights are loaded. */
export function asLoaded(
  {checkpoint, gpu}: Pick<Subject, 'checkpoint' | 'gpu'>,
  {engine, engineVersion}: Pick<Deployment, 'engine' | 'engineVersion'>,
  data: EngineData,
): Checkpoint {
  const {formats, exceptions} = checkpoint
  const used = new Set([...Object.values(formats), ...(exceptions ?? []).map(({format}) => format)])
  const packer = packerOf(checkpoint.quantMethod, [...used])
  const wider = new Map<string, string>()
  for (const format of used) {
    const {widenedTo} = formatAnswer(data.support, engine, format, gpu.accelerator, engineVersion, packer)
    if (widenedTo !== undefined) wider.set(format, widenedTo)
  }
  if (wider.size === 0) return checkpoint
  const key = [...wider].map((pair) => pair.join()).join(' ')
  const loaded = KNOWN.get(checkpoint) ?? new Map<string, Checkpoint>()
  KNOWN.set(checkpoint, loaded)
  const known = loaded.get(key)
  if (known) return known
  const widened = (format: string): string => wider.get(format) ?? format
  const made: Checkpoint = {
    ...checkpoint,
    formats: {...formats, ...Object.fromEntries(Object.entries(formats).map(([tensors, format]) => [tensors, widened(format)]))},
    ...(exceptions && {exceptions: exceptions.map((one) => ({...one, format: widened(one.format)}))}),
  }
  loaded.set(key, made)
  return made
}
