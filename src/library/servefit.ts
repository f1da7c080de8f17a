import {InputError} from '../core/input-error.ts'
import type {CapacityReport} from '../planner/capacity/index.ts'
import type {PlanReport} from '../planner/plan/index.ts'
import type {VerificationDocument} from '../planner/verify/index.ts'
import type {Documents} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import {answerAsked} from './answer-asked.ts'
import {capacity, type CapacityQuestion} from './capacity.ts'
import {check, type CheckOptions, type CheckResult} from './check.ts'
import {compare, type CompareQuestion, type CompareReport} from './compare.ts'
import {type ConfigOptions, type ConfigResult, startOf, writtenFor} from './config.ts'
import {type GpusReport, gpusLike, gpusReport, type MachinesReport, machinesLike, machinesReport} from './hardware.ts'
import {
  chosenModels,
  describedModel,
  fittingReport,
  type ModelReport,
  modelReport,
  type ModelsQuestion,
  type ModelsReport,
  modelsReport,
  modelsThatFit,
} from './models.ts'
import {type PlanQuestion, type Question, scenarioOf} from './question.ts'
import {plan} from './plan.ts'
import {upgrade, type UpgradeOptions, type UpgradeReport} from './upgrade.ts'
import {verify, type VerifyQuestion} from './verify.ts'

/** Which models fit a machine, under a load. */
export interface FitQuestion extends ModelsQuestion, Omit<Question, 'model' | 'weights'> {
  /** Only what fits the machine that is named; without it models are listed. */
  fits?: boolean
  /** How many are listed; absent: all. */
  limit?: number
}

/**
 * All that can be asked. Every function answers as the command of its name does with `--json`. Bytes are whole numbers, times milliseconds, rates per second;
 * the unit is in the name. A field that does not apply is absent.
 *
 * A verdict of no is an answer. What cannot be understood is refused with an `InputError`: `code` for programs, `message` for people, and in `suggestions` the
 * closest known names.
 */
export interface Servefit {
  /** Hash of the data that answers are made from. */
  readonly dataVersion: string
  /** Does it fit, with which context and how many users, and how fast is it? @throws InputError MODEL_UNKNOWN, GPU_UNKNOWN, MACHINE_UNKNOWN, SCENARIO_INVALID, ... */
  check(question: Question, options?: CheckOptions): Promise<CheckResult>
  /** The best engine, checkpoint, layout and load within the limits. */
  plan(question: PlanQuestion): Promise<PlanReport & {dataVersion: string}>
  /** The published checkpoints side by side. */
  compare(question: CompareQuestion): Promise<CompareReport>
  /** What starts it; without `artifact` where the answer is no. */
  config(question: Question, options?: ConfigOptions): Promise<ConfigResult>
  /** How many machines of each kind carry a load. */
  capacity(question: CapacityQuestion): Promise<CapacityReport & {dataVersion: string}>
  /** Was the prediction right? A start-up log or the result of a benchmark beside what was predicted. */
  verify(question: VerifyQuestion): Promise<VerificationDocument & {dataVersion: string}>
  /** What another release of the engine changes for the same checkpoint and layout. */
  upgrade(question: Question, releases: UpgradeOptions): Promise<UpgradeReport>
  /** The models that are known, or those that fit. */
  models(question?: FitQuestion): Promise<ModelsReport>
  /** One model with its layers, its cache and its checkpoints. */
  model(name: string): Promise<ModelReport>
  /** The cards that are known; one by its name, or those that a word is found in. */
  gpus(name?: string): GpusReport
  /** The machines that are known by name. */
  machines(name?: string): MachinesReport
}

/** The same questions over any context: what differs is where machines, models and files come from. */
const required = async (what: 'check' | 'config' | 'upgrade' | 'compare' | 'verify' | 'models' | 'model', value: unknown, place: string): Promise<void> =>
  (await import('./asked.ts')).requireAsked(what, value, place)

export function servefitOf(context: Context, documents: Documents): Servefit {
  const {catalogue} = context
  return {
    get dataVersion() {
      return catalogue.dataVersion
    },
    check: async (question, options) => {
      if (options !== undefined) await required('check', options, 'options')
      return check(context, await scenarioOf(question), documents, options)
    },
    plan: async (question) => plan(context, await scenarioOf(question, {oneUser: false}), documents),
    compare: async (asked) => {
      await required('compare', asked, 'question')
      const {models = [], gpus = [], machines = [], ...question} = asked
      const [model, gpu, machine] = [question.model ?? models[0], question.gpu ?? gpus[0], question.machine ?? (gpus.length > 0 ? undefined : machines[0])]
      return compare(context, await scenarioOf({...question, model, gpu, machine}), {models, gpus, machines}, documents)
    },
    config: async (question, options = {}) => {
      await required('config', options, 'options')
      const {objective: _objective, ...scenario} = await scenarioOf(question)
      const {answered} = await answerAsked(context, scenario, documents)
      const started = await startOf(context, answered, options)
      const {startable} = started
      return startable ? (await writtenFor(context, {...started, startable})).result : started.result
    },
    capacity: (question) => capacity(context, question, documents),
    verify: async (question) => {
      await required('verify', question, 'question')
      return verify(context, question, new Date().toISOString().slice(0, 10))
    },
    upgrade: async (question, releases) => {
      await required('upgrade', releases, 'releases')
      return upgrade(context, await scenarioOf(question), releases, documents)
    },
    models: async (question = {}) => {
      await required('models', question, 'question')
      return modelsFor(context, question)
    },
    model: async (name) => {
      await required('model', name, 'name')
      return modelReport(catalogue, await describedModel(context, name))
    },
    gpus: (name) => gpusReport(catalogue, gpusLike(catalogue, requireName(name))),
    machines: (name) => machinesReport(catalogue, machinesLike(catalogue, requireName(name))),
  }
}

/** A name that may be left out, of questions that wait for nothing. */
function requireName(name: unknown): string | undefined {
  if (name === undefined || typeof name === 'string') return name
  throw new InputError('OPTIONS_INVALID', `name: expected text, received ${Array.isArray(name) ? 'a list' : name === null ? 'null' : `a ${typeof name}`}`)
}

async function modelsFor(context: Context, question: FitQuestion): Promise<ModelsReport> {
  const {words, minParams, maxParams, maxActive, licence, modality, minContextTokens, family, weights, fits, limit, ...asked} = question
  const {catalogue} = context
  const models = chosenModels(catalogue, {words, minParams, maxParams, maxActive, licence, modality, minContextTokens, family, weights})
  if (!fits && asked.gpu === undefined && asked.machine === undefined) return modelsReport(catalogue, models)
  const given = {...asked, ...(weights !== undefined && {weights}), ...(minContextTokens !== undefined && {maxModelLen: minContextTokens})}
  const {
    model: _model,
    gpu,
    machine,
    nodes,
    link,
    workload,
    slo: _slo,
    prefer: _prefer,
    id: _id,
    objective: _objective,
    ...request
  } = await scenarioOf({
    ...given,
    model: 'any',
  })
  return fittingReport(
    catalogue,
    await modelsThatFit(context, models, {gpu, machine, nodes, link, request, workload, ...(limit !== undefined && limit > 0 && {limit})}),
  )
}
