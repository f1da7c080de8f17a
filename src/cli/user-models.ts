/** Models of the user's own: files in their settings, and in folders named with --catalogue. */
import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {settingsFolder} from './measured-file.ts'

/** Where `models import --save` puts models, and every command looks for them. */
export const userModelsFolder = (env: Record<string, string | undefined>): string => join(settingsFolder(env), 'models')

/** A look at the folder's names is all that a run without models of its own pays. */
function holdsFiles(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch {
    return false
  }
}

/** The catalogue with the user's models in it. @throws InputError for a folder or file that cannot be read. */
export async function withOwnModels(catalogue: Catalogue, named: readonly string[], env: Record<string, string | undefined>): Promise<Catalogue> {
  const usual = userModelsFolder(env)
  const folders = [...(holdsFiles(usual) ? [usual] : []), ...named]
  if (folders.length === 0) return catalogue
  const {withUserModels} = await import('../import/user-catalogue.ts')
  return withUserModels(catalogue, folders)
}
