import {InputError} from '../core/input-error.ts'

/** What a YAML text holds. @throws InputError DOCUMENT_INVALID. */
export async function parseYaml(text: string, what: string): Promise<unknown> {
  const {parse} = await yamlReader()
  try {
    return parse(text, {maxAliasCount: 100, prettyErrors: true})
  } catch (error) {
    throw new InputError('DOCUMENT_INVALID', `Not YAML (${(error as Error).message.split('\n')[0]!.slice(0, 200)}): expected ${what}`)
  }
}

/** Bundled, a CommonJS package has everything under its default export; from source, beside it. */
export async function yamlReader(): Promise<typeof import('yaml')> {
  const loaded: typeof import('yaml') & {default?: typeof import('yaml')} = await import('yaml')
  return loaded.default ?? loaded
}
