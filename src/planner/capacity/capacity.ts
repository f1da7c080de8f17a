import type {Machine} from '../../core/accelerator.ts'
import type {Interval} from '../../core/terms.ts'
import type {Engine} from '../../engines/engine.ts'
import {DEFAULT_ENGINE, ENGINES} from '../../engines/registry.ts'
import {carriedBy, isCarried} from './carry.ts'
import {type Demand, type DemandAsked, demandOf} from './demand.ts'
import {machineCount, machineMemoryBytes, packed, shareAfterLoss, type Units, unitsFor} from './fleet.ts'
import {type End, limitsReached} from './limits.ts'
import {HOURS_PER_MONTH} from './money.ts'
import {type CapacityProblem, missOf, problemOf} from './problems.ts'
import type {Carried, Carries, CarriesNothing} from './question.ts'
import {traceShare} from './simulated.ts'
import {type Context, engineInRelease, modelOf, pacingAccelerator} from '../world/index.ts'
import {type Evaluation, judge, type Reached, requireLayers, requireSpeed, requireWriting, type Result, SCHEMA_VERSION, toResult} from '../answer/index.ts'
import {pause} from '../plan/index.ts'
import type {Objectives} from '../scenario/index.ts'

/** A kind of machine that could be bought or rented. */
export interface MachineKind {
  name: string
  machine: Machine
  /** Of the whole system at most, where the catalogue has it. */
  maxPowerWatts?: number
  pricePerMonth?: number
}

export interface CapacityAsked {
  demands: DemandAsked[]
  kinds: MachineKind[]
  /** No machine was named: the kinds are those of the catalogue, the best of which are answered. */
  fromCatalogue?: boolean
  /** The slow end is not looked at. */
  onlyEstimate?: boolean
  /** Months from now that are looked at; 0 is now. */
  months: number[]
  /** Machines beyond what the load needs. */
  spare: number
  maxUtilisation: number
  /** Price of a kilowatt-hour, in the currency of the others. */
  kwhPrice?: number
}

/** How one model is served on a part of a machine, or all of it. */
export interface Placement {
  name: string
  gpus: number
  /** Most that it carries within the limits at the estimate, in the demand's unit. */
  carries: number
  requestsPerSecond: number
  limitedBy: Carried['limitedBy']
  /** Of people who pause: how many are being answered at a time, in the mean and when it is busy; the limits are kept at the second. */
  inFlight?: {mean: number; busy: number}
  shareWithinLimits?: number
  /** Each limit with the mean that is expected at that load, and the slow end of its interval. */
  limits?: Reached[]
  /** The same at the slow end of every interval; absent: there it keeps the limits at no load. */
  cautious?: {carries: number; requestsPerSecond: number; limitedBy: Carried['limitedBy']}
  /** As `check` says of it at that load. */
  result: Result
  /** What is seen at the load that was asked for, in the first month: so much of it comes to each. */
  atLoad?: {amount: number; inFlight?: {mean: number; busy: number}; ttftMs: Interval; tpotMs: Interval}
}

export interface Period {
  month: number
  /** Machines that the load needs, and with the spare ones. */
  needed: number
  machines: number
  gpus: number
  units: {name: string; units: number; demand: number; utilisation: number}[]
  /** Share of what all machines carry within the limits. Of several models: share of the GPUs that the load needs, those that none of them takes counted as free. */
  utilisation: number
  /** The same when the machine is lost that hurts most; above 1 the limits are broken until it is back. Absent: nothing is left of a model then. */
  utilisationAfterLoss?: number
  /** What the slow end of every interval would take. Absent: no number of machines keeps the limits there. */
  cautious?: {needed: number; machines: number; gpus: number; costPerMonth?: number}
  /** Upper bound: every machine at its rated power, all the time. */
  watts?: number
  kwhPerMonth?: number
  costPerMonth?: number
  energyCostPerMonth?: number
}

