import type {Architecture, LayerKind, Mixer} from '../../core/architecture.ts'
import type {LayerPlan} from './layers.ts'

/** Equal layers become one kind; kinds are named after what tells them apart. */
export function groupLayers(plans: LayerPlan[]): Pick<Architecture, 'layerKinds' | 'layerSequence'> {
  const indexes = new Map<string, number>()
  const kinds: LayerPlan[] = []
  const layerSequence = plans.map((plan) => {
    const key = JSON.stringify(plan)
    const known = indexes.get(key)
    if (known !== undefined) return known
    indexes.set(key, kinds.length)
    kinds.push(plan)
    return kinds.length - 1
  })
  return {layerKinds: named(kinds), layerSequence}
}

function named(plans: LayerPlan[]): LayerKind[] {
  const mixers = plans.map((plan) => plan.mixers.map(mixerName).join('+'))
  const blocks = plans.map((plan) => (plan.feedForward?.kind === 'moe' && plan.feedForward.hashRouting ? 'hash' : (plan.feedForward?.kind ?? '')))
  const severalBlocks = new Set(blocks.filter((block) => block !== '')).size > 1
  const names = plans.map((plan, index) => {
    const mixer = mixers[index]!
    if (mixer === '') return blocks[index] === 'moe' ? 'moe' : blocks[index] === 'dense' ? 'mlp' : 'empty'
    return severalBlocks && plan.feedForward ? `${mixer}-${blocks[index]}` : mixer
  })
  const seen = new Map<string, number>()
  return plans.map((plan, index) => {
    const name = names[index]!
    const times = (seen.get(name) ?? 0) + 1
    seen.set(name, times)
    return {name: times === 1 ? name : `${name}-${times}`, ...plan}
  })
}

function mixerName(mixer: Mixer): string {
  switch (mixer.kind) {
    case 'full':
      return `${mixer.window?.kind ?? (mixer.blockSparse ? 'sparse' : 'full')}${mixer.sharesKvCache ? '-shared' : ''}`
    case 'mla':
      if (mixer.window) return 'mla-sliding'
      return mixer.indexer ? (mixer.indexer.shared ? 'dsa-shared' : 'dsa') : 'mla'
    case 'compressed':
      return mixer.compressionRatio === 0 ? 'window' : mixer.indexer ? 'csa' : 'hca'
    case 'gated-delta-net':
      return 'linear'
    case 'kimi-delta':
      return 'kda'
    case 'short-conv':
      return 'conv'
    case 'mamba1':
    case 'mamba2':
      return 'mamba'
    case 'lightning':
      return 'lightning'
  }
}
