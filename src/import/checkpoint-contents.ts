import {weightsName} from '../catalogue/import/checkpoint-from.ts'
import type {Imported} from '../catalogue/import/import-config.ts'
import type {Architecture} from '../core/architecture.ts'
import type {Checkpoint, TensorClass} from '../core/model.ts'
import {countParameters} from '../core/tensors.ts'
import {checkpointBytes, draftWeightBytes, encoderWeightBytes, sumOf, weightBytes, WHOLE} from '../core/weights.ts'
import {formatsFrom, type StoredFormat} from './class-formats.ts'
import type {StoredTensor} from './safetensors-header.ts'
import {type StoredModule, storedModules} from './stored-modules.ts'
import {type Place, placeFinder} from './tensor-places.ts'

/** Agreement that is asked for between a configuration and the files it describes. */
const TOLERANCE = 0.01

interface Placed extends StoredModule {
  place: Place
}

/**
 * Holds what the configuration says against what the weight files hold. The bytes are the files'; where formats or
 * parameters disagree by more than 1% the files decide, and a warning says so.
 */
export function checkAgainstFiles({model, warnings: found}: Imported, tensors: readonly StoredTensor[]): Imported {
  const warnings = [...found]
  const find = placeFinder(model.architecture)
  const modules: Placed[] = storedModules(tensors).map((module) => ({...module, place: find(module.name)}))
  const bytes = modules.reduce((sum, module) => sum + module.bytes, 0)
  const architecture = settled(model.architecture, modules, warnings)
  const stated: Checkpoint = {...model.checkpoints[0]!, bytes}
  compareParameters(architecture, stated, modules, warnings)
  const checkpoint = settledFormats(architecture, stated, modules, bytes, warnings)
  return {model: {...model, architecture, checkpoints: [checkpoint, ...model.checkpoints.slice(1)]}, warnings}
}

const elementsOf = (modules: readonly Placed[], part: Place['part']): number =>
  modules.filter(({place}) => place.part === part).reduce((sum, {elements}) => sum + elements, 0)

/** The architecture with what only the files know: a single tower's exact size, and whether the head is the embedding. */
function settled(stated: Architecture, modules: readonly Placed[], warnings: string[]): Architecture {
  const architecture = {...stated}
  const [encoder] = stated.encoders ?? []
  const towers = elementsOf(modules, 'encoder')
  if (encoder && stated.encoders!.length === 1 && towers > 0) {
    architecture.encoders = [{...encoder, parameterCount: towers}]
    const estimate = warnings.findIndex((warning) => /parameters are an estimate$/.test(warning))
    if (estimate >= 0) warnings.splice(estimate, 1)
  }
  const hasHead = modules.some(({place}) => place.part === 'outer' && place.classes.includes('head'))
  const hasEmbedding = modules.some(({place}) => place.part === 'outer' && place.classes.includes('embedding'))
  if (!stated.tiedEmbeddings && hasEmbedding && !hasHead) {
    architecture.tiedEmbeddings = true
    warnings.push('the files have no head (lm_head): the embedding is assumed to serve as the head too')
  }
  return architecture
}

const percent = (part: number, whole: number): string => (whole === 0 ? 'wholly' : `${((100 * part) / whole).toFixed(1)}%`)
const apart = (a: number, b: number): boolean => Math.abs(a - b) > TOLERANCE * b

function compareParameters(architecture: Architecture, checkpoint: Checkpoint, modules: readonly Placed[], warnings: string[]): void {
  const stored = modules.reduce((sum, {elements}) => sum + elements, 0)
  const {language, encoders, draft} = countParameters(architecture)
  const computed = language + (checkpoint.encodersIncluded === false ? 0 : encoders) + (checkpoint.draftIncluded === false ? 0 : draft)
  if (stored > 0 && apart(computed, stored)) {
    warnings.push(
      `the files hold ${stored.toLocaleString('en-US')} parameters, the configuration describes ${computed.toLocaleString('en-US')} (${percent(computed - stored, stored)} apart)`,
    )
  }
}