export interface FleetOption {
  machine: string
  gpu: string
  gpusPerMachine: number
  feasible: boolean
  /** tight: the slow end of the intervals takes more machines, or no number of them would do. */
  verdict: 'fits' | 'tight' | 'too-slow' | 'does-not-fit'
  /** Why not, for each model that it does not carry. */
  problems: CapacityProblem[]
  placements: Placement[]
  /** What the power is that of: a whole system, or its GPUs alone. */
  powerOf?: 'system' | 'gpus'
  periods: Period[]
}

/** `capacity --json`. */
export interface CapacityReport {
  schemaVersion: typeof SCHEMA_VERSION
  feasible: boolean
  spare: number
  maxUtilisation: number
  /** Where no machine was named: how many of the catalogue were looked at. */
  candidates?: {considered: number}
  demands: {
    name: string
    model: string
    unit: Demand['unit']
    amount: number
    thinkSeconds?: number
    inputTokens: number
    outputTokens: number
    slo?: Objectives
    /** Nobody gave limits: these are the interactive ones. */
    sloAssumed?: boolean
    growthPerMonth: number
    trace?: NonNullable<Demand['trace']>['summary']
  }[]
  /** Cheapest first where all have prices, else fewest GPUs; of equal ones the one that is better at the slow end, then least memory. */
  options: FleetOption[]
}

/** A report with what manifests are made from. */
export interface Capacity {
  report: CapacityReport
  /** Of the first option, at its first month. */
  deployments: {name: string; best: Evaluation; machine: Machine; replicas: number}[]
}

interface Placed {
  demand: Demand
  carried: Carried
  machine: Machine
  gpus: number
}

/** From what arrives to how many machines of each kind. */
export async function capacity(context: Context, asked: CapacityAsked): Promise<Capacity> {
  const demands: Demand[] = []
  for (const demand of asked.demands) {
    // A name or a release that is not there is told before anything is looked for.
    enginesOf(context, demand)
    const {model, checkpoint} = await modelOf(context, demand.model)
    requireLayers(model)
    requireWriting(model)
    demands.push(demandOf(demand, model, checkpoint))
  }
  if (!asked.fromCatalogue) for (const {machine} of asked.kinds) requireSpeed(pacingAccelerator(machine), 'capacity')
  const kinds = asked.fromCatalogue ? await shortList(context, demands, asked) : asked.kinds
  const options: {option: FleetOption; placed: Placed[]; memoryBytes: number}[] = []
  for (const kind of kinds) options.push({...(await optionOf(context, kind, demands, asked)), memoryBytes: machineMemoryBytes(kind.machine)})
  const memoryOf = ({option: {periods}, memoryBytes}: (typeof options)[number]) => (periods[0]?.machines ?? 1) * memoryBytes
  options.sort(
    (a, b) =>
      Number(b.option.feasible) - Number(a.option.feasible) ||
      weight(a.option, options) - weight(b.option, options) ||
      cautiousGpus(a.option) - cautiousGpus(b.option) ||
      memoryOf(a) - memoryOf(b),
  )
  const [first] = options
  return {
    report: {
      schemaVersion: SCHEMA_VERSION,
      feasible: first?.option.feasible ?? false,
      spare: asked.spare,
      maxUtilisation: asked.maxUtilisation,
      ...(asked.fromCatalogue && {candidates: {considered: asked.kinds.length}}),
      demands: demands.map(({name, model, unit, amount, thinkSeconds, inputTokens, outputTokens, slo, sloAssumed, growth, trace}) => ({
        name,
        model: model.id,
        unit,
        amount,
        ...(thinkSeconds !== undefined && {thinkSeconds}),
        inputTokens,
        outputTokens,
        ...(Object.keys(slo).length > 0 && {slo}),
        ...(sloAssumed && {sloAssumed}),
        growthPerMonth: growth - 1,
        ...(trace && {trace: trace.summary}),
      })),
      options: options.map(({option}) => option),
    },
    deployments: first?.option.feasible
      ? first.placed.map(({demand, carried, machine}, index) => ({
          name: demand.name,
          best: asChecked({carried, demand}, context),
          machine,
          replicas: first.option.periods[0]!.units[index]!.units,
        }))
      : [],
  }
}

