import {InputError} from '../core/input-error.ts'
import {yamlReader} from '../import/yaml-text.ts'
import {readText} from './world.ts'

/** What a JSON or YAML file of the user's holds. The YAML reader is loaded for YAML alone. @throws InputError DOCUMENT_INVALID. */
export async function readDocument(path: string, what: string): Promise<unknown> {
  const text = await readText(path, what)
  const isJson = /\.json$/i.test(path) || /^\s*[[{]/.test(text)
  try {
    if (isJson) return JSON.parse(text)
    const {parse} = await yamlReader()
    // A file of nested references could otherwise grow without bound; a manifest may hold several documents.
    return /^---\s*$/m.test(text) ? await documentsOf(text) : parse(text, {maxAliasCount: 100, prettyErrors: true})
  } catch (error) {
    throw new InputError(
      'DOCUMENT_INVALID',
      `${path} is not ${isJson ? 'JSON' : 'YAML'} (${(error as Error).message.split('\n')[0]!.slice(0, 200)}): expected ${what}`,
    )
  }
}

/** One document as it is, several as a list. */
async function documentsOf(text: string): Promise<unknown> {
  const {parseAllDocuments} = await yamlReader()
  const documents = parseAllDocuments(text, {prettyErrors: true})
  const values = documents.map((document) => {
    const [error] = document.errors
    if (error) throw error
    return document.toJS({maxAliasCount: 100}) as unknown
  })
  const held = values.filter((value) => value !== null)
  return held.length === 1 ? held[0] : held
}
