/** The package's entry: the library over the packaged data and this machine, as the commands see them. */
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {dirname, join, sep} from 'node:path'
import {fileURLToPath} from 'node:url'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {documents} from '../cli/answer-asked.ts'
import {withOwnModels} from '../cli/user-models.ts'
import {detectDocument, type ModelSources, realContext} from '../cli/world.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import {type Servefit, servefitOf} from '../library/servefit.ts'

export type {MachineDocument} from '../detect/machine-document.ts'
export * from '../library/open.ts'

/** The library on this machine: where no machine is named, a question is about this one. */
export interface LocalServefit extends Servefit {
  /** What is in this machine. */
  detect(): Promise<MachineDocument>
}

export interface LocalOptions extends ModelSources {
  /** Folders with models of the user's own, beside those of their settings. */
  catalogue?: string[]
}

/** The folder of the compiled data: beside this file, or above it where it was bundled. */
function dataFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const folder = [join(here, '..', 'data'), join(here, '..', '..', 'dist', 'data')].find((path) => existsSync(join(path, 'models.json')))
  if (folder === undefined) throw new Error(`no data beside ${here}: a bundle hands it to open() of servefit/open`)
  return folder
}

/** Opens the packaged data with this machine, its files and its settings behind it. Nothing is read before it is asked for. */
export async function openLocal({catalogue: folders = [], ...sources}: LocalOptions = {}): Promise<LocalServefit> {
  const catalogue = await withOwnModels(openCatalogue(dataFolder()), folders, process.env)
  return Object.assign(servefitOf(realContext(catalogue, sources), documents), {detect: () => detectDocument(catalogue)})
}

/** All packaged data, to be handed to `open` where there is no disk. */
export function readData(): Record<string, unknown> {
  const folder = dataFolder()
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length).split(sep).join('/'))
    // Each card stands in the list of all too.
    .filter((name) => !name.startsWith('gpus/'))
  return Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'))]))
}

// Kept so that a script of many questions reads each file once.
let opened: Promise<LocalServefit> | undefined
const here = (): Promise<LocalServefit> => (opened ??= openLocal())

/** Does it fit, with which context and how many users, and how fast is it? */
export const check: Servefit['check'] = async (...asked) => (await here()).check(...asked)
/** The best engine, checkpoint, layout and load within the limits. */
export const plan: Servefit['plan'] = async (...asked) => (await here()).plan(...asked)
/** The published checkpoints side by side. */
export const compare: Servefit['compare'] = async (...asked) => (await here()).compare(...asked)
/** What starts it. */
export const config: Servefit['config'] = async (...asked) => (await here()).config(...asked)
/** How many machines of each kind carry a load. */
export const capacity: Servefit['capacity'] = async (...asked) => (await here()).capacity(...asked)
/** Was the prediction right? */
export const verify: Servefit['verify'] = async (...asked) => (await here()).verify(...asked)
/** What another release of the engine changes for the same checkpoint and layout. */
export const upgrade: Servefit['upgrade'] = async (...asked) => (await here()).upgrade(...asked)
/** The models that are known, or those that fit. */
export const models: Servefit['models'] = async (...asked) => (await here()).models(...asked)
/** One model with its layers, its cache and its checkpoints. */
export const model: Servefit['model'] = async (...asked) => (await here()).model(...asked)
/** The cards that are known. */
export const gpus = async (...asked: Parameters<Servefit['gpus']>): Promise<ReturnType<Servefit['gpus']>> => (await here()).gpus(...asked)
/** The machines that are known by name. */
export const machines = async (...asked: Parameters<Servefit['machines']>): Promise<ReturnType<Servefit['machines']>> => (await here()).machines(...asked)
/** What is in this machine. */
export const detect = async (): Promise<MachineDocument> => (await here()).detect()