/** What options are sorted by: cost in the first month where all have a price, else GPUs. */
function weight(option: FleetOption, all: readonly {option: FleetOption}[]): number {
  const [period] = option.periods
  if (!period) return Number.POSITIVE_INFINITY
  return all.every(({option: {periods}}) => periods[0] === undefined || periods[0].costPerMonth !== undefined) ? period.costPerMonth! : period.gpus
}

/** Candidates that are answered: those that carry the load, or else the ones that come nearest. */
const CANDIDATES_SHOWN = 6
const CANDIDATES_REFUSED = 3

/** The kinds of the catalogue that take fewest GPUs by the means of the estimate; where none will do, those that come nearest. */
async function shortList(context: Context, demands: readonly Demand[], asked: CapacityAsked): Promise<MachineKind[]> {
  // What takes simulations, and the slow end, is looked at for those that are answered.
  const rough = demands.map((demand) => ({...demand, slo: {...demand.slo, percentile: undefined}}))
  const looked: {kind: MachineKind; gpus: number; miss: number}[] = []
  // Fewest cards come first: where a machine has as many of a card as smaller ones take in all, it takes no fewer.
  const fewest = new Map<string, number>()
  for (const kind of asked.kinds) {
    const card = kind.machine.gpus[0]!.accelerator.id
    if ((fewest.get(card) ?? Number.POSITIVE_INFINITY) <= kind.machine.gpus.length * kind.machine.nodeCount) continue
    const {option} = await optionOf(context, kind, rough, {...asked, months: [0], onlyEstimate: true})
    const gpus = option.periods[0]?.gpus ?? Number.POSITIVE_INFINITY
    fewest.set(card, Math.min(gpus, fewest.get(card) ?? gpus))
    looked.push({kind, gpus, miss: Math.max(0, ...option.problems.map(missOf))})
  }
  looked.sort(
    (a, b) =>
      a.miss - b.miss ||
      a.gpus - b.gpus ||
      machineMemoryBytes(a.kind.machine) / a.kind.machine.gpus.length - machineMemoryBytes(b.kind.machine) / b.kind.machine.gpus.length,
  )
  return looked
    .slice(0, looked[0]?.miss === 0 ? CANDIDATES_SHOWN : CANDIDATES_REFUSED)
    .filter(({miss}) => miss === 0 || looked[0]!.miss > 0)
    .map(({kind}) => kind)
}

/** Of options that are as good as expected, the one that is better at the slow end comes first. */
const cautiousGpus = ({periods}: FleetOption): number => periods[0]?.cautious?.gpus ?? Number.MAX_SAFE_INTEGER

async function optionOf(
  context: Context,
  kind: MachineKind,
  demands: readonly Demand[],
  asked: CapacityAsked,
): Promise<{option: FleetOption; placed: Placed[]}> {
  const {machine} = kind
  const gpusPerMachine = machine.gpus.length * machine.nodeCount
  const option: FleetOption = {
    machine: kind.name,
    gpu: machine.gpus[0]!.accelerator.id,
    gpusPerMachine,
    feasible: true,
    verdict: 'fits',
    problems: [],
    placements: [],
    periods: [],
  }
  const placed: Placed[] = []
  for (const demand of demands) {
    await pause()
    const found = await bestPart(context, machine, demand, demands.length > 1, asked)
    if ('because' in found) option.problems.push(problemOf(found, demand))
    else placed.push(found)
  }
  option.feasible = option.problems.length === 0
  option.placements = placed.map((part) => placementOf(part, context))
  if (!option.feasible) {
    option.verdict = option.problems.every(({code}) => code === 'slo-missed') ? 'too-slow' : 'does-not-fit'
    return {option, placed}
  }
  const power = powerOf(kind)
  if (power) option.powerOf = power.of
  for (const month of asked.months) {
    await pause()
    option.periods.push(periodOf(month, placed, gpusPerMachine, kind, power?.watts, asked, context))
  }
  if (option.periods.some(({needed, cautious}) => cautious === undefined || cautious.needed > needed)) option.verdict = 'tight'
  for (const [index, {carried, demand}] of placed.entries()) {
    const amount = demand.amount / option.periods[0]!.units[index]!.units
    const {point, inFlight} = carried.at(amount)
    const {ttftMs, tpotMs} = point.performance
    option.placements[index]!.atLoad = {amount, ...(inFlight && {inFlight}), ttftMs, tpotMs}
  }
  return {option, placed}
}

