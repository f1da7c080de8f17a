import type {Checkpoint, FormatException, TensorClass, TensorFormats} from '../core/model.ts'
import {draftFormat, formatOf} from '../core/weights.ts'

/** What weight files say about a class of tensors in one layer. */
export interface StoredFormat {
  tensorClass: TensorClass
  format: string
  elements: number
  /** Absent outside the layers. */
  layer?: number
  draft?: boolean
}

type Tally = Map<string, {elements: number; layers: number[]}>

/**
 * A recipe that gives every class in every layer the format it is stored in: the commonest as `default`, what differs by
 * class, and by layer as exceptions.
 */
export function formatsFrom(stored: Iterable<StoredFormat>): Pick<Checkpoint, 'formats' | 'exceptions'> {
  const classes = new Map<TensorClass, Tally>()
  const draft = new Map<TensorClass, Tally>()
  const total = new Map<string, number>()
  for (const entry of stored) {
    const home = entry.draft ? draft : classes
    const tally: Tally = home.get(entry.tensorClass) ?? new Map()
    home.set(entry.tensorClass, tally)
    const known = tally.get(entry.format) ?? {elements: 0, layers: []}
    tally.set(entry.format, known)
    known.elements += entry.elements
    if (entry.layer !== undefined && known.layers.at(-1) !== entry.layer) known.layers.push(entry.layer)
    if (!entry.draft && entry.layer !== undefined) total.set(entry.format, (total.get(entry.format) ?? 0) + entry.elements)
  }
  const formats: TensorFormats = {default: [...total].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['bf16', 0] as [string, number])[0]}
  const exceptions: FormatException[] = []
  for (const [tensorClass, tally] of classes) {
    const usual = mostOf(tally)
    if (formatOf(formats, tensorClass) !== usual) formats[tensorClass] = usual
  }
  // Written after all classes: a later, shorter name must not be hidden by an earlier, longer one.
  for (const [tensorClass, tally] of classes) {
    const usual = formatOf(formats, tensorClass)
    for (const [format, {layers}] of tally) {
      if (format !== usual && layers.length > 0) exceptions.push({tensors: tensorClass, layers: [...new Set(layers)].sort((a, b) => a - b), format})
    }
  }
  for (const [tensorClass, tally] of draft) {
    const usual = mostOf(tally)
    if (draftFormat(formats, tensorClass) !== usual) formats[`draft.${tensorClass}`] = usual
  }
  return {formats, ...(exceptions.length > 0 && {exceptions})}
}

const mostOf = (tally: Tally): string => [...tally].reduce((best, entry) => (entry[1].elements > best[1].elements ? entry : best))[0]
