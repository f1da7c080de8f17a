import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {type Catalogue, catalogueOf} from './contents.ts'

export type {Catalogue, ClosedModel, KnownModel, ModelEntry} from './contents.ts'

/** Opens the JSON that `npm run build` compiled from `data/`. */
export function openCatalogue(folder: string): Catalogue {
  const place = (path: string) => join(folder, `${path}.json`)
  return catalogueOf({has: (path) => existsSync(place(path)), read: (path) => JSON.parse(readFileSync(place(path), 'utf8'))})
}
