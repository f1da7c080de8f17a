import {dirname, isAbsolute, join} from 'node:path'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {requireSystem} from '../catalogue/system.ts'
import type {DeploymentRequest} from '../core/deployment.ts'
import {InputError} from '../core/input-error.ts'
import {machineOf} from '../planner/answer/index.ts'
import {
  candidateKinds,
  type CapacityAsked,
  type DemandAsked,
  type Lengths,
  type MachineKind,
  parseGrowth,
  parsePrice,
  parseTrace,
} from '../planner/capacity/index.ts'
import type {CapacityFile} from '../planner/capacity/schema.ts'
import {INTERACTIVE_LIMITS, type Link, type Objectives, type Preference, requireLimits} from '../planner/scenario/index.ts'
import {type Context, looksLikePath} from '../planner/world/index.ts'
import {ASSUMED_LOAD, deploymentFlags} from './flags.ts'
import {objectivesFrom} from './slo-flags.ts'
import {readText} from './world.ts'

/** Flags of `capacity`, as parsed. */
export interface CapacityFlags extends Record<string, unknown> {
  model?: string
  machine?: string[]
  gpu?: string[]
  nodes?: number
  link?: Link
  price?: string[]
  slo?: string
  months?: string
  growth?: string
  trace?: string
  spare?: number
  'think-seconds'?: number
  'max-utilisation'?: number
  'kwh-price'?: number
  users?: number
  'request-rate'?: number
  prefer?: string
}

type FileLoad = Omit<NonNullable<CapacityFile['models']>[number], 'model'>

/** Machines are planned with this share of the rate at which queues grow without end. */
const USUAL_UTILISATION = 0.85
const USUAL_MONTHS = [0, 6, 12]
/** `--machine here`: the one this runs on. */
const HERE = 'here'

/** The question that a file and flags put together; flags win. @throws InputError. */
export async function capacityQuestion(
  context: Context,
  file: CapacityFile | undefined,
  path: string | undefined,
  flags: CapacityFlags,
): Promise<CapacityAsked> {
  const folder = path === undefined ? '.' : dirname(path)
  const demands: DemandAsked[] = []
  const named = flags.model ?? file?.model
  const entries = named !== undefined || !file?.models ? [{...file, model: named}] : file.models.map((entry) => ({...shared(file), ...entry}))
  if (entries.length > 1 && flags.trace !== undefined) throw new InputError('TRACE_FOR_MANY', '--trace belongs to one model: name it in the file')
  for (const entry of entries) demands.push(await demandFrom(entry as FileLoad & {model?: string}, flags, folder))
  const growing = demands.some(({growth}) => growth !== undefined && growth !== 1)
  const given = await kindsFrom(context, file, flags, folder)
  return {
    demands,
    ...(given.length > 0 ? {kinds: given} : {kinds: await candidateKinds(context, demands, flags.nodes), fromCatalogue: true}),
    months: monthsFrom(flags.months) ?? file?.months ?? (growing ? USUAL_MONTHS : [0]),
    spare: flags.spare ?? file?.spare ?? 0,
    maxUtilisation: flags['max-utilisation'] ?? file?.maxUtilisation ?? USUAL_UTILISATION,
    kwhPrice: flags['kwh-price'] ?? file?.kwhPrice,
  }
}

/** What a file says of all its models. */
function shared({
  machines: _machines,
  models: _models,
  model: _model,
  months: _months,
  spare: _spare,
  maxUtilisation: _max,
  kwhPrice: _price,
  description: _description,
  ...load
}: CapacityFile): FileLoad {
  return load
}

async function demandFrom(entry: FileLoad & {model?: string}, flags: CapacityFlags, folder: string): Promise<DemandAsked> {
  const {model} = entry
  if (model === undefined) throw new InputError('ARGUMENT_MISSING', 'Missing model: give --model NAME, or a file with models')
  const trace = flags.trace ?? (entry.trace === undefined ? undefined : isAbsolute(entry.trace) ? entry.trace : join(folder, entry.trace))
  const users = flags.users ?? (flags['request-rate'] === undefined ? entry.users : undefined)
  const requestRate = flags['request-rate'] ?? (flags.users === undefined ? entry.requestRate : undefined)
  if ([users, requestRate, trace].filter((value) => value !== undefined).length !== 1)
    throw new InputError('LOAD_UNCLEAR', `${model}: give one of users, request-rate and trace`)
  const request: Record<string, unknown> = {}
  for (const name of Object.keys(deploymentFlags).map(camelCase)) {
    const value = flags[kebab(name)] ?? (entry as Record<string, unknown>)[name]
    if (value !== undefined && name !== 'engine') request[name] = value
  }
  const growth = flags.growth ?? entry.growth
  const {slo, sloAssumed} = limitsFrom(flags, entry.slo)
  return {
    name: entry.name,
    model,
    engine: (flags.engine as string | undefined) ?? entry.engine,
    prefer: (flags.prefer as Preference | undefined) ?? entry.prefer,
    request: request as DeploymentRequest,
    inputTokens: (flags['input-tokens'] as number | undefined) ?? (entry.inputTokens as Lengths | undefined) ?? ASSUMED_LOAD.inputTokens,
    outputTokens: (flags['output-tokens'] as number | undefined) ?? (entry.outputTokens as Lengths | undefined) ?? ASSUMED_LOAD.outputTokens,
    prefixHitRate: (flags['prefix-hit-rate'] as number | undefined) ?? entry.prefixHitRate,
    requestRate,
    users,
    thinkSeconds: users === undefined ? undefined : (flags['think-seconds'] ?? entry.thinkSeconds),
    trace: trace === undefined ? undefined : parseTrace(await readText(trace, 'a trace in JSON Lines or CSV'), trace),
    slo,
    ...(sloAssumed && {sloAssumed}),
    growth: growth === undefined ? undefined : parseGrowth(typeof growth === 'number' ? String(growth) : growth, 'growth'),
  }
}

