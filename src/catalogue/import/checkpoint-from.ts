import {type Architecture, layerCounts, type LayerKind} from '../../core/architecture.ts'
import type {Checkpoint, FormatException, TensorClass, TensorFormats} from '../../core/model.ts'
import {draftTensors, elementCount, layerTensors} from '../../core/tensors.ts'
import {formatOf as formatByDefault} from '../../core/weights.ts'
import {draftRoots, HEAD_NAMES, LAYER_ROOTS, moduleNames} from './modules.ts'
import type {Recipe} from './recipe.ts'

/** Elements of each class that a recipe may quantise, in one layer of a kind. */
function quantisable(architecture: Architecture, kind: LayerKind): Map<TensorClass, number> {
  const sums = new Map<TensorClass, number>()
  for (const tensor of layerTensors(architecture, kind)) if (!tensor.unquantised) sums.set(tensor.class, (sums.get(tensor.class) ?? 0) + elementCount(tensor))
  return sums
}

/** Published at 16 bits whatever the recipe says: the key compressors of DeepSeek-V4. */
const NEVER_QUANTISED: readonly TensorClass[] = ['attention.compressor']

type ByFormat = Map<string, {elements: number; layers: number[]}>

const note = (formats: ByFormat, format: string, elements: number, layer: number) => {
  const entry = formats.get(format) ?? {elements: 0, layers: []}
  entry.elements += elements
  entry.layers.push(layer)
  formats.set(format, entry)
}

/** Parents of layers that the recipe's lists mention, so that names of other families are not tried. */
function rootsIn(recipe: Recipe): string[] {
  const sample = recipe.listed.length > 2000 ? recipe.listed.slice(0, 2000) : recipe.listed
  const literal = sample.map((entry) => entry.replace(/^re:/, '').replaceAll('\\.', '.'))
  const used = LAYER_ROOTS.filter((root) => literal.some((entry) => entry.startsWith(`${root}.`) || entry.includes(`*${root}.`)))
  return used.length > 0 ? used : ['model.layers']
}

/** The format of a class among the answers for its modules: any that is left at 16 bits leaves the class. */
function formatOfModules(recipe: Recipe, tensorClass: TensorClass, modules: string[], layer: number): string {
  const counts = new Map<string, number>()
  for (const module of modules) {
    const format = recipe.formatOf(module, layer)
    counts.set(format, (counts.get(format) ?? 0) + 1)
  }
  return counts.size === 1
    ? [...counts.keys()][0]!
    : pick(recipe.formatOf(tensorClass.startsWith('experts') ? 'unheard-of.experts.0.module' : 'unheard-of.module', undefined), counts)
}

/**
 * Only the spelling that the family uses gets the special answer; in a list of what is left alone that is 16 bits, in a
 * map of what is quantised it is the quantised format. Whatever differs from what an unheard-of module gets, wins.
 */
function pick(common: string, counts: Map<string, number>): string {
  const special = [...counts.entries()].filter(([format]) => format !== common).sort((a, b) => b[1] - a[1])
  return special[0]?.[0] ?? common
}

export interface Formats {
  formats: TensorFormats
  exceptions?: FormatException[]
}

/** Formats of every tensor class under a recipe, layer by layer where the recipe says so. */
export function formatsUnder(recipe: Recipe, architecture: Architecture): Formats {
  const byClass = new Map<TensorClass, ByFormat>()
  const roots = rootsIn(recipe)
  const counts = layerCounts(architecture)
  const layersOf = architecture.layerKinds.map(() => [] as number[])
  for (const [layer, kind] of architecture.layerSequence.entries()) layersOf[kind]!.push(layer)
  architecture.layerKinds.forEach((kind, index) => {
    if (counts[index] === 0) return
    const names = moduleNames(kind)
    for (const [tensorClass, elements] of quantisable(architecture, kind)) {
      const modules = names.get(tensorClass)
      if (!modules) continue
      if (NEVER_QUANTISED.includes(tensorClass)) {
        byClass.set(tensorClass, new Map([['bf16', {elements: elements * counts[index]!, layers: layersOf[index]!}]]))
        continue
      }
      const formats = byClass.get(tensorClass) ?? new Map()
      byClass.set(tensorClass, formats)
      let same: string | undefined
      for (const layer of layersOf[index]!) {
        const format =
          same ??
          formatOfModules(
            recipe,
            tensorClass,
            roots.flatMap((root) => modules.map((module) => `${root}.${layer}.${module}`)),
            layer,
          )
        if (!recipe.dependsOnLayer) same = format
        note(formats, format, elements, layer)
      }
    }
  })
  const general = generalFormats(byClass)
  const head = architecture.tiedEmbeddings ? undefined : recipe.headFormat(HEAD_NAMES)
  if (head !== undefined && head !== formatByDefault(general, 'head')) general.head = head
  addDraft(general, recipe, architecture)
  const exceptions = exceptionsFrom(byClass, general)
  return exceptions.length > 0 ? {formats: general, exceptions} : {formats: general}
}

const largest = (formats: ByFormat): string => [...formats.entries()].reduce((best, entry) => (entry[1].elements > best[1].elements ? entry : best))[0]

const mostCommon = (names: string[]): string =>
  names.reduce((best, name) => (names.filter((other) => other === name).length > names.filter((other) => other === best).length ? name : best))

