import {readdirSync, readFileSync} from 'node:fs'
import {parse} from 'yaml'
import {checkModelFile} from '../../src/catalogue/model-schema.ts'
import type {Model} from '../../src/core/model.ts'

const folder = new URL('../../data/models/', import.meta.url)

export interface ModelFileCase {
  path: string
  organisation: string
  value: unknown
}

/** Every file below data/models. */
export const modelFiles: ModelFileCase[] = readdirSync(folder).flatMap((organisation) =>
  readdirSync(new URL(`${organisation}/`, folder)).map((file) => {
    const path = `${organisation}/${file}`
    return {path, organisation, value: parse(readFileSync(new URL(path, folder), 'utf8'))}
  }),
)

/** The model of a file of the catalogue. @throws when the file has problems. */
export function modelOf({path, value}: ModelFileCase): Model {
  const {model, problems} = checkModelFile(path, value)
  if (!model) throw new Error(problems.join('\n'))
  return model
}

export function catalogued(id: string): Model {
  const file = modelFiles.find(({path}) => path.endsWith(`/${id}.yaml`))
  if (!file) throw new Error(`no file for ${id}`)
  return modelOf(file)
}
