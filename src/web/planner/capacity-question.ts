import type {Catalogue} from '../../catalogue/catalogue.ts'
import {parseShare} from '../../cli/quantities.ts'
import {requireSystem} from '../../catalogue/system.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import type {Machine} from '../../core/accelerator.ts'
import {candidateKinds, type CapacityAsked, type DemandAsked, parseGrowth, parsePrice, USUAL_MONTHS, USUAL_UTILISATION} from '../../planner/capacity/index.ts'
import {machineOf} from '../../planner/answer/index.ts'
import {INTERACTIVE_LIMITS, type Objectives, type Scenario} from '../../planner/scenario/index.ts'
import type {Context} from '../../planner/world/index.ts'
import {machineTitle} from '../../render/hardware.ts'
import type {Words} from '../question/fields.ts'

/** How many machines of this kind, or of the catalogue's where none is named, carry the load. @throws InputError. */
export async function capacityAsked(context: Context, scenario: Scenario, words: Words, machine: Machine | undefined): Promise<CapacityAsked> {
  const {model, gpu, machine: named, nodes, link: _link, id: _id, command: _command, prefer: _prefer, slo = {}, workload, engine, ...request} = scenario
  const users = workload?.requestRate === undefined ? workload?.concurrency : undefined
  const growth = words.growth ? parseGrowth(words.growth, 'growth') : undefined
  const {limits, assumed} = limitsOf(slo, words.slo)
  const demand: DemandAsked = {
    model,
    engine,
    request: request as DeploymentRequest,
    inputTokens: workload?.inputTokens ?? 1,
    outputTokens: workload?.outputTokens ?? 1,
    prefixHitRate: workload?.prefixHitRate,
    requestRate: workload?.requestRate,
    users: users === 'max' ? 1 : users,
    thinkSeconds: users === undefined || !words['think-seconds'] ? undefined : Number(words['think-seconds']),
    slo: limits,
    ...(assumed && {sloAssumed: true}),
    growth,
  }
  const pricePerMonth = words.price ? parsePrice(words.price, 'price') : undefined
  const watts = named === undefined || !machine ? undefined : systemWatts(context.catalogue, named, nodes)
  const kinds: CapacityAsked['kinds'] = []
  if (machine)
    kinds.push({
      name: named ?? gpu ?? machineTitle(machine),
      machine,
      ...(watts !== undefined && {maxPowerWatts: watts}),
      ...(pricePerMonth !== undefined && {pricePerMonth}),
    })
  for (const place of placesBeside(words)) kinds.push(await kindBeside(context, place, scenario))
  return {
    demands: [demand],
    ...(kinds.length > 0 ? {kinds} : {kinds: await candidateKinds(context, [demand], nodes), fromCatalogue: true}),
    months: growth !== undefined && growth !== 1 ? [...USUAL_MONTHS] : [0],
    spare: words.spare ? Number(words.spare) : 0,
    maxUtilisation: words['max-utilisation'] ? parseShare(words['max-utilisation'], 'max-utilisation', {min: 0.05, max: 1}) : USUAL_UTILISATION,
  }
}

/** Machines that are compared with the one of the form: names of the list, or cards with their number. */
export const placesBeside = ({beside = ''}: Words): ({machine: string} | {gpu: string})[] =>
  beside
    .split(/[;\s]+/)
    .filter(Boolean)
    .map((name) => (/^\d+[x×]/i.test(name) ? {gpu: name} : {machine: name}))

async function kindBeside(context: Context, place: {machine?: string; gpu?: string}, {nodes, link}: Scenario): Promise<CapacityAsked['kinds'][number]> {
  const machine = await machineOf(context, {model: '', ...place, nodes, link: place.gpu === undefined ? undefined : link})
  const watts = place.machine === undefined ? undefined : systemWatts(context.catalogue, place.machine, nodes)
  return {name: place.machine ?? place.gpu ?? machineTitle(machine), machine, ...(watts !== undefined && {maxPowerWatts: watts})}
}

/** Without a limit of one's own the interactive ones hold, as for the command. */
function limitsOf(given: Objectives, named: string | undefined): {limits: Objectives; assumed: boolean} {
  const own = given.ttftMs !== undefined || given.tpotMs !== undefined || given.endToEndMs !== undefined
  if (own || named === 'none') return {limits: given, assumed: false}
  return {limits: {...INTERACTIVE_LIMITS, ...given}, assumed: named === undefined || named === ''}
}

/** Rated watts of a catalogued system, for as many nodes as are asked for; nothing for a machine that is none of it. */
function systemWatts(catalogue: Catalogue, name: string, nodes: number | undefined): number | undefined {
  if (name.includes('/')) return undefined
  const {maxPowerWatts, nodeCount} = requireSystem(catalogue.systems, name)
  return maxPowerWatts === undefined ? undefined : (maxPowerWatts / nodeCount) * (nodes ?? nodeCount)
}
