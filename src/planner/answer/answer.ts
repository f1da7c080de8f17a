import type {Machine, MachineGpu} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import type {Warning} from '../../core/terms.ts'
import {type Choice, type ChoiceQuestion, choose} from './choose.ts'
import {
  ClosedModelError,
  type Context,
  engineInRelease,
  engineOf,
  looksLikePath,
  machineFromName,
  machineFromSpec,
  modelOf,
  type NamedModel,
} from '../world/index.ts'
import type {UsualEngine} from '../../engines/platform-table.ts'
import {type Evaluation, isYes} from './evaluation.ts'
import {idleWarnings} from './idle.ts'
import {withQuality} from '../quality/index.ts'
import {knownByNameAnswer} from './known-by-name.ts'
import {requireNames} from './names.ts'
import {poolingOf, textsOf} from './pooling.ts'
import {withoutAssumedSpeed} from './speed-unknown.ts'
import {recipeWarnings} from './recipe-warnings.ts'
import {requireLimits, type Scenario} from '../scenario/index.ts'

/** An answered scenario: the evaluation that is the answer, and how it came to be chosen. */
export interface Answer extends Choice {
  scenario: Scenario
  named: NamedModel
  /** The whole machine; `best.machine` is the group of it that serves. */
  machine: Machine
  /** Unequal GPUs that do not take part. */
  left: MachineGpu[]
  question: ChoiceQuestion
}

/** The machine that a scenario is about. With none named it is this one. */
export async function machineOf(context: Context, scenario: Scenario): Promise<Machine> {
  const {gpu, machine, nodes, link} = scenario
  if (gpu !== undefined && machine !== undefined) throw new InputError('MACHINE_TWICE', 'Give gpu or machine, not both')
  if (gpu !== undefined) return listed(context, JSON.stringify([gpu, nodes, link]), () => machineFromSpec(context.catalogue, gpu, nodes, link))
  if (link !== undefined)
    throw new InputError(
      'LINK_UNAVAILABLE',
      `Link ${link} applies to cards that are named with gpu: how ${machine === undefined ? 'this machine' : 'the machine'} is connected is known already`,
    )
  if (machine !== undefined)
    return looksLikePath(machine)
      ? context.readMachine(machine)
      : listed(context, JSON.stringify([machine, nodes]), () => machineFromName(context.catalogue, machine, nodes))
  // A name that is unknown or closed is told before that this machine has no card.
  return context.detect().catch(async (problem: unknown) => {
    if (scenario.model !== '') await modelOf(context, scenario.model)
    throw problem
  })
}

const listed = ({listed: known}: Context, key: string, make: () => Machine): Machine => (known ? known.once(key, make) : make())

/** A closed model is answered with the open ones near it, those that the machine holds where it has cards at all: that it has none is the lesser news. */
async function closedModel(context: Context, scenario: Scenario, error: unknown): Promise<never> {
  if (!(error instanceof ClosedModelError)) throw error
  const machine = await machineOf(context, scenario).catch((problem: unknown) => {
    if (problem instanceof InputError && [error.code, 'NO_GPU'].includes(problem.code)) return undefined
    throw problem
  })
  if (!machine || machine.gpus.length === 0 || error.suggestions.length === 0) throw error
  const engine = engineOf(context, scenario.engine)
  const fitting = error.suggestions.filter((id) =>
    isYes(choose({model: context.catalogue.model(id), machine, engine, request: {}, calibration: context.catalogue.speedCalibration}).best),
  )
  throw fitting.length > 0
    ? new ClosedModelError(error.about, fitting, 'comparable open models that fit this machine')
    : new ClosedModelError(error.about, error.suggestions, 'none of the comparable open models fits this machine')
}