const parents = (tensorClass: string): string => tensorClass.split('.')[0]!

/** One format for most, further ones by class, written for a whole group of classes where all of it agrees. */
function generalFormats(byClass: Map<TensorClass, ByFormat>): TensorFormats {
  const total = new Map<string, number>()
  for (const formats of byClass.values()) for (const [format, {elements}] of formats) total.set(format, (total.get(format) ?? 0) + elements)
  const quantised = [...total.entries()].sort((a, b) => b[1] - a[1])
  const result: TensorFormats = {default: quantised[0]?.[0] ?? 'bf16'}
  const classes = [...byClass.keys()]
  for (const group of new Set(classes.map(parents))) {
    const members = classes.filter((tensorClass) => parents(tensorClass) === group)
    const wanted = members.map((member) => largest(byClass.get(member)!))
    const usual = mostCommon(wanted)
    if (members.some((member, index) => wanted[index] === usual && formatByDefault(result, member) !== usual)) result[group] = usual
    members.forEach((member, index) => {
      if (formatByDefault(result, member) !== wanted[index]) result[member] = wanted[index]!
    })
  }
  return result
}

/** Layers of a class whose format is not the class's general one; a whole group of classes is written as one. */
function exceptionsFrom(byClass: Map<TensorClass, ByFormat>, general: TensorFormats): FormatException[] {
  const found = new Map<string, {format: string; layers: number[]; classes: TensorClass[]}>()
  for (const [tensorClass, formats] of byClass) {
    const usual = formatByDefault(general, tensorClass)
    for (const [format, {layers}] of formats) {
      if (format === usual) continue
      const sorted = [...layers].sort((a, b) => a - b)
      const key = `${format} ${sorted.join()}`
      const entry = found.get(key) ?? {format, layers: sorted, classes: []}
      entry.classes.push(tensorClass)
      found.set(key, entry)
    }
  }
  return [...found.values()].flatMap(({format, layers, classes}) => {
    const groups = [...new Set(classes.map(parents))]
    return groups.flatMap((group) => {
      const members = classes.filter((tensorClass) => parents(tensorClass) === group)
      const present = [...byClass.entries()].filter(
        ([tensorClass, formats]) =>
          parents(tensorClass) === group && [...formats.values()].some((entry) => entry.layers.some((layer) => layers.includes(layer))),
      )
      return present.length === members.length ? [{tensors: group, layers, format}] : members.map((tensors) => ({tensors, layers, format}))
    })
  })
}

/** Draft layers are asked under their own names; one left alone as a whole is written `draft: bf16`. */
function addDraft(general: TensorFormats, recipe: Recipe, architecture: Architecture): void {
  const {draft} = architecture
  if (!draft) return
  const layer = architecture.layerSequence.length
  const names = moduleNames(draft.kind)
  const wanted = new Map<TensorClass, string>()
  for (const tensor of draftTensors(architecture)) {
    const modules = names.get(tensor.class)
    if (modules && !tensor.unquantised)
      wanted.set(
        tensor.class,
        formatOfModules(
          recipe,
          tensor.class,
          draftRoots(layer).flatMap((root) => modules.map((module) => `${root}.${module}`)),
          layer,
        ),
      )
  }
  if ([...wanted.values()].every((format) => format === 'bf16') && general.default !== 'bf16') {
    general.draft = 'bf16'
    return
  }
  for (const [tensorClass, format] of wanted) if (formatByDefault(general, tensorClass) !== format) general[`draft.${tensorClass}`] = format
}

/** Short name of the weights as people ask for them, from the formats, the method and the repository's name. */
export function weightsName(formats: TensorFormats, recipe: Recipe | undefined, hfId: string | undefined): string {
  const format = formats.default === 'bf16' || formats.default === 'fp16' ? (dominantQuantised(formats) ?? formats.default) : formats.default
  const name = hfId ?? ''
  const converted = /awq|gptq|int4|int8|w4a|w8a|4bit|8bit|fp8|fp4|quant|bnb|qat/i.test(name.split('/').at(-1) ?? '')
  if (recipe?.mixture && !converted && recipe.quantMethod !== 'mxfp4') return 'native'
  if (format.startsWith('awq-int4')) return 'awq-int4'
  if (format.startsWith('gptq-int4')) return 'gptq-int4'
  if (format.startsWith('int4-')) return /gptq/i.test(name) ? 'gptq-int4' : recipe?.quantMethod === 'awq' || /awq/i.test(name) ? 'awq-int4' : 'compressed-int4'
  if (format === 'fp8-channel') return 'fp8'
  if (format === 'nvfp4-weight-only') return 'nvfp4'
  if (format === 'int8-group') return 'gptq-int8'
  return format
}

function dominantQuantised(formats: TensorFormats): string | undefined {
  const others = Object.entries(formats).filter(([name, format]) => name !== 'default' && !name.startsWith('draft') && format !== 'bf16')
  return (others.find(([name]) => name.startsWith('experts')) ?? others[0])?.[1]
}

/** A checkpoint as published without quantisation. */
export const plainCheckpoint = (hfId: string, type: 'bf16' | 'fp16' | 'fp32'): Checkpoint => ({hfId, weights: type, formats: {default: type}})
