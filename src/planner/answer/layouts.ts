import type {Machine} from '../../core/accelerator.ts'
import type {Architecture} from '../../core/architecture.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import {dividesHeads} from '../../engines/divisibility.ts'

/** Divisors of a number, ascending. */
const divisors = (value: number): number[] => Array.from({length: value}, (_, index) => index + 1).filter((candidate) => value % candidate === 0)

const hasExperts = (architecture: Architecture): boolean => architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')
const isLatent = (architecture: Architecture): boolean =>
  architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'mla' || kind === 'compressed'))

/**
 * Ways to lay a model over a machine, with what the request fixes kept. Without a fixed size: tensor parallelism inside a node, with
 * replicas over the rest as long as there are requests to keep each busy, or fewer GPUs where that is quicker for a few; pipeline
 * stages where GPUs are joined by the host or stand in several nodes. Experts dealt out whole, and attention data-parallel for latent
 * attention, are variants.
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
  const all = perNode * machine.nodeCount
  const staged = machine.nodeCount > 1 || (machine.link.kind !== 'nvlink' && machine.link.kind !== 'xgmi')
  const layouts: DeploymentRequest[] = []
  for (let used = all; used >= 1; used--) {
    for (const tensor of divisors(used)) {
      if (tensor > perNode || !dividesHeads(architecture, tensor)) continue
      for (const stages of divisors(used / tensor)) {
        const replicas = used / tensor / stages
        if (stages > architecture.layerSequence.length || replicas > concurrency || (stages > 1 && !staged)) continue
        // A part of the GPUs: only as one group, beside what uses them all.
        if (used < all && (layouts.length > 0 || used < all / 2) && (replicas > 1 || stages > 1 || concurrency >= all)) continue
        layouts.push(...variants(architecture, {...request, tp: tensor, pp: stages, dp: replicas}))
      }
    }
  }
  return layouts.length > 0 ? layouts : [{...request, tp: 1, pp: 1, dp: 1}]
}

/** A layout, and for mixtures of experts its expert-parallel forms, where the request leaves them open. */
function variants(architecture: Architecture, layout: DeploymentRequest): DeploymentRequest[] {
  const tp = layout.tp ?? 1
  // An expert-parallel size of 1 is what engines do by themselves: it asks for nothing.
  if (!hasExperts(architecture) || tp === 1 || (layout.ep ?? 1) > 1 || layout.dpAttention) return [layout]
  const forms: DeploymentRequest[] = [layout, {...layout, ep: tp}]
  if (isLatent(architecture) && (layout.dp ?? 1) === 1 && layout.pp === 1) forms.push({...layout, ep: tp, dpAttention: true})
  return forms
}
