import type {Machine} from '../../core/accelerator.ts'
import type {Architecture} from '../../core/architecture.ts'
import {PairMemo} from '../../core/bounded-map.ts'
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
export function placesFor(architecture: Architecture, machine: Machine, request: DeploymentRequest, concurrency = Number.POSITIVE_INFINITY): readonly Place[] {
  // More requests than cards ask for no other layout.
  const requests = Math.min(concurrency, machine.gpus.length * machine.nodeCount)
  return KNOWN.once(architecture, machine, `${requests} ${JSON.stringify(request)}`, () => placesAnew(architecture, machine, request, requests))
}

/** Places that were found already: the checkpoints of a model, and the loads of many questions, are laid over a machine in the same ways. */
const KNOWN = new PairMemo<Architecture, Machine, readonly Place[]>(500)

function placesAnew(architecture: Architecture, machine: Machine, request: DeploymentRequest, concurrency: number): Place[] {
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

const placesOf = (architecture: Architecture, machine: Machine, request: DeploymentRequest, concurrency: number): Place[] =>
  layoutsFor(architecture, machine, request, concurrency).map((layout) => ({machine, request: layout, ...(isOther(request, layout) && {fallback: true})}))

/** Experts dealt out over replicas of one GPU are a variant that only vLLM has, and that it needs only where it cannot split them. */
const isOther = (asked: DeploymentRequest, layout: DeploymentRequest): boolean =>
  (asked.ep === 1 && (layout.ep ?? 1) > 1) ||
  (asked.dpAttention === false && layout.dpAttention === true) ||
  (asked.ep === undefined && layout.tp === 1 && (layout.ep ?? 1) > 1)

const gpusOf = ({tp = 1, pp = 1, dp = 1, dpAttention}: DeploymentRequest): number => tp * pp * (dpAttention ? 1 : dp)

/**
 * Ways to lay a model over equal cards, or over some that work as if they were, with what the request fixes kept. Without a fixed size: tensor
 * parallelism inside a node, with as many replicas as the rest has room for and the load keeps busy; pipeline stages where GPUs are joined by
 * the host, stand in several nodes, or are more than heads divide over (three, five, seven). Experts dealt out whole, and attention
 * data-parallel for latent attention, are variants.
 * Few, whatever the number of GPUs.
 */
export function layoutsFor(
  architecture: Architecture,
  machine: Machine,
  request: DeploymentRequest,
  concurrency = Number.POSITIVE_INFINITY,
): DeploymentRequest[] {
  const {tp, pp, dp, ep, dpAttention} = request
  // Attention data parallelism takes the place of the tensor parallel size (vLLM): of a size that is fixed it is no variant.
  if (tp !== undefined || pp !== undefined || dp !== undefined)
    return variants(architecture, {...request, tp: tp ?? 1, pp: pp ?? 1, dp: dp ?? 1, ep, dpAttention}).filter((layout) => layout.dpAttention === dpAttention)
  const perNode = machine.gpus.length
  // Slices of a card do not reach each other: servers of one each, as many as the load keeps busy, where replicas share nothing.
  if (hasSlices(machine))
    return [{...request, tp: 1, pp: 1, dp: hasExperts(architecture) ? 1 : Math.max(1, Math.min(perNode * machine.nodeCount, concurrency))}]
  const sizes = tensorSizes(architecture, perNode)
  const isDirect = machine.link.kind === 'nvlink' || machine.link.kind === 'xgmi'
  const layerCount = architecture.layerSequence.length
  const layouts: DeploymentRequest[] = []
  // One of several nodes may serve better than all: what a network slows down, or an engine does not spread.
  for (const nodes of new Set([machine.nodeCount, 1])) {
    const staged = nodes > 1 || !isDirect || !sizes.includes(perNode)
    for (const tensor of sizes) {
      const groups = Math.floor(perNode / tensor) * nodes
      for (const stages of staged ? divisors(groups).filter((count) => count <= layerCount) : [1]) {
        const most = groups / stages
        const replicas = new Set([Math.max(1, Math.min(most, concurrency))])
        // Experts are spread over the ranks of all replicas (vLLM): those that no request keeps busy still hold their part.
        if (!sizes.includes(perNode) && hasExperts(architecture)) replicas.add(most)
        for (const count of replicas) layouts.push(...variants(architecture, {...request, tp: tensor, pp: stages, dp: count}))
      }
    }
  }
  // Attention over one rank is no data parallelism, and experts are not dealt out to more ranks than there are: such a layout would
  // drop what was asked for without a word.
  const distinct = [...new Map(layouts.map((layout) => [`${layout.tp} ${layout.pp} ${layout.dp} ${layout.ep} ${layout.dpAttention}`, layout])).values()]
  const parallel = distinct.filter(({tp: tensor = 1, dp: replicas = 1}) => (!dpAttention || tensor * replicas > 1) && (tensor * replicas) % (ep ?? 1) === 0)
  return parallel.length > 0 ? parallel : distinct
}

/**
 * Tensor parallel sizes of a node, largest first: those that divide it, the largest of all, and the powers of two, with which an odd card
 * stays idle rather than making the others slow.
 */
function tensorSizes(architecture: Architecture, perNode: number): number[] {
  const sizes: number[] = []
  for (let size = perNode; size >= 1; size--) {
    if (!dividesHeads(architecture, size)) continue
    if (perNode % size === 0 || sizes.length === 0 || Number.isInteger(Math.log2(size))) sizes.push(size)
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
  const {tp = 1, dp = 1} = layout
  // An expert-parallel size of 1 is what engines do by themselves: it asks for nothing.
  if (!hasExperts(architecture) || tp * dp === 1 || (layout.ep ?? 1) > 1 || layout.dpAttention) return [layout]
  const forms: DeploymentRequest[] = [layout, {...layout, ep: tp > 1 ? tp : dp}]
  if (tp > 1 && isLatent(architecture) && (layout.dp ?? 1) === 1 && layout.pp === 1) forms.push({...layout, ep: tp, dpAttention: true})
  return forms
}
