/** Meanings that several engines share. */
import {findCacheFormat} from '../../../core/formats.ts'
import {isStateFormat, stateFormatOf, weightsOf} from '../../words.ts'
import {counted, ignored, mappingOf, type Meaning, type Reading, textOf, type Value, wholeNumber, wrong} from './reading.ts'
import {dictionary} from '../../../core/dictionary.ts'

export const cacheFormatMeaning: Meaning = (value, {request}) => {
  const name = textOf(value)?.toLowerCase() ?? ''
  const format = name === 'auto' ? 'auto' : findCacheFormat(name)?.id
  if (format === undefined) return ignored('this cache format is not modelled', true)
  request.kvCache = format
  return counted(`kvCache ${format}`)
}

/** The method of quantisation: what it says of the weights is for whoever knows the checkpoint to judge. */
export const quantizationMeaning: Meaning = (value, {request}) => {
  const name = textOf(value) ?? ''
  const format = weightsOf(name)
  if (format === name && name !== 'fp8' && name !== 'mxfp4' && name !== 'mxfp8') return ignored('the checkpoint says how it is quantised')
  request.weights = format
  return counted(`weights ${format}`)
}

export const dtypeMeaning: Meaning = (value, {request}) => {
  if (!/^(?:float|float32)$/.test(textOf(value) ?? '')) return ignored('what is not quantised takes 16 bits either way')
  request.weights ??= 'fp32'
  return counted('weights fp32')
}

export const stateFormatMeaning: Meaning = (value, {request}) => {
  const name = textOf(value) ?? ''
  if (name === 'auto') return ignored('as the model says, by default')
  if (!isStateFormat(name)) return wrong('expects float32, bfloat16 or float16')
  request.stateFormat = stateFormatOf(name)
  return counted(`stateFormat ${request.stateFormat}`)
}

/** `{"image": 2, "video": 0}`, or `image=2,video=0` as older releases took it. */
export const limitsMeaning: Meaning = (value, {request}) => {
  const text = textOf(value) ?? ''
  const given = mappingOf(text) ?? Object.fromEntries([...text.matchAll(/([a-z_]+)=(\d+)/gi)].map(([, kind, most]) => [kind, Number(most)]))
  const limits: Record<string, number> = dictionary()
  for (const [kind, limit] of Object.entries(given)) {
    const most = typeof limit === 'object' && limit !== null ? ((limit as {count?: unknown}).count ?? 999) : limit
    if (!Number.isInteger(most) || (most as number) < 0) return wrong(`${kind.slice(0, 40)} expects a whole number`)
    limits[kind] = most as number
  }
  if (Object.keys(limits).length === 0) return wrong('expects limits such as {"image": 1, "video": 0}')
  request.multimodal = {...request.multimodal, limits}
  return counted(
    `limits of ${Object.entries(limits)
      .map(([kind, most]) => `${kind} ${most}`)
      .join(', ')}`,
  )
}

export const languageOnlyMeaning: Meaning = (value, {request}) => {
  if (value === false) return ignored('as by default')
  request.multimodal = {...request.multimodal, languageOnly: true}
  return counted('the language model alone')
}

export const sizesMeaning: Meaning = (value, {request, humanIntegers}) => {
  const words = Array.isArray(value) ? value : (textOf(value) ?? '').split(/[\s,[\]]+/).filter((word) => word !== '')
  const sizes = words.map((word) => wholeNumber(word, humanIntegers))
  if (sizes.length === 0 || sizes.some((size) => size === undefined || size < 1)) return wrong('expects batch sizes')
  request.graphs = {...request.graphs, sizes: sizes as number[]}
  return counted(`graphs of ${sizes.length} batch sizes`)
}

export const graphLimitMeaning: Meaning = (value, {request, humanIntegers}) => {
  const most = wholeNumber(value, humanIntegers)
  if (most === undefined || most < 1) return wrong('expects a batch size')
  request.graphs = {...request.graphs, maxBatch: most}
  return counted(`graphs up to a batch of ${most}`)
}

export const queueMeaning =
  (field: 'maxQueuedRequests' | 'maxQueuedTokens' | 'everySteps' | 'waitSteps'): Meaning =>
  (value, {request, humanIntegers}) => {
    const most = wholeNumber(value, humanIntegers)
    if (most === undefined || most < (field === 'everySteps' ? 1 : 0)) return wrong('expects a whole number')
    request.admission = {...request.admission, [field]: most}
    return counted(`${field} ${most}`)
  }

export const poolingMeaning: Meaning = (value, {request}) => {
  if (value === false) return ignored('as by default')
  request.runner = 'pooling'
  return counted('runner pooling')
}

/** Adapters, once all words are known: on only where they are switched on. */
export function finishAdapters(
  {request, words}: Reading,
  usual: {count: number; maxRank: number; targets?: readonly string[]},
  names: {on: string; count: string; rank: string; targets: string},
): void {
  if (words.get(names.on) !== true) return
  const number = (name: string): number | undefined => wholeNumber(words.get(name) ?? false, true)
  const targets = words.get(names.targets)
  const modules = Array.isArray(targets) ? targets : targets === undefined ? [] : [String(targets)]
  // What is written where nobody says a module is nobody's choice.
  const isUsual = usual.targets !== undefined && JSON.stringify([...modules].sort()) === JSON.stringify([...usual.targets].sort())
  request.lora = {
    count: number(names.count) ?? usual.count,
    maxRank: number(names.rank) ?? usual.maxRank,
    ...(modules.length > 0 && !isUsual && {targets: modules}),
  }
}

/** A word of adapters: it says something only where adapters are switched on. */
export const adapterMeaning =
  (isOn: (words: Reading['words']) => boolean): Meaning =>
  (_value: Value, {words}) =>
    isOn(words) ? counted('adapters') : ignored('adapters are not switched on')

export const contextFields = /rope|max_position_embeddings|yarn/i

/** Fields of the model's configuration that a longer context wants. */
export const overridesMeaning: Meaning = (value) =>
  contextFields.test(String(value)) ? counted("the context's scaling") : ignored("changes of the model's configuration are not modelled", true)