/** Answers one scenario; `asRan`: about what ran, so that nothing is replaced that the engine chose. @throws InputError for what cannot be understood. */
export async function answer(context: Context, scenario: Scenario, {asRan = false}: {asRan?: boolean} = {}): Promise<Answer> {
  const named = await modelOf(context, scenario.model).catch((error: unknown) => closedModel(context, scenario, error))
  // A log says what ran, whatever is known of it.
  const engine = asRan ? engineOf(context, scenario.engine) : engineInRelease(context, scenario.engine, scenario.engineVersion)
  requireNames(scenario, named.model)
  if (scenario.slo) requireLimits(scenario.slo)
  const machine = await machineOf(context, scenario)
  if (machine.gpus.length === 0) throw new InputError('NO_GPU', 'No GPU was found in this machine', {suggestions: []})
  const {model: _model, gpu: _gpu, machine: _machine, nodes: _nodes, link: _link, id: _id, command: _command, prefer, slo, workload: asked, ...given} = scenario
  const workload = named.model.pooling ? textsOf(named.model, asked) : asked
  // What embeds is run so without being told: each release has its own word for it.
  const request = named.model.pooling && given.runner === 'pooling' ? {...given, runner: undefined} : given
  const question: ChoiceQuestion = {
    model: named.model,
    checkpoint: named.checkpoint,
    machine,
    engine,
    request,
    ...(prefer && {prefer}),
    workload,
    slo,
    asRan,
    calibration: context.catalogue.speedCalibration,
  }
  const choice = choose(question)
  if (named.model.knownByName) choice.best = knownByNameAnswer(choice.best)
  choice.best = withoutAssumedSpeed(choice.best, slo)
  choice.passedOver = choice.passedOver.map((evaluation) => withoutAssumedSpeed(evaluation, slo))
  const left = machine.gpus.filter((gpu) => !choice.best.machine.gpus.includes(gpu))
  const best: Evaluation = {
    ...choice.best,
    checkpoint: withQuality(context.catalogue, named.model, choice.best.checkpoint),
    warnings: [
      ...assumed(machine),
      ...usualEngine(context, choice.best.machine),
      ...generalWarnings(scenario, named, choice),
      ...idleWarnings(question, choice.best),
      ...diskWarnings(choice.best),
      ...recipeWarnings(named.model, choice.best),
      ...choice.best.warnings,
    ],
  }
  const pooling = poolingOf(best, question.calibration)
  return {...choice, best: pooling ? {...best, pooling} : best, scenario, named, machine, left, question}
}

/** Where most owners of such a machine use an engine that is not modelled, that is said. */
function usualEngine({catalogue}: Context, {gpus}: Machine): Warning[] {
  const {id, unifiedMemory} = gpus[0]!.accelerator
  if (!unifiedMemory) return []
  const found = catalogue.file<UsualEngine[]>('engines/usual').find((entry) => entry.gpus.includes(id))
  return found ? [{code: 'usual-engine', message: found.says}] : []
}

const assumed = ({notes = []}: Machine): Warning[] => notes.map((message) => ({code: 'machine-assumed', message}))

function generalWarnings({ep, tp, dpAttention}: Scenario, {warnings, notes = [], missing}: NamedModel, choice: Choice): Warning[] {
  const list: Warning[] = [...notes, ...warnings.map((message) => ({code: 'model-import', message}))]
  if (missing !== undefined) list.push({code: 'weights-missing', message: `${missing}: it can be judged but not started`})
  if (choice.hypothetical)
    list.push({
      code: 'checkpoint-not-published',
      message: `no ${choice.best.checkpoint.weights} checkpoint of this model is in the catalogue: the answer is computed as if there were one`,
    })
  const {deployment, engine} = choice.best
  if (dpAttention && tp !== undefined && deployment.tp !== tp)
    list.push({
      code: 'attention-ranks',
      message: `${engine.title} has no data-parallel attention within tensor parallelism: tensor parallel ${tp} is started as data parallel ${deployment.dp} instead (${deployment.tp === 1 ? 'each GPU runs the attention of its own requests' : `tensor parallel ${deployment.tp} in each`})`,
    })
  const own = choice.best.deployment.ep
  if (ep !== undefined && ep > 1 && own !== ep)
    list.push({
      code: 'expert-parallel-size',
      message: `expert parallelism has no size in ${choice.best.engine.title}, it is on or off: ${own > 1 ? `experts are spread over all ${own} GPUs` : 'on one GPU there is nothing to spread'}, not over ${ep}`,
    })
  if (ep === 1 && own > 1)
    list.push({
      code: 'expert-parallel-needed',
      message: `experts cannot be split over ${own} GPUs: they are distributed whole (expert parallel ${own})`,
    })
  return list
}

/** Room on disk is known only for a machine that was looked at, and what lies there already is not. */
function diskWarnings({machine, checkpoint}: Evaluation): Warning[] {
  const {freeDiskBytes} = machine
  if (freeDiskBytes === undefined || checkpoint.bytes === undefined || checkpoint.bytes <= freeDiskBytes) return []
  return [
    {
      code: 'disk-too-small',
      message: `the checkpoint takes ${Math.ceil(checkpoint.bytes / 2 ** 30)} GiB, and only ${Math.floor(freeDiskBytes / 2 ** 30)} GiB are free where checkpoints are stored (unless it was downloaded before)`,
    },
  ]
}