/** The stated formats where the bytes agree with them; otherwise those that the tensors are stored in. */
function settledFormats(architecture: Architecture, stated: Checkpoint, modules: readonly Placed[], bytes: number, warnings: string[]): Checkpoint {
  const differing = differingParts(architecture, stated, modules, bytes)
  const computed = checkpointBytes(architecture, stated)
  if (!apart(computed, bytes) && differing.length === 0) return stated
  const unknown = modules.filter(({format, elements}) => format === undefined && elements > 0).reduce((sum, module) => sum + module.bytes, 0)
  const fromFiles: Checkpoint = {...stated, ...formatsFrom(formatsOf(modules))}
  if (fromFiles.exceptions === undefined) delete fromFiles.exceptions
  const closer =
    Math.abs(checkpointBytes(architecture, fromFiles) - bytes) < Math.abs(computed - bytes) ||
    (differing.length > 0 && !apart(checkpointBytes(architecture, fromFiles), bytes))
  const difference = `the files hold ${bytes.toLocaleString('en-US')} bytes, the configuration describes ${Math.round(computed).toLocaleString('en-US')} (${percent(computed - bytes, bytes)} apart${differing.length > 0 ? `; ${differing.join(', ')}` : ''})`
  if (!closer || unknown > TOLERANCE * bytes) {
    warnings.push(`${difference}; the configuration is used for the weights`)
    return stated
  }
  warnings.push(`${difference}; the formats in the files are used`)
  return {...fromFiles, weights: stated.weights === 'native' ? 'native' : weightsName(fromFiles.formats, undefined, stated.hfId)}
}

function* formatsOf(modules: readonly Placed[]): Generator<StoredFormat> {
  for (const {format, elements, vector, place} of modules) {
    if (format === undefined || vector || place.part === 'encoder') continue
    for (const tensorClass of place.classes) {
      yield {tensorClass, format, elements, ...(place.layer !== undefined && {layer: place.layer}), ...(place.part === 'draft' && {draft: true})}
    }
  }
}

/** Groups of classes whose bytes differ by more than 1%, and by enough to matter in the whole. */
function differingParts(architecture: Architecture, checkpoint: Checkpoint, modules: readonly Placed[], bytes: number): string[] {
  const stored = new Map<string, number>()
  for (const {place, bytes: own} of modules) {
    const group = place.part === 'draft' || place.part === 'encoder' ? place.part : groupOf(place.classes[0])
    stored.set(group, (stored.get(group) ?? 0) + own)
  }
  const computed = new Map<string, number>()
  const byClass = weightBytes(architecture, checkpoint, WHOLE)
  for (const [tensorClass, own] of byClass) computed.set(groupOf(tensorClass), (computed.get(groupOf(tensorClass)) ?? 0) + own)
  computed.set('draft', draftWeightBytes(architecture, checkpoint, WHOLE))
  computed.set('encoder', encoderWeightBytes(architecture, checkpoint, WHOLE))
  computed.set('head', (computed.get('head') ?? 0) + (architecture.headStoredTwice ? architecture.vocabularySize * architecture.hiddenSize * 2 : 0))
  if (sumOf(byClass) === 0) return []
  // Small tensors of all kinds (norms, routers, constants) are told apart by nobody's names: only the total counts there.
  return ['attention', 'mlp', 'experts', 'shared-experts', 'embedding', 'head', 'draft', 'encoder'].flatMap((group) => {
    const [have, want] = [stored.get(group) ?? 0, computed.get(group) ?? 0]
    if (Math.abs(have - want) <= TOLERANCE * Math.max(have, want) || Math.abs(have - want) <= 0.002 * bytes) return []
    return [`${group}: ${have.toLocaleString('en-US')} stored, ${Math.round(want).toLocaleString('en-US')} described`]
  })
}

const groupOf = (tensorClass: TensorClass | undefined): string => tensorClass?.split('.')[0] ?? 'small'
