import type {Catalogue} from '../catalogue/catalogue.ts'

/** The document with the hash of the data that it was made from, so that a change of data can be told from another difference. */
export function stamped<D extends {schemaVersion: number}>({dataVersion}: Pick<Catalogue, 'dataVersion'>, document: D): D & {dataVersion: string} {
  const {schemaVersion, ...rest} = document
  return {schemaVersion, dataVersion, ...rest} as D & {dataVersion: string}
}
