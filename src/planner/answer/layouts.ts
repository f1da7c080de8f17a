import type {Machine} from '../../core/accelerator.ts'
import type {Architecture} from '../../core/architecture.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import {dividesHeads} from '../../engines/divisibility.ts'
import {hasSlices, isMixed, servingGroups} from '../world/index.ts'

/** Divisors of a number, ascending. */
function divisors(value: number): number[] {
  const small: number[] = []
  const large: number[] = []
  for (let candidate = 1; candidate * candidate <= value; candidate++) {
    if (value % candidate !== 0) continue
    small.push(candidate)
    if (candidate * candidate !== value) large.unshift(value / candidate)
  }
  return [...small, ...large]
}

const hasExperts = (architecture: Architecture): boolean => architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')
const isLatent = (architecture: Architecture): boolean =>
  architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'mla' || kind === 'compressed'))

/** A layout on the cards of a machine that it takes. */
export interface Place {
  /** The whole machine, or some of its cards where they are unequal. */
  machine: Machine
  request: DeploymentRequest
  /** Not what was asked for (experts in whole parts, where they were to be split): only where the engine refuses all that is. */
  fallback?: boolean
}

/**
 * Ways to lay a model over a machine: those of each set of its cards that could serve together. Unequal cards are a set only where all of
 * them take part: what leaves one idle is a layout of the others.
 */
export function placesFor(architecture: Architecture, machine: Machine, request: DeploymentRequest, concurrency?: number): Place[] {
  const groups = servingGroups(machine)
  if (groups.length === 1) return placesOf(architecture, groups[0]!, request, concurrency)
  const places = groups.flatMap((group) =>
    placesOf(architecture, group, request, concurrency).filter(({request: layout}) => {
      const taken = gpusOf(layout)
      // Replicas on unequal cards are servers of their own, each with its own settings.
      return isMixed(group) ? taken === group.gpus.length && (layout.dp ?? 1) === 1 : taken <= group.gpus.length * group.nodeCount
    }),
  )
  return places.length > 0 ? places : placesOf(architecture, groups[0]!, request, concurrency)
}

const placesOf = (architecture: Architecture, machine: Machine, request: DeploymentRequest, concurrency?: number): Place[] =>
  layoutsFor(architecture, machine, request, concurrency).map((layout) => ({machine, request: layout, ...(isOther(request, layout) && {fallback: true})}))

const isOther = (asked: DeploymentRequest, layout: DeploymentRequest): boolean =>
  (asked.ep === 1 && (layout.ep ?? 1) > 1) || (asked.dpAttention === false && layout.dpAttention === true)

const gpusOf = ({tp = 1, pp = 1, dp = 1, dpAttention}: DeploymentRequest): number => tp * pp * (dpAttention ? 1 : dp)

/**
 * Ways to lay a model over equal cards, or over some that work as if they were, with what the request fixes kept. Without a fixed size: tensor
 * parallelism inside a node, with as many replicas as the rest has room for and the load keeps busy; pipeline stages where GPUs are joined by
 * the host or stand in several nodes. Experts dealt out whole, and attention data-parallel for latent attention, are variants.
 * Few, whatever the number of GPUs: sizes that divide a node, and the largest that do not where those leave more idle.
 */
export function layoutsFor(
  architecture: Architecture,
  machine: Machine,
  request: DeploymentRequest,
  concurrency = Number.POSITIVE_INFINITY,
): DeploymentRequest[] {
  const {tp, pp, dp, ep, dpAttention} = request
  if (tp !== undefined || pp !== undefined || dp !== undefined)
    return variants(architecture, {...request, tp: tp ?? 1, pp: pp ?? 1, dp: dp ?? 1, ep, dpAttention})
  const perNode = machine.gpus.length
  // Slices of a card do not reach each other: servers of one each, as many as the load keeps busy, where replicas share nothing.
  if (hasSlices(machine))
    return [{...request, tp: 1, pp: 1, dp: hasExperts(architecture) ? 1 : Math.max(1, Math.min(perNode * machine.nodeCount, concurrency))}]
  const staged = machine.nodeCount > 1 || (machine.link.kind !== 'nvlink' && machine.link.kind !== 'xgmi')
  const layerCount = architecture.layerSequence.length
  const layouts: DeploymentRequest[] = []
  for (const tensor of tensorSizes(architecture, perNode)) {
    const groups = Math.floor(perNode / tensor) * machine.nodeCount
    for (const stages of staged ? divisors(groups).filter((count) => count <= layerCount) : [1]) {
      const replicas = Math.max(1, Math.min(groups / stages, concurrency))
      layouts.push(...variants(architecture, {...request, tp: tensor, pp: stages, dp: replicas}))
    }
  }
  // Attention over one rank is no data parallelism: such a layout would drop what was asked for without a word.
  const parallel = layouts.filter((layout) => !dpAttention || (layout.tp ?? 1) * (layout.dp ?? 1) > 1)
  return parallel.length > 0 ? parallel : layouts
}

/** Tensor parallel sizes of a node, largest first: those that divide it, and larger ones that leave a part of it idle. */
function tensorSizes(architecture: Architecture, perNode: number): number[] {
  const sizes: number[] = []
  for (let size = perNode; size >= 1; size--) {
    if (!dividesHeads(architecture, size)) continue
    if (perNode % size === 0 || sizes.length === 0) sizes.push(size)
  }
  return sizes.length > 0 ? sizes : [1]
}

/** A request whose layout is open again. */
export const withoutLayout = (request: DeploymentRequest): DeploymentRequest => ({
  ...request,
  tp: undefined,
  pp: undefined,
  dp: undefined,
  ep: undefined,
  dpAttention: undefined,
})

/** A layout, and for mixtures of experts its expert-parallel forms, where the request leaves them open. */
function variants(architecture: Architecture, layout: DeploymentRequest): DeploymentRequest[] {
  const tp = layout.tp ?? 1
  // An expert-parallel size of 1 is what engines do by themselves: it asks for nothing.
  if (!hasExperts(architecture) || tp === 1 || (layout.ep ?? 1) > 1 || layout.dpAttention) return [layout]
  const forms: DeploymentRequest[] = [layout, {...layout, ep: tp}]
  if (isLatent(architecture) && (layout.dp ?? 1) === 1 && layout.pp === 1) forms.push({...layout, ep: tp, dpAttention: true})
  return forms
}
