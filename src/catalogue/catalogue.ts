import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Accelerator} from '../core/accelerator.ts'
import type {Model} from '../core/model.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import type {System} from './system.ts'

/** What finding a model needs of it: every file of the catalogue in one small list. */
export interface ModelEntry {
  id: string
  hfId: string
  name: string
  /** Further names: aliases, Ollama tags, other repositories of the same weights. */
  names: string[]
  checkpointIds: string[]
  totalParams: number
  activeParams: number
  /** It embeds or ranks, and writes nothing. */
  pooling?: true
  /** The user's own file that describes it. */
  file?: string
}

/** A model whose weights are not published. */
export interface ClosedModel {
  names: string[]
  vendor: string
  nearest: string[]
}

/** A model that is known by name and size only, `data/known-models.yaml`. */
export interface KnownModel {
  hfId: string
  name: string
  totalParams: number
  activeParams?: number
  contextTokens?: number
  /** First release of an engine that serves it. */
  since?: Record<string, string>
  checkpoints: {hfId: string; weights: string}[]
  source: string
}

/** The compiled data of an installation. Each part is read once, when it is first asked for. */
export interface Catalogue {
  readonly gpus: readonly Accelerator[]
  readonly systems: readonly System[]
  readonly modelEntries: readonly ModelEntry[]
  readonly closedModels: readonly ClosedModel[]
  readonly knownModels: readonly KnownModel[]
  readonly speedCalibration: Calibration
  /** The card of this id, without reading all the others; undefined where the id is not one. */
  gpu(id: string): Accelerator | undefined
  /** @throws when the id is not in `modelEntries`. */
  model(id: string): Model
  /** A compiled file by its path below the data folder, without `.json`. */
  file<T>(path: string): T
}

/** What may stand in a file's name. */
const ID = /^[a-z0-9][a-z0-9.-]*$/

/** Opens the JSON that `npm run build` compiled from `data/`. */
export function openCatalogue(folder: string): Catalogue {
  const read = new Map<string, unknown>()
  const file = <T>(path: string): T => {
    if (!read.has(path)) read.set(path, JSON.parse(readFileSync(join(folder, `${path}.json`), 'utf8')))
    return read.get(path) as T
  }
  return {
    get gpus() {
      return file<Accelerator[]>('gpus')
    },
    get systems() {
      return file<System[]>('machines')
    },
    get modelEntries() {
      return file<ModelEntry[]>('models')
    },
    get closedModels() {
      return file<ClosedModel[]>('closed-models')
    },
    get knownModels() {
      return file<KnownModel[]>('known-models')
    },
    get speedCalibration() {
      return file<Calibration>('calibration/serving')
    },
    gpu: (id) => (ID.test(id) && existsSync(join(folder, 'gpus', `${id}.json`)) ? file<Accelerator>(`gpus/${id}`) : undefined),
    model: (id) => file<Model>(`models/${id}`),
    file,
  }
}
