/** A world without a disk: what a question names as a file was handed in as text. */
import type {Catalogue} from '../catalogue/catalogue.ts'
import {gpuFinder} from '../catalogue/gpu-finder.ts'
import {InputError} from '../core/input-error.ts'
import {importFolder} from '../import/import-folder.ts'
import type {ModelFolder} from '../import/model-folder.ts'
import type {Documents} from '../planner/words/index.ts'
import type {Context, FoundModelFile} from '../planner/world/index.ts'
import {machineOfText} from './machine-text.ts'

/** Texts by the paths that questions name them with. */
export type HandedFiles = Readonly<Record<string, string>>

const plain = (path: string): string => path.replace(/^\.\//, '')

function handedText(files: HandedFiles, path: string, what: string): string {
  const name = Object.keys(files).find((known) => plain(known) === plain(path))
  if (name !== undefined) return files[name]!
  throw new InputError('FILE_UNREADABLE', `${path} was not handed in: expected ${what}`, {suggestions: []})
}

/** The context of questions that are answered from what was handed in alone: nothing is detected, no disk and no hub is asked. */
export function handedContext(catalogue: Catalogue, files: HandedFiles = {}): Context {
  return {
    catalogue,
    engines: new Map(),
    detect: async () => {
      throw new InputError('NO_GPU', 'No machine is named, and this one is not looked at here: give gpu, such as 1xrtx-4090, or machine, such as dgx-h200')
    },
    readMachine: (path) =>
      machineOfText(catalogue, handedText(files, path, 'what detect --json or a tool such as nvidia-smi prints'), path, gpuFinder(catalogue)),
    readModel: (path) => handedModel(files, path),
  }
}

/** A configuration that was handed in, alone or with the other texts of its folder. */
async function handedModel(files: HandedFiles, path: string): Promise<FoundModelFile> {
  const text = handedText(files, path, "a model's config.json")
  const name = path.slice(path.lastIndexOf('/') + 1)
  const folder = path.slice(0, path.lastIndexOf('/') + 1)
  if (name === 'config.json') {
    const beside = new Map(
      Object.keys(files).flatMap((known) => (plain(known).startsWith(plain(folder)) ? [[plain(known).slice(plain(folder).length), known]] : [])),
    )
    const {weights: _weights, ...imported} = await importFolder(folderOf(files, beside, path), {configuration: true})
    return {...imported, ...(imported.model.hfId === '' && {missing: `${path} is a configuration alone, without weights`})}
  }
  const [{importConfig}, {parseTolerantJson}] = await Promise.all([
    import('../catalogue/import/import-config.ts'),
    import('../catalogue/import/tolerant-json.ts'),
  ])
  const imported = importConfig({config: parseTolerantJson(text, path)})
  return {...imported, ...(imported.model.hfId === '' && {missing: `${path} is a configuration alone, without weights`})}
}

const folderOf = (files: HandedFiles, beside: ReadonlyMap<string, string>, title: string): ModelFolder => ({
  title,
  files: new Map([...beside.keys()].filter((name) => /\.json$/.test(name)).map((name) => [name, undefined])),
  parallel: 1,
  text: async (file) => files[beside.get(file)!]!,
  open: async (file) => {
    throw new InputError('FILE_UNREADABLE', `${file}: weights are not read here`)
  },
})

/** Files that an engine's command names, among those that were handed in. */
export function handedDocuments(files: HandedFiles = {}): Documents {
  return {
    read: async (path, what) => {
      const text = handedText(files, path, what)
      if (!/\.json$/i.test(path) && !/^\s*[[{]/.test(text)) return (await import('../import/yaml-text.ts')).parseYaml(text, what)
      try {
        return JSON.parse(text)
      } catch (error) {
        throw new InputError('DOCUMENT_INVALID', `${path} is not JSON (${(error as Error).message.slice(0, 200)}): expected ${what}`)
      }
    },
    parse: async (text) => (await import('../import/yaml-text.ts')).parseYaml(text, 'options of the engine'),
    text: async (path) => handedText(files, path, 'a command'),
  }
}
