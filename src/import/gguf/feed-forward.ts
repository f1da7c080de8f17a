import {tidy} from '../../catalogue/import/mixers.ts'
import type {FeedForward} from '../../core/architecture.ts'
import type {Block, GgufFile} from './metadata.ts'

/** The feed-forward part of a block, told by its tensors; undefined where it has none. */
export function feedForwardOf(file: GgufFile, block: Block, layer: number): FeedForward | undefined {
  if (block.has('ffn_gate_inp.weight') && [...block.keys()].some((name) => /^ffn_(?:gate_)?up(?:_exps|\.\d+)\.weight$/.test(name)))
    return experts(file, block, layer)
  const up = block.get('ffn_up.weight')
  const down = block.get('ffn_down.weight')
  if (!up || !down) return undefined
  // Gate and up in one matrix (Phi 3, GLM 4) have twice the rows that down has columns.
  const fused = up.shape[1] === 2 * down.shape[0]!
  return {kind: 'dense', intermediateSize: down.shape[0]!, gated: fused || block.has('ffn_gate.weight'), ...(block.has('ffn_up.bias') && {bias: true})}
}

function experts(file: GgufFile, block: Block, layer: number): FeedForward {
  const down = block.get('ffn_down_exps.weight') ?? block.get('ffn_down.0.weight')
  if (!down) throw file.invalid(`layer ${layer}: the experts have no ffn_down_exps`)
  const expertCount = down.shape[2] ?? file.count('expert_count', layer)
  const expertsPerToken = file.count('expert_used_count', layer)
  if (expertsPerToken > expertCount)
    throw file.invalid(`${file.name('expert_used_count')} ${expertsPerToken} is more than the ${expertCount} experts there are`)
  const dense = block.get('ffn_down.weight')
  return {
    kind: 'moe',
    expertCount,
    expertsPerToken,
    expertIntermediateSize: down.shape[0]!,
    gated: ['ffn_gate_exps.weight', 'ffn_gate_up_exps.weight', 'ffn_gate.0.weight'].some((name) => block.has(name)),
    ...tidy({
      expertBias: block.has('ffn_up_exps.bias') || block.has('ffn_gate_up_exps.bias'),
      sharedIntermediateSize: block.get('ffn_down_shexp.weight')?.shape[0],
      sharedGate: block.has('ffn_gate_inp_shexp.weight'),
      latentSize: block.get('ffn_latent_down.weight')?.shape[1],
      routerBias: block.has('exp_probs_b.bias') || block.has('exp_probs_b') || block.has('ffn_gate_inp.bias'),
      hashRouting: block.has('ffn_gate_tid2eid.weight') || block.has('ffn_gate_tid2eid'),
      parallelDenseIntermediateSize: dense?.shape[0],
    }),
  }
}
