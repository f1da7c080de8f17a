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
  readTrace,
  type TracePiece,
  USUAL_MONTHS,
  USUAL_UTILISATION,
} from '../planner/capacity/index.ts'
import type {CapacityFile} from '../planner/capacity/schema.ts'
import {ASSUMED_LOAD, INTERACTIVE_LIMITS, type Link, type Objectives, type Preference, requireLimits} from '../planner/scenario/index.ts'
import {type Context, looksLikePath} from '../planner/world/index.ts'

/** What is given beside a file, or instead of one; it wins over what the file says. */
export interface CapacityGiven extends Pick<CapacityFile, 'users' | 'requestRate' | 'prefixHitRate' | 'thinkSeconds' | 'months' | 'spare' | 'kwhPrice'> {
  model?: string
  machines?: string[]
  gpus?: string[]
  nodes?: number
  link?: Link
  /** As `dgx-h200=98.32/h`. */
  prices?: string[]
  /** `none`: no limits; `interactive`: the usual ones. */
  limits?: string
  slo?: Objectives
  growth?: string
  /** A file. */
  trace?: string
  maxUtilisation?: number
  inputTokens?: number
  outputTokens?: number
  engine?: string
  prefer?: Preference
  /** Fields of the deployment that were fixed. */
  request?: DeploymentRequest
}

/** Where files of the question are, and how they are read. */
export interface CapacityFiles {
  /** Folder that paths in the file are meant from. */
  folder: string
  /** A path below a folder, in the words of the place; an absolute one stays. */
  join(folder: string, path: string): string
  text(path: string, what: string): Promise<string>
  /** A file line by line, however long it is; absent: texts are all there is. */
  lines?(path: string, what: string): Promise<AsyncIterable<TracePiece[]>>
}

type FileLoad = Omit<NonNullable<CapacityFile['models']>[number], 'model'>

/** `--machine here`: the one this runs on. */
const HERE = 'here'

