/** The model behind what an engine or a client printed: a repository, a folder that lies here too, or a path of another machine. */
import {InputError} from '../../core/input-error.ts'
import {type Context, looksLikeModelPath, modelOf, type NamedModel} from '../world/index.ts'

/** Names to look it up by: as printed, else the folder that it lay in. */
function namesOf(printed: string): string[] {
  const parts = printed
    .replace(/\/+$/, '')
    .split('/')
    .filter((part) => part !== '')
  const [folder, name] = [parts.at(-2), parts.at(-1)]
  const path = looksLikeModelPath(printed) || parts.length > 2
  return [printed, ...(path && folder && name ? [`${folder}/${name}`] : []), ...(name && path ? [name] : [])]
}

/** Undefined where none of its names is known. A folder of that name that lies here is what ran, as far as can be told. */
export async function printedModel(context: Context, printed: string): Promise<{name: string; found: NamedModel} | undefined> {
  for (const name of namesOf(printed)) {
    // Only the name as printed may be asked for elsewhere: a guess must not reach a hub.
    const asked = name === printed ? context : {...context, repository: undefined}
    const found = await modelOf(asked, name).catch((error: unknown) => {
      if (error instanceof InputError) return undefined
      throw error
    })
    if (found) return {name, found}
  }
  return undefined
}