/** Parts of a machine that a model is tried on, where several models share the machines. */
function partsOf(machine: Machine, shared: boolean): Machine[] {
  const all = machine.gpus.length
  if (!shared || machine.nodeCount > 1) return [machine]
  const sizes = [1, 2, 4, 8, 16].filter((size) => size < all && all % size === 0)
  return [...sizes.map((size) => ({...machine, gpus: machine.gpus.slice(0, size)})), machine]
}

/** The engine that was named, or all. A version without an engine is one of the default engine's. @throws InputError. */
function enginesOf(context: Context, {engine, request: {engineVersion}}: Pick<DemandAsked, 'engine' | 'request'>): Engine[] {
  const names = engine === undefined ? [DEFAULT_ENGINE, ...Object.keys(ENGINES).filter((name) => name !== DEFAULT_ENGINE)] : [engine]
  return names.map((name) => engineInRelease(context, name, engine === undefined && name !== DEFAULT_ENGINE ? undefined : engineVersion))
}

/** The part of a machine with which a demand takes fewest GPUs, and of those the fewest parts. */
async function bestPart(
  context: Context,
  machine: Machine,
  demand: Demand,
  shared: boolean,
  {maxUtilisation, months, onlyEstimate}: CapacityAsked,
): Promise<Placed | CarriesNothing> {
  const engines = enginesOf(context, demand)
  const amounts = months.map((month) => demand.amount * demand.growth ** month)
  let best: Placed | undefined
  let nothing: CarriesNothing | undefined
  for (const part of partsOf(machine, shared)) {
    await pause()
    const carried = carriedBy({demand, amounts, machine: part, engines, calibration: context.catalogue.speedCalibration, maxUtilisation, onlyEstimate})
    if (!isCarried(carried)) {
      nothing = carried
      continue
    }
    const gpus = part.gpus.length * part.nodeCount
    const total = (placed: Pick<Placed, 'carried' | 'gpus'>) => unitsFor(demand.amount, placed.carried.amount) * placed.gpus
    const candidate: Placed = {demand, carried, machine: part, gpus}
    if (!best || total(candidate) <= total(best)) best = candidate
  }
  // The last part is the whole machine.
  return best ?? nothing!
}

/** Most further machines that a trace's bursts are given before its mean is. */
const MOST_FOR_BURSTS = 3

/** Units that a demand takes at one end of the intervals. A trace's own arrivals are dealt out over them: at least what the busiest minute needs. */
function unitsAt(carries: Carries, demand: Demand, growth: number, end: End, context: Context): number {
  let units = unitsFor(demand.amount * growth, carries.amount)
  const {percentile} = demand.slo
  if (!demand.trace || percentile === undefined) return units
  const most = units * MOST_FOR_BURSTS
  while (units < most && traceShare(carries, demand, units, growth, context.catalogue.speedCalibration, end) < percentile / 100)
    units += Math.max(1, Math.floor(units / 8))
  return units
}

