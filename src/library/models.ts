import type {Catalogue} from '../catalogue/catalogue.ts'
import type {Machine} from '../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../core/deployment.ts'
import type {Model} from '../core/model.ts'
import type {Reason} from '../core/terms.ts'
import {knownByNameWords, machineOf} from '../planner/answer/index.ts'
import {
  detailsOf,
  type Fit,
  fitOf,
  type FittingModel,
  fittingModels,
  matches,
  type ModelDetails,
  type ModelFilter,
  modelsByWords,
  type ModelSummary,
  summaryOf,
  type TaskWords,
  withoutBuild,
} from '../planner/models/index.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import {type Context, modelOf} from '../planner/world/index.ts'
import {stamped} from './stamp.ts'

/** Which models are listed. */
export interface ModelsQuestion extends ModelFilter {
  /** Words that a model must fit, all of them: names, publishers, licences, tasks, sizes, formats. */
  words?: string[]
}

/** What `models --json` prints. */
export interface ModelsReport {
  schemaVersion: 2
  dataVersion: string
  models: (ModelSummary & {fit?: Fit})[]
  /** Why none fits, where no engine has a build for the machine. */
  reasons?: Reason[]
}

/** The catalogued models that a filter and words leave. @throws InputError WORD_UNKNOWN. */
export function chosenModels(catalogue: Catalogue, {words = [], ...filter}: ModelsQuestion): Model[] {
  const filtered = catalogue.modelEntries.map(({id}) => catalogue.model(id)).filter((model) => matches(model, filter))
  return words.length === 0 ? filtered : modelsByWords(filtered, words, catalogue.file<TaskWords[]>('tasks'))
}

/** Where and under which load models are to fit. */
export interface FitAsked extends Pick<Scenario, 'gpu' | 'machine' | 'nodes' | 'link'> {
  request: DeploymentRequest
  workload: Workload
  /** How many are judged as `check` does and listed; absent: all. */
  limit?: number
}

export interface Fitting {
  machine: Machine
  /** Best first, those within the limit. */
  best: FittingModel[]
  /** They are all that fit. */
  complete: boolean
  unbuilt?: Reason
}

/** Those that fit a machine, best first. */
export async function modelsThatFit(context: Context, models: readonly Model[], asked: FitAsked): Promise<Fitting> {
  const {gpu, machine: named, nodes, link, request, workload, limit = Number.POSITIVE_INFINITY} = asked
  const machine = await machineOf(context, {model: '', gpu, machine: named, nodes, link})
  const unbuilt = withoutBuild(context, machine, request)
  // What embeds or ranks answers no questions: it is listed where nothing else was asked for.
  const writing = models.filter(({pooling}) => !pooling)
  const meant = writing.length > 0 ? writing : models
  const {models: best, complete} = fittingModels(context, unbuilt ? [] : meant, {machine, request, workload}, limit)
  return {machine, best, complete, unbuilt}
}

export const modelsReport = (catalogue: Catalogue, models: readonly Model[]): ModelsReport =>
  stamped(catalogue, {schemaVersion: 2, models: models.map(summaryOf)})

export const fittingReport = (catalogue: Catalogue, {best, unbuilt}: Fitting): ModelsReport & {models: {fit: Fit}[]} =>
  stamped(catalogue, {
    schemaVersion: 2,
    models: best.map((entry) => ({...summaryOf(entry.model), fit: fitOf(entry)})),
    ...(unbuilt && {reasons: [unbuilt]}),
  })

/** What `models show --json` prints. */
export interface ModelReport {
  schemaVersion: 2
  dataVersion: string
  model: ModelDetails
  warnings: string[]
}

/** A model with what is to be said of it. */
export interface Described {
  model: Model
  warnings: string[]
}

/** The model of a name, a repository or a path. @throws InputError MODEL_UNKNOWN. */
export async function describedModel(context: Context, name: string): Promise<Described> {
  const {model, warnings: found, notes = []} = await modelOf(context, name)
  const unknown = model.knownByName ? [knownByNameWords(model)] : []
  return {model, warnings: [...unknown, ...notes.map(({message}) => message), ...found]}
}

/** One model: its layers, its cache, its checkpoints. */
export const modelReport = (catalogue: Catalogue, {model, warnings}: Described): ModelReport =>
  stamped(catalogue, {schemaVersion: 2, model: detailsOf(model), warnings})
