import type {Document, Node, Pair} from 'yaml'
import {InputError} from '../core/input-error.ts'

/** The largest YAML that is read: it takes two or three seconds. Scenarios, and manifests that a cluster takes, are below. */
const MOST_CHARACTERS = 2 ** 20
/** Names of anchors that are looked at; each reference is followed through all of them. */
const MOST_ALIASES = 100

/** Bundled, a CommonJS package has everything under its default export; from source, beside it. */
async function yamlReader(): Promise<typeof import('yaml')> {
  const loaded: typeof import('yaml') & {default?: typeof import('yaml')} = await import('yaml')
  return loaded.default ?? loaded
}

/**
 * What a YAML text holds: one document as it is, several as a list. The reader's own search for equal keys compares each with each; here every
 * mapping's keys are put in a set, which takes a time in proportion to the text.
 *
 * @throws InputError DOCUMENT_INVALID, FILE_TOO_LARGE.
 */
export async function yamlValue(text: string, place: string, what: string, code = 'DOCUMENT_INVALID'): Promise<unknown> {
  if (text.length > MOST_CHARACTERS) throw new InputError('FILE_TOO_LARGE', `${place} has more than ${MOST_CHARACTERS / 2 ** 20} MiB of YAML: expected ${what}`)
  const {parseAllDocuments, parseDocument, isAlias, visit} = await yamlReader()
  // The reader would look up the line of every error from the start of the text: of thousands, that takes minutes.
  const options = {prettyErrors: false, uniqueKeys: false} as const
  try {
    const documents: Document.Parsed[] = /^---\s*$/m.test(text) ? [...parseAllDocuments(text, options)] : [parseDocument(text, options)]
    const values = documents.map((document) => {
      const [error] = document.errors
      if (error) throw new Error(`${error.message.slice(0, 150)} ${placeIn(text, error.pos[0])}`)
      let aliases = 0
      visit(document, {
        Node: (_, node) => {
          if (isAlias(node) && ++aliases > MOST_ALIASES) throw new Error(`more than ${MOST_ALIASES} references to anchors`)
        },
        Map: (_, {items}) => requireDistinct(items),
      })
      return document.toJS({maxAliasCount: MOST_ALIASES}) as unknown
    })
    const held = documents.length === 1 ? values : values.filter((value) => value !== null)
    return held.length === 1 ? held[0] : held
  } catch (error) {
    if (error instanceof InputError) throw error
    const problem = /^Maximum call stack/.test((error as Error).message) ? 'it is nested too deeply' : (error as Error).message.split('\n')[0]!.slice(0, 200)
    throw new InputError(code, `${place} is not YAML (${problem}): expected ${what}`)
  }
}

/** Where an error is, as people count. */
function placeIn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `at line ${before.length}, column ${before.at(-1)!.length + 1}`
}

/** One key of a mapping twice: the later would win without a word. */
function requireDistinct(items: readonly Pair[]): void {
  const seen = new Set<unknown>()
  for (const {key} of items) {
    const name = (key as (Node & {value?: unknown}) | null)?.value
    if (name === undefined || name === '<<') continue
    if (seen.has(name)) throw new Error(`the key ${JSON.stringify(String(name).slice(0, 80))} stands twice in one mapping`)
    seen.add(name)
  }
}

/** What a YAML text holds. @throws InputError DOCUMENT_INVALID. */
export const parseYaml = (text: string, what: string): Promise<unknown> => yamlValue(text, 'The text', what)
