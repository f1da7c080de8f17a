/** Models that a user described in files of the catalogue's own form: what `models import --save` writes. */
import {readdirSync} from 'node:fs'
import {stat} from 'node:fs/promises'
import {join} from 'node:path'
import type {Catalogue, ModelEntry} from '../catalogue/catalogue.ts'
import {checkModelFile} from '../catalogue/model-schema.ts'
import {entryOf} from '../catalogue/model-entry.ts'
import {InputError} from '../core/input-error.ts'
import type {Model} from '../core/model.ts'
import {readTextFile} from './local-folder.ts'
import {yamlValue} from './yaml-text.ts'

/** Files of one folder that are read. */
const MOST_FILES = 2000

/** A model in a file of the catalogue's form. @throws InputError MODEL_FILE_INVALID with what is wrong, at most four things. */
export async function readModelFile(path: string, given = path): Promise<Model> {
  const text = await readTextFile(path, "a model as models import --save writes it, or a model's config.json")
  const value = await yamlValue(text, given, 'a model', 'MODEL_FILE_INVALID')
  if (typeof value !== 'object' || value === null || !('architecture' in value))
    throw new InputError(
      'MODEL_FILE_INVALID',
      `${given} does not describe a model: expected a file that models import --save wrote (a question is given with --scenario)`,
    )
  const {model, problems} = checkModelFile(given, value)
  if (!model) throw new InputError('MODEL_FILE_INVALID', problems.slice(0, 4).join('; '))
  // What lies on this machine is started from there, whatever it is called.
  return {...model, checkpoints: model.checkpoints.map((checkpoint) => (checkpoint.path === undefined ? checkpoint : {...checkpoint, hfId: checkpoint.path}))}
}

/** YAML files of a folder and of the folders in it, as publishers' folders in the catalogue. */
function yamlFilesOf(folder: string): string[] {
  const names: string[] = []
  for (const entry of readdirSync(folder, {withFileTypes: true})) {
    if (entry.isDirectory()) {
      for (const name of readdirSync(join(folder, entry.name))) if (/\.ya?ml$/i.test(name)) names.push(join(entry.name, name))
    } else if (/\.ya?ml$/i.test(entry.name)) names.push(entry.name)
  }
  return names
    .sort()
    .slice(0, MOST_FILES)
    .map((name) => join(folder, name))
}

/**
 * The catalogue with a user's models before its own: one of the same name or repository takes the place of the catalogued one.
 *
 * @throws InputError CATALOGUE_UNREADABLE for a folder that was named and cannot be read, MODEL_FILE_INVALID for a file in it.
 */
export async function withUserModels(catalogue: Catalogue, folders: readonly string[]): Promise<Catalogue> {
  const models = new Map<string, {model: Model; file: string}>()
  for (const folder of folders) {
    const found = await stat(folder).catch(() => undefined)
    if (!found?.isDirectory())
      throw new InputError('CATALOGUE_UNREADABLE', `${folder} is not a folder: expected one with models that models import --save wrote`)
    for (const file of yamlFilesOf(folder)) {
      const model = await readModelFile(file)
      const other = models.get(model.id)
      // What is named on the command line is read last and wins.
      if (other?.file.startsWith(folder)) throw new InputError('MODEL_FILE_INVALID', `${file}: the id ${model.id} is also that of ${other.file}`)
      models.set(model.id, {model, file})
    }
  }
  if (models.size === 0) return catalogue
  let entries: ModelEntry[] | undefined
  const own = [...models.values()].map(({model, file}): ModelEntry => ({...entryOf(model), file}))
  const claimed = new Set(own.flatMap(({checkpointIds}) => checkpointIds).map((name) => name.toLowerCase()))
  return Object.create(catalogue, {
    modelEntries: {
      get: () =>
        (entries ??= [
          ...own,
          ...catalogue.modelEntries
            .filter(({id}) => !models.has(id))
            .map((entry) => ({...entry, checkpointIds: entry.checkpointIds.filter((name) => !claimed.has(name.toLowerCase()))})),
        ]),
    },
    model: {value: (id: string) => models.get(id)?.model ?? catalogue.model(id)},
  }) as Catalogue
}
