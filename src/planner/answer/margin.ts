/** The safety margin: how far an estimate may be off, by what in it is not known. */
import {PairMemo} from '../../core/bounded-map.ts'
import type {Deployment} from '../../core/deployment.ts'
import {type MemoryEstimate, requestBytes} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import type {Engine, Subject} from '../../engines/engine.ts'
import {errorFactor} from '../../engines/memory-errors.ts'
import {isKnownByName, recipeRange} from '../../engines/recipe-range.ts'

const GIB = 1024 ** 3
/** Equal runs on memory shared with the system differ by up to 3.4 GiB: half of that either way. */
const UNIFIED_BYTES = 1.7 * GIB
/** What a card shows and gives to a process varies with its size: errors of logs on 24 to 288 GiB grow by about this share of it. */
const CARD_SHARE = 0.01
/** Logged weights of assumed recipes lie within 1.5% in two of three cases, those of published ones within 0.9%; of a build that is known by its name alone, half of what it may take more. */
const ASSUMED_WEIGHTS = 0.015
/** Drafts of their own are assumed by their method: 0.6 to 1.5 times that in the published pairs. */
const ASSUMED_DRAFT = 0.5
/** Room for requests of models that mix kinds of layers comes out within 4% in two of three cases, that of others within 2.4%. */
const HYBRID_ROOM = 0.04

export interface Margin {
  bytes: number
  because: string
}

type Spreads = Pick<Engine, 'spreadBytes' | 'memoryErrors'>

/** Margins that were reckoned already: an engine makes each estimate for one checkpoint, machine and deployment. */
const KNOWN = new PairMemo<Spreads, MemoryEstimate, Margin>(2000)

/**
 * Independent errors add up by their squares; how many times their sum a range takes is what logs showed of such models, releases and platforms. Half
 * of an interval of memory: an answer is tight where its low end does not reach.
 */
export const marginOf = (subject: Subject, deployment: Deployment, memory: MemoryEstimate, engine: Spreads): Margin =>
  KNOWN.once(engine, memory, '', () => marginAnew(subject, deployment, memory, engine))

function marginAnew(subject: Subject, deployment: Deployment, memory: MemoryEstimate, engine: Spreads): Margin {
  const {checkpoint, gpu, model} = subject
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  const draft = sumBytes(memory.terms.filter(({part, kind}) => part === 'weights' && kind === 'assumed'))
  const parts: [string, number][] = [
    ['the engine itself', memory.spreadBytes ?? engine.spreadBytes],
    ['the card', CARD_SHARE * memory.totalBytes],
  ]
  if (gpu.accelerator.unifiedMemory && gpu.freeBytes === undefined) parts.push(['memory shared with the system', UNIFIED_BYTES])
  if (checkpoint.formatsAssumed)
    parts.push([
      'an assumed recipe of the weights',
      weights * Math.max(ASSUMED_WEIGHTS, ((isKnownByName(checkpoint) ? (recipeRange(model, checkpoint)?.highShare ?? 1) : 1) - 1) / 2),
    ])
  if (draft > 0) parts.push([`an assumed ${deployment.speculative?.method ?? ''} draft`, ASSUMED_DRAFT * draft])
  const kinds = new Set(
    model.architecture.layerKinds.flatMap(({mixers}) => mixers.map((mixer) => (mixer.kind === 'full' && mixer.window ? 'window' : mixer.kind))),
  )
  if (kinds.size > 1) parts.push(['layers of several kinds', HYBRID_ROOM * Math.max(0, requestBytes(memory))])
  const {factor, unseen} = errorFactor(engine.memoryErrors, {
    architecture: model.architecture,
    accelerator: gpu.accelerator,
    version: deployment.engineVersion,
    ownSpread: memory.spreadBytes !== undefined,
  })
  const bytes = Math.round(factor * Math.hypot(...parts.map(([, part]) => part)))
  const words = parts.map(([name, part]) => `${name} ${bytesInWords(Math.round(factor * part))}`)
  if (unseen.length > 0) words.push(`wider because no log of ${unseen.join(' or of ')} is known`)
  return {bytes, because: words.join(', ')}
}
