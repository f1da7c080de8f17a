import type {Catalogue} from '../catalogue/catalogue.ts'
import {cacheFormatIds, weightFormatIds} from '../core/formats.ts'
import type {Candidate, Names} from './candidates.ts'

/** Compiled for completion: engines with their releases, and formats of start files. */
export interface CompletionWords {
  engines: {id: string; title: string; versions: string[]}[]
  formats: {id: string; summary: string}[]
}

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({value}))

/** The names of a catalogue. */
export function namesOf(catalogue: Catalogue): Names {
  const words = () => catalogue.file<CompletionWords>('completion')
  return {
    models: () => catalogue.modelEntries.map(({id, name}) => ({value: id, description: name})),
    repositories: () => catalogue.modelEntries.flatMap(({checkpointIds, name}) => checkpointIds.map((value) => ({value, description: name}))),
    gpus: () => catalogue.gpus.map(({id, name}) => ({value: id, description: name})),
    machines: () => catalogue.systems.map(({id, name}) => ({value: id, description: name})),
    engines: () => words().engines.map(({id, title}) => ({value: id, description: title})),
    versions: (engine) => {
      const {engines} = words()
      const found = engine === undefined ? engines[0] : engines.find(({id}) => id === engine)
      return plain([...(found?.versions ?? [])].reverse())
    },
    weights: () => plain(weightFormatIds),
    cacheFormats: () => plain(['auto', ...cacheFormatIds]),
    formats: () => words().formats.map(({id, summary}) => ({value: id, description: summary})),
  }
}
