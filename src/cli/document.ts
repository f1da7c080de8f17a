import {InputError} from '../core/input-error.ts'
import {jsonProblem} from '../core/json-problem.ts'
import {readText} from './world.ts'

/** What a JSON or YAML file of the user's holds. The YAML reader is loaded for YAML alone. @throws InputError DOCUMENT_INVALID. */
export async function readDocument(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what)
  if (!/\.json$/i.test(path) && !/^\s*[[{]/.test(text)) return yamlOf(text, path, what)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError('DOCUMENT_INVALID', `${path} is not JSON (${jsonProblem(text, error)}): expected ${what}`)
  }
}

async function yamlOf(text: string, place: string, what: string): Promise<unknown> {
  const {yamlValue} = await import('../import/yaml-text.ts')
  return yamlValue(text, place, what)
}