/** The question that a file and what is given beside it put together. @throws InputError. */
export async function capacityQuestion(context: Context, file: CapacityFile | undefined, given: CapacityGiven, files: CapacityFiles): Promise<CapacityAsked> {
  const demands: DemandAsked[] = []
  const named = given.model ?? file?.model
  const entries = named !== undefined || !file?.models ? [{...file, model: named}] : file.models.map((entry) => ({...shared(file), ...entry}))
  if (entries.length > 1 && given.trace !== undefined) throw new InputError('TRACE_FOR_MANY', '--trace belongs to one model: name it in the file')
  for (const entry of entries) demands.push(await demandFrom(entry as FileLoad & {model?: string}, given, files))
  const growing = demands.some(({growth}) => growth !== undefined && growth !== 1)
  const kinds = await kindsFrom(context, file, given, files)
  return {
    demands,
    ...(kinds.length > 0 ? {kinds} : {kinds: await candidateKinds(context, demands, given.nodes), fromCatalogue: true}),
    months: given.months ?? file?.months ?? (growing ? [...USUAL_MONTHS] : [0]),
    spare: given.spare ?? file?.spare ?? 0,
    maxUtilisation: given.maxUtilisation ?? file?.maxUtilisation ?? USUAL_UTILISATION,
    kwhPrice: given.kwhPrice ?? file?.kwhPrice,
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

/** The fields of a deployment among those of an entry. */
function requestOf({
  model: _model,
  name: _name,
  engine: _engine,
  prefer: _prefer,
  link: _link,
  inputTokens: _input,
  outputTokens: _output,
  prefixHitRate: _prefix,
  requestRate: _rate,
  users: _users,
  thinkSeconds: _think,
  trace: _trace,
  slo: _slo,
  growth: _growth,
  ...request
}: FileLoad & {model?: string}): DeploymentRequest {
  // Of one model alone the whole file is the entry.
  const {
    machines: _machines,
    models: _models,
    months: _months,
    spare: _spare,
    maxUtilisation: _max,
    kwhPrice: _price,
    description: _words,
    ...own
  } = request as Partial<CapacityFile>
  return own as DeploymentRequest
}

async function demandFrom(entry: FileLoad & {model?: string}, given: CapacityGiven, files: CapacityFiles): Promise<DemandAsked> {
  const {model} = entry
  if (model === undefined) throw new InputError('ARGUMENT_MISSING', 'Missing model: give --model NAME, or a file with models')
  const trace = given.trace ?? (entry.trace === undefined ? undefined : files.join(files.folder, entry.trace))
  const users = given.users ?? (given.requestRate === undefined ? entry.users : undefined)
  const requestRate = given.requestRate ?? (given.users === undefined ? entry.requestRate : undefined)
  if ([users, requestRate, trace].filter((value) => value !== undefined).length !== 1)
    throw new InputError('LOAD_UNCLEAR', `${model}: give one of users, request-rate and trace`)
  const growth = given.growth ?? entry.growth
  const {slo, sloAssumed} = limitsFrom(given, entry.slo)
  return {
    name: entry.name,
    model,
    engine: given.engine ?? entry.engine,
    prefer: given.prefer ?? entry.prefer,
    request: {...requestOf(entry), ...given.request},
    inputTokens: given.inputTokens ?? (entry.inputTokens as Lengths | undefined) ?? ASSUMED_LOAD.inputTokens,
    outputTokens: given.outputTokens ?? (entry.outputTokens as Lengths | undefined) ?? ASSUMED_LOAD.outputTokens,
    prefixHitRate: given.prefixHitRate ?? entry.prefixHitRate,
    requestRate,
    users,
    thinkSeconds: users === undefined ? undefined : (given.thinkSeconds ?? entry.thinkSeconds),
    trace: trace === undefined ? undefined : await traceIn(files, trace),
    slo,
    ...(sloAssumed && {sloAssumed}),
    growth: growth === undefined ? undefined : parseGrowth(typeof growth === 'number' ? String(growth) : growth, 'growth'),
  }
}

async function traceIn({text, lines}: CapacityFiles, path: string): Promise<NonNullable<DemandAsked['trace']>> {
  const what = 'a trace in JSON Lines or CSV'
  return lines ? readTrace(await lines(path, what), path) : parseTrace(await text(path, what), path)
}

/** Limits that were given; where none were, the interactive ones, unless they are switched off. */
function limitsFrom({slo: given = {}, limits}: CapacityGiven, below: FileLoad['slo']): {slo: Objectives; sloAssumed?: boolean} {
  const stated = typeof below === 'object' ? (below as Objectives) : {}
  const slo: Objectives = {...stated, ...given}
  if (slo.ttftMs !== undefined || slo.tpotMs !== undefined || slo.endToEndMs !== undefined) return {slo}
  const named = limits ?? (typeof below === 'string' ? below : undefined)
  if (named === 'none') {
    requireLimits(slo)
    return {slo}
  }
  return {slo: {...INTERACTIVE_LIMITS, ...slo}, sloAssumed: named === undefined}
}

async function kindsFrom(context: Context, file: CapacityFile | undefined, given: CapacityGiven, {folder, join}: CapacityFiles): Promise<MachineKind[]> {
  const prices = new Map<string, number>()
  for (const text of given.prices ?? []) {
    const at = text.lastIndexOf('=')
    if (at <= 0) throw new InputError('PRICE_INVALID', `--price ${text}: expected MACHINE=AMOUNT/TIME, such as dgx-h200=98.32/h`)
    prices.set(text.slice(0, at), parsePrice(text.slice(at + 1), '--price'))
  }
  const places = [...(given.machines ?? []).map((machine) => ({machine})), ...(given.gpus ?? []).map((gpu) => ({gpu}))]
  // Prices without machines name what may be had.
  const named = (name: string) => (/^\d+x/i.test(name) ? {gpu: name} : {machine: name})
  const listed = (file?.machines ?? [...prices.keys()]).map((entry) => (typeof entry === 'string' ? named(entry) : entry))
  const asked: {gpu?: string; machine?: string; nodes?: number; price?: string}[] = places.length > 0 ? places : listed
  const kinds: MachineKind[] = []
  for (const {gpu, machine, nodes, price} of asked) {
    const here = machine === HERE || (machine === undefined && gpu === undefined)
    const place = machine !== undefined && looksLikePath(machine) && places.length === 0 ? join(folder, machine) : machine
    const found = await machineOf(context, {
      model: '',
      gpu,
      machine: here ? undefined : place,
      nodes: nodes ?? given.nodes,
      link: gpu === undefined ? undefined : given.link,
    })
    if (found.gpus.length === 0) throw new InputError('NO_GPU', `${machine ?? 'this machine'} has no GPU`)
    const name = here ? 'this machine' : (machine ?? gpu!)
    const pricePerMonth = prices.get(machine ?? gpu ?? HERE) ?? (price === undefined ? undefined : parsePrice(price, `price of ${name}`))
    const maxPowerWatts = machine === undefined || here || looksLikePath(machine) ? undefined : systemWatts(context.catalogue, machine, nodes ?? given.nodes)
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