function periodOf(
  month: number,
  placed: readonly Placed[],
  gpusPerMachine: number,
  kind: MachineKind,
  watts: number | undefined,
  {spare, kwhPrice}: CapacityAsked,
  context: Context,
): Period {
  const loads = placed.map(({demand: of, carried}) => {
    const growth = of.growth ** month
    const demand = of.amount * growth
    return {demand, needed: demand / carried.amount, units: unitsAt(carried, of, growth, 'estimate', context)}
  })
  const machinesFor = (units: readonly number[]) =>
    packed(
      units.map((count, index): Units => ({demand: index, gpus: placed[index]!.gpus, count})),
      gpusPerMachine,
    )
  const machines = machinesFor(loads.map(({units}) => units))
  const cautiousUnits = placed.map(({demand, carried}, index) =>
    carried.cautious ? Math.max(loads[index]!.units, unitsAt(carried.cautious, demand, demand.growth ** month, 'high', context)) : undefined,
  )
  const cautious = cautiousUnits.every((units) => units !== undefined) ? machineCount(machinesFor(cautiousUnits)) : undefined
  const needed = machineCount(machines)
  const total = needed + spare
  // Spare machines run what the fullest runs: a spare takes part in the load.
  const fullest = machines[0]
  const loaded = fullest ? [...machines, {...fullest, count: spare}] : machines
  const counts = placed.map((_, index) => loaded.reduce((sum, {load, count}) => sum + count * (load.get(index) ?? 0), 0))
  const units = placed.map(({demand}, index) => ({
    name: demand.name,
    units: counts[index]!,
    demand: loads[index]!.demand,
    utilisation: loads[index]!.needed / counts[index]!,
  }))
  const afterLoss = shareAfterLoss(loaded, loads, counts)
  const kwh = watts === undefined ? undefined : (watts * total * HOURS_PER_MONTH) / 1000
  return {
    month,
    needed,
    machines: total,
    gpus: total * gpusPerMachine,
    units,
    utilisation: placed.reduce((sum, {gpus}, index) => sum + loads[index]!.needed * gpus, 0) / (total * gpusPerMachine),
    ...(Number.isFinite(afterLoss) && {utilisationAfterLoss: afterLoss}),
    ...(cautious !== undefined && {
      cautious: {
        needed: cautious,
        machines: cautious + spare,
        gpus: (cautious + spare) * gpusPerMachine,
        ...(kind.pricePerMonth !== undefined && {costPerMonth: kind.pricePerMonth * (cautious + spare)}),
      },
    }),
    ...(watts !== undefined && {watts: watts * total, kwhPerMonth: kwh}),
    ...(kind.pricePerMonth !== undefined && {costPerMonth: kind.pricePerMonth * total}),
    ...(kwh !== undefined && kwhPrice !== undefined && {energyCostPerMonth: kwh * kwhPrice}),
  }
}

/** Rated power of a machine: of the system where it is known, else of its GPUs. */
function powerOf({machine, maxPowerWatts}: MachineKind): {watts: number; of: 'system' | 'gpus'} | undefined {
  if (maxPowerWatts !== undefined) return {watts: maxPowerWatts, of: 'system'}
  let watts = 0
  for (const {accelerator} of machine.gpus) {
    if (accelerator.tdpWatts === undefined) return undefined
    watts += accelerator.tdpWatts / (accelerator.devicesPerPackage ?? 1)
  }
  return {watts: watts * machine.nodeCount, of: 'gpus'}
}

/** The carried deployment as `check` judges it at that load. */
const asChecked = ({carried: {point}, demand}: Pick<Placed, 'carried' | 'demand'>, {catalogue: {speedCalibration}}: Context): Evaluation =>
  // Limits that nobody asked for choose a load and change no verdict.
  judge(
    point.evaluation,
    {workload: point.evaluation.workload, slo: demand.sloAssumed ? {} : demand.slo, calibration: speedCalibration},
    {performance: point.performance},
  )

function placementOf({demand, carried, gpus}: Placed, context: Context): Placement {
  const {amount, requestsPerSecond, limitedBy, inFlight, shareWithinLimits, cautious, point} = carried
  const limits = limitsReached(point, demand.slo)
  return {
    name: demand.name,
    gpus,
    carries: amount,
    requestsPerSecond,
    limitedBy,
    ...(inFlight && {inFlight}),
    ...(shareWithinLimits !== undefined && {shareWithinLimits}),
    ...(limits.length > 0 && {limits}),
    ...(cautious && {cautious: {carries: cautious.amount, requestsPerSecond: cautious.requestsPerSecond, limitedBy: cautious.limitedBy}}),
    result: toResult(asChecked({carried, demand}, context)),
  }
}
