import type {Machine} from '../core/accelerator.ts'
import type {Architecture} from '../core/architecture.ts'
import type {DeploymentRequest} from '../core/deployment.ts'

/** Divisors of a number, ascending. */
const divisors = (value: number): number[] => Array.from({length: value}, (_, index) => index + 1).filter((candidate) => value % candidate === 0)

const hasExperts = (architecture: Architecture): boolean => architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')
const isLatent = (architecture: Architecture): boolean => architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'mla' || kind === 'compressed'))

/** Tensor-parallel sizes that split the heads of every attention layer evenly. */
function dividesHeads(architecture: Architecture, tp: number): boolean {
  return architecture.layerKinds.every(({mixers}) => mixers.every((mixer): boolean => {
    switch (mixer.kind) {
      case 'full': return mixer.queryHeadCount % tp === 0 && (mixer.kvHeadCount % tp === 0 || tp % mixer.kvHeadCount === 0)
      case 'mla': return mixer.queryHeadCount % tp === 0
      case 'compressed': return mixer.queryHeadCount % tp === 0 && mixer.outputGroupCount % tp === 0
      case 'gated-delta-net': return mixer.keyHeadCount % tp === 0 && mixer.valueHeadCount % tp === 0
      case 'kimi-delta': case 'lightning': case 'mamba2': return mixer.headCount % tp === 0
      case 'mamba1': return mixer.innerSize % tp === 0
      case 'short-conv': return mixer.channelCount % tp === 0
    }
  }))
}

/**
 * Ways to lay a model over a machine, with what the request fixes kept. Without a fixed size: tensor parallelism inside a node,
 * pipeline stages and replicas over the rest; experts dealt out whole, and attention data-parallel for latent attention, as
 * variants. All GPUs are used where sizes divide; a smaller number only where none do.
 */
export function layoutsFor(architecture: Architecture, machine: Machine, request: DeploymentRequest): DeploymentRequest[] {
  const {tp, pp, dp, ep, dpAttention} = request
  if (tp !== undefined || pp !== undefined || dp !== undefined) return variants(architecture, {...request, tp: tp ?? 1, pp: pp ?? 1, dp: dp ?? 1, ep, dpAttention})
  const perNode = machine.gpus.length
  const all = perNode * machine.nodeCount
  for (let used = all; used >= 1; used--) {
    const layouts: DeploymentRequest[] = []
    for (const tensor of divisors(used)) {
      if (tensor > perNode || !dividesHeads(architecture, tensor)) continue
      for (const stages of divisors(used / tensor)) {
        if (stages > architecture.layerSequence.length) continue
        layouts.push(...variants(architecture, {...request, tp: tensor, pp: stages, dp: used / tensor / stages}))
      }
    }
    if (layouts.length > 0) return layouts
  }
  return [{...request, tp: 1, pp: 1, dp: 1}]
}

/** A layout, and for mixtures of experts its expert-parallel forms, where the request leaves them open. */
function variants(architecture: Architecture, layout: DeploymentRequest): DeploymentRequest[] {
  const tp = layout.tp ?? 1
  if (!hasExperts(architecture) || tp === 1 || layout.ep !== undefined || layout.dpAttention !== undefined) return [layout]
  const forms: DeploymentRequest[] = [layout, {...layout, ep: tp}]
  if (isLatent(architecture) && (layout.dp ?? 1) === 1 && layout.pp === 1) forms.push({...layout, ep: tp, dpAttention: true})
  return forms
}
