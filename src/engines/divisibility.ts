/** Parallel layouts that an engine's model code refuses, told before anything is loaded. */
import type {Architecture, Mixer} from '../core/architecture.ts'
import {weightFormat} from '../core/formats.ts'
import type {Checkpoint} from '../core/model.ts'
import {layerTensors, type WeightTensor} from '../core/tensors.ts'
import type {Reason} from '../core/terms.ts'
import {formatOf, shardOf, type ShardLayout} from '../core/weights.ts'

const smallerTp = (tp: number, fits: (candidate: number) => boolean): string => {
  for (let candidate = tp - 1; candidate >= 1; candidate--) if (tp % candidate === 0 && fits(candidate)) return `use --tp ${candidate}`
  return 'use --tp 1'
}

/** Something that tensor parallelism hands out whole. */
interface Portions {
  what: string
  count: number
  /** May be fewer than the ranks: each then has one of its own copy. */
  replicated?: boolean
}

/**
 * Query heads must divide; KV heads must divide, or be divided by, the ranks (vllm/config/model.py verify_with_parallel_config,
 * models/llama.py; S models/llama.py). Grouped output projections (DeepSeek-V4) and channels go the same way.
 */
function portionsOf(mixer: Mixer): Portions[] {
  switch (mixer.kind) {
    case 'full':
      return [
        {what: 'attention heads', count: mixer.queryHeadCount},
        ...(mixer.sharesKvCache ? [] : [{what: 'KV heads', count: mixer.kvHeadCount, replicated: true}]),
      ]
    case 'mla':
      return [{what: 'attention heads', count: mixer.queryHeadCount}]
    case 'compressed':
      return [
        {what: 'attention heads', count: mixer.queryHeadCount},
        {what: 'output groups', count: mixer.outputGroupCount},
      ]
    case 'gated-delta-net':
      return [
        {what: 'linear-attention key heads', count: mixer.keyHeadCount},
        {what: 'linear-attention value heads', count: mixer.valueHeadCount},
      ]
    case 'kimi-delta':
    case 'lightning':
      return [{what: 'linear-attention heads', count: mixer.headCount}]
    case 'mamba2':
      return [{what: 'Mamba heads', count: mixer.headCount}]
    case 'mamba1':
      return [{what: 'Mamba channels', count: mixer.innerSize}]
    case 'short-conv':
      return [{what: 'convolution channels', count: mixer.channelCount}]
  }
}

const divides = ({count, replicated}: Portions, ranks: number): boolean => count % ranks === 0 || (replicated === true && ranks % count === 0)
const allPortions = (architecture: Architecture): Portions[] => architecture.layerKinds.flatMap(({mixers}) => mixers.flatMap(portionsOf))

/** Whether a tensor-parallel size hands out every head evenly. */
export const dividesHeads = (architecture: Architecture, ranks: number): boolean => allPortions(architecture).every((portions) => divides(portions, ranks))

function headReasons(architecture: Architecture, layout: ShardLayout): Reason[] {
  const tp = layout.attentionTp
  const bad = tp > 1 ? allPortions(architecture).find((portions) => !divides(portions, tp)) : undefined
  return bad
    ? [
        {
          code: 'tp-not-divisible',
          message: `${bad.count} ${bad.what} cannot be divided among ${tp} GPUs`,
          remedy: smallerTp(tp, (ranks) => dividesHeads(architecture, ranks)),
        },
      ]
    : []
}

/** Sides of a matrix that a block-quantised kernel needs whole: outputs when rows are split, inputs when columns are. */
function blockSplit(tensor: WeightTensor, layout: ShardLayout): number {
  const shard = shardOf(tensor, layout)
  // Gate and up lie behind one another: each is split by itself.
  const halves = tensor.class === 'mlp.in' || tensor.class === 'experts.in' || tensor.class === 'shared-experts.in' ? 2 : 1
  return tensor.shard.axis === 'columns' ? shard.columns : shard.rows / halves
}

/**
 * 128 x 128 blocks must not be cut: output part of gate and up, input part of down (vllm/model_executor/layers/quantization/fp8.py,
 * utils/fp8_utils.py; S layers/quantization/fp8.py). Attention projections whose parts are whole heads pass in practice.
 */