/** Limits that were given; where none were, the interactive ones, unless they are switched off. */
function limitsFrom(flags: CapacityFlags, below: FileLoad['slo']): {slo: Objectives; sloAssumed?: boolean} {
  const given = objectivesFrom(flags, below === 'none' || below === 'interactive' ? {} : below)
  if (given.ttftMs !== undefined || given.tpotMs !== undefined || given.endToEndMs !== undefined) return {slo: given}
  const named = flags.slo ?? (typeof below === 'string' ? below : undefined)
  if (named === 'none') {
    requireLimits(given)
    return {slo: given}
  }
  return {slo: {...INTERACTIVE_LIMITS, ...given}, sloAssumed: named === undefined}
}

const camelCase = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function monthsFrom(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined
  const months = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (months.length > 60 || !months.every((month) => Number.isInteger(month) && month >= 0 && month <= 600))
    throw new InputError('MONTHS_INVALID', `--months ${text}: expected months from now, such as 0,6,12`)
  return months
}

async function kindsFrom(context: Context, file: CapacityFile | undefined, flags: CapacityFlags, folder: string): Promise<MachineKind[]> {
  const prices = new Map<string, number>()
  for (const text of flags.price ?? []) {
    const at = text.lastIndexOf('=')
    if (at <= 0) throw new InputError('PRICE_INVALID', `--price ${text}: expected MACHINE=AMOUNT/TIME, such as dgx-h200=98.32/h`)
    prices.set(text.slice(0, at), parsePrice(text.slice(at + 1), '--price'))
  }
  const given = [...(flags.machine ?? []).map((machine) => ({machine})), ...(flags.gpu ?? []).map((gpu) => ({gpu}))]
  // Prices without machines name what may be had.
  const named = (name: string) => (/^\d+x/i.test(name) ? {gpu: name} : {machine: name})
  const listed = (file?.machines ?? [...prices.keys()]).map((entry) => (typeof entry === 'string' ? named(entry) : entry))
  const asked: {gpu?: string; machine?: string; nodes?: number; price?: string}[] = given.length > 0 ? given : listed
  const kinds: MachineKind[] = []
  for (const {gpu, machine, nodes, price} of asked) {
    const here = machine === HERE || (machine === undefined && gpu === undefined)
    const place = machine !== undefined && looksLikePath(machine) && given.length === 0 && !isAbsolute(machine) ? join(folder, machine) : machine
    const found = await machineOf(context, {
      model: '',
      gpu,
      machine: here ? undefined : place,
      nodes: nodes ?? flags.nodes,
      link: gpu === undefined ? undefined : flags.link,
    })
    if (found.gpus.length === 0) throw new InputError('NO_GPU', `${machine ?? 'this machine'} has no GPU`)
    const name = here ? 'this machine' : (machine ?? gpu!)
    const pricePerMonth = prices.get(machine ?? gpu ?? HERE) ?? (price === undefined ? undefined : parsePrice(price, `price of ${name}`))
    const maxPowerWatts = machine === undefined || here || looksLikePath(machine) ? undefined : systemWatts(context.catalogue, machine, nodes ?? flags.nodes)
    kinds.push({name, machine: found, ...(maxPowerWatts !== undefined && {maxPowerWatts}), ...(pricePerMonth !== undefined && {pricePerMonth})})
    prices.delete(machine ?? gpu ?? HERE)
  }
  const [unknown] = prices.keys()
  if (unknown !== undefined)
    throw new InputError('PRICE_INVALID', `--price ${unknown}: no such machine is asked about`, {suggestions: kinds.map(({name}) => name)})
  return kinds
}

/** Rated watts of a catalogued system, for as many nodes as are asked for. */
function systemWatts(catalogue: Catalogue, name: string, nodes: number | undefined): number | undefined {
  const {maxPowerWatts, nodeCount} = requireSystem(catalogue.systems, name)
  return maxPowerWatts === undefined ? undefined : (maxPowerWatts / nodeCount) * (nodes ?? nodeCount)
}
