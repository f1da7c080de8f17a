import type {Model} from '../../core/model.ts'
import {countParameters} from '../../core/tensors.ts'
import {checkpointsOfWeights} from '../answer/index.ts'

/** What a model must be like; absent: anything. Parameters are counts, not billions. */
export interface ModelFilter {
  minParams?: number
  maxParams?: number
  maxActive?: number
  /** Part of the licence's name, in any case. */
  licence?: string
  modality?: string
  /** Context that the model must reach, with the scaling its publisher documents. */
  minContextTokens?: number
  family?: string
  /** Short format name that a published checkpoint must have. */
  weights?: string
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '')

/** Whether a model of the catalogue is one of those that are asked for. */
export function matches(model: Model, filter: ModelFilter): boolean {
  const {architecture, licence, modality, family, extendedContext} = model
  if (filter.family !== undefined && !plain(family).startsWith(plain(filter.family))) return false
  if (filter.licence !== undefined && !plain(licence ?? '').includes(plain(filter.licence))) return false
  if (filter.modality !== undefined && !(modality ?? ['text']).includes(filter.modality.toLowerCase())) return false
  if (filter.minContextTokens !== undefined && Math.max(architecture.contextTokens, extendedContext?.tokens ?? 0) < filter.minContextTokens) return false
  if (filter.weights !== undefined && checkpointsOfWeights(model, filter.weights.toLowerCase()).length === 0) return false
  if (filter.minParams === undefined && filter.maxParams === undefined && filter.maxActive === undefined) return true
  const {total, active} = countParameters(architecture)
  return isAtLeast(total, filter.minParams) && isAtMost(total, filter.maxParams) && isAtMost(active, filter.maxActive)
}

/** As the tables print it: whoever types a number back that stood there means that model too. */
const printed = (parameters: number): number => Number(parameters.toPrecision(3))
const isAtLeast = (parameters: number, least = 0): boolean => Math.max(parameters, printed(parameters)) >= least
const isAtMost = (parameters: number, most = Number.POSITIVE_INFINITY): boolean => Math.min(parameters, printed(parameters)) <= most