function blockReasons(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout): Reason[] {
  for (const kind of architecture.layerKinds)
    for (const tensor of layerTensors(architecture, kind)) {
      const sharded = tensor.class.startsWith('experts') ? layout.expertTp > 1 : tensor.class.startsWith('mlp') && layout.denseTp > 1
      if (!sharded) continue
      const {scale} = weightFormat(formatOf(checkpoint.formats, tensor.class))
      if (scale?.per !== 'block') continue
      const part = blockSplit(tensor, layout)
      if (part % scale.size! === 0) continue
      const experts = tensor.class.startsWith('experts')
      const ranks = experts ? layout.expertTp : layout.denseTp
      const whole = part * ranks
      const remedy = `${experts ? 'use --ep to keep experts whole, or ' : ''}${smallerTp(ranks, (candidate) => (whole / candidate) % scale.size! === 0)}`
      return [
        {
          code: 'quantization-block-not-divisible',
          message: `${whole} ${experts ? 'columns of an expert' : 'columns of the feed-forward part'} over ${ranks} GPUs are ${part} each, which blocks of ${scale.size} do not divide`,
          remedy,
        },
      ]
    }
  return []
}

/**
 * Experts that are split are split evenly ("intermediate_size % self.tp_size == 0": vllm/model_executor/layers/fused_moe/layer.py, up
 * to 0.27; config.py of the same folder, 0.28.0; the same over moe_tp_size in S layers/moe/fused_moe_triton/layer.py). Ranks beyond those of attention are replicas that share them.
 */
function expertWidthReasons({layerKinds}: Architecture, {expertTp}: ShardLayout): Reason[] {
  for (const {feedForward} of layerKinds)
    if (feedForward?.kind === 'moe' && feedForward.expertIntermediateSize % expertTp !== 0)
      return [
        {
          code: 'tp-not-divisible',
          message: `${feedForward.expertIntermediateSize} columns of an expert cannot be divided among ${expertTp} GPUs`,
          remedy: `use --ep ${expertTp} to keep experts whole`,
        },
      ]
  return []
}

/** Experts of each kind of layer that has some. */
export const expertCounts = (architecture: Architecture): number[] =>
  architecture.layerKinds.flatMap(({feedForward}) => (feedForward?.kind === 'moe' ? [feedForward.expertCount] : []))

/** Whatever the size is that is asked for. */
export const NO_EXPERTS: Reason = {code: 'no-experts', message: 'expert parallelism was asked for, but this model has no experts', remedy: 'leave --ep out'}

/**
 * vLLM deals experts out unevenly where they do not divide (model_executor/layers/fused_moe/layer.py determine_expert_map, 0.8.5 to
 * 0.10.0; expert_map_manager.py, 0.28.0); what the others refuse is in their own rules.
 */
function expertReasons(architecture: Architecture, layout: ShardLayout): Reason[] {
  if (layout.expertParallel === 1) return []
  const counts = expertCounts(architecture)
  if (counts.length === 0) return [NO_EXPERTS]
  const few = counts.find((count) => count < layout.expertParallel)
  return few === undefined
    ? []
    : [{code: 'ep-not-divisible', message: `${few} experts cannot be spread over ${layout.expertParallel} GPUs`, remedy: `use --ep ${few} or less`}]
}

/** All refusals of a layout. `stages`: pipeline stages. */
export function layoutReasons(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout, stages: number): Reason[] {
  const heads = headReasons(architecture, layout)
  const reasons = [
    ...heads,
    // One refusal of a size is enough.
    ...(heads.length > 0 ? [] : expertWidthReasons(architecture, layout)),
    ...blockReasons(architecture, checkpoint, layout),
    ...expertReasons(architecture, layout),
  ]
  if (stages > architecture.layerSequence.length)
    reasons.push({
      code: 'pp-too-large',
      message: `${architecture.layerSequence.length} layers cannot be split into ${stages} pipeline stages`,
      remedy: `use --pp ${architecture.layerSequence.length} or less`,
    })
  return reasons
}
