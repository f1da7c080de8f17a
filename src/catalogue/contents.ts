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

/** The compiled data. Each part is read once, when it is first asked for. */
export interface Catalogue {
  /** Hash of all compiled data: the same data, the same answers. */
  readonly dataVersion: string
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

/** Where compiled files are: in a folder, or handed in. Paths are below the data folder, without `.json`. */
export interface DataSource {
  has(path: string): boolean
  /** @throws where the file is not there. */
  read(path: string): unknown
}

/** What may stand in a file's name. */
const ID = /^[a-z0-9][a-z0-9.-]*$/

/** The catalogue of what a source holds. */
export function catalogueOf(source: DataSource): Catalogue {
  const read = new Map<string, unknown>()
  const file = <T>(path: string): T => {
    if (!read.has(path)) read.set(path, source.read(path))
    return read.get(path) as T
  }
  return {
    get dataVersion() {
      return file<{dataVersion: string}>('version').dataVersion
    },
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
    gpu: (id) => (ID.test(id) && source.has(`gpus/${id}`) ? file<Accelerator>(`gpus/${id}`) : undefined),
    model: (id) => file<Model>(`models/${id}`),
    file,
  }
}
