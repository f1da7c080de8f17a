/** Models that are known by name and size only: a stand-in whose weights have the right size, and nothing else. */
import type {Catalogue, KnownModel} from '../../catalogue/catalogue.ts'
import {publisherOf} from '../../catalogue/build-name.ts'
import {isWeightFormat} from '../../core/formats.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {dictionary} from '../../core/dictionary.ts'

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')

/** The entry of a name (`Beam-1.0-501B-A23B`) or a repository, and its checkpoint where one was named. */
export function knownByName({knownModels}: Catalogue, name: string): {known: KnownModel; repository?: string} | undefined {
  const asked = name.trim().toLowerCase()
  for (const known of knownModels) {
    const repository = [known.hfId, ...known.checkpoints.map(({hfId}) => hfId)].find((own) => own.toLowerCase() === asked)
    if (repository !== undefined) return {known, repository}
  }
  if (asked.includes('/')) return undefined
  const wanted = plain(asked)
  const known = knownModels.find(({hfId, name: title}) => plain(hfId.split('/').at(-1)!) === wanted || plain(title) === wanted)
  return known && {known}
}

/** Width of the stand-in: any that groups of every format divide. */
const WIDTH = 4096

/** One block of matrices with as many parameters as the model: its bytes are right, whatever the format and however they are split. */
export function standIn(known: KnownModel, publishers: readonly string[]): Model {
  const checkpoints = known.checkpoints.map(({hfId, weights}): Checkpoint => {
    const publisher = publisherOf(hfId, known, publishers)
    return {hfId, weights, formats: {default: FORMATS[weights] ?? weights}, ...(publisher && {publisher})}
  })
  return {
    id: plainId(known.hfId),
    hfId: known.hfId,
    name: known.name,
    family: 'unknown',
    architecture: {
      vocabularySize: 1,
      hiddenSize: WIDTH,
      tiedEmbeddings: true,
      contextTokens: known.contextTokens ?? 8192,
      layerKinds: [
        {name: 'unknown', mixers: [], feedForward: {kind: 'dense', intermediateSize: Math.round(known.totalParams / (2 * WIDTH)), gated: false}, normCount: 0},
      ],
      layerSequence: [0],
    },
    checkpoints: checkpoints.filter(({formats}) => isWeightFormat(formats.default)),
    published: {totalParams: known.totalParams, ...(known.activeParams !== undefined && {activeParams: known.activeParams}), source: known.source},
    knownByName: {...(known.since && {since: known.since}), ...(known.contextTokens !== undefined && {contextTokens: known.contextTokens})},
  }
}

const FORMATS: Record<string, string> = dictionary({'compressed-int4': 'int4-group128'})

const plainId = (hfId: string): string => hfId.split('/').at(-1)!.toLowerCase().replaceAll('_', '-')
