import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import type {SglangQuestion} from './defaults.ts'
import {sglangAlgorithm} from './speculation.ts'

export interface SubjectKinds {
  latent: boolean
  sparse: boolean
  compressed: boolean
  recurrent: boolean
}

/** Window layers get a pool of their own in these classes (configs/model_config.py is_hybrid_swa_model, 0.5.8 and 0.5.15); others keep every token. */
const WINDOW_POOLS: Record<string, string> = {
  Llama4ForConditionalGeneration: '0.5.7',
  GptOssForCausalLM: '0.5.7',
  MiMoV2FlashForCausalLM: '0.5.7',
  MiMoV2ForCausalLM: '0.5.9',
  Step3p5ForCausalLM: '0.5.9',
  Step3p7ForConditionalGeneration: '0.5.9',
  Gemma4ForCausalLM: '0.5.9',
  Gemma4ForConditionalGeneration: '0.5.9',
  Gemma4UnifiedForConditionalGeneration: '0.5.9',
  LagunaForCausalLM: '0.5.9',
}

/**
 * Whether window layers have a pool of their own: from 0.5.7 by class; from 0.4.10 in every model but Llama 4 (model_runner.py, which
 * shares by a flag); before in none.
 */
export function hasWindowPool({model}: Subject, version: string): boolean {
  const {className = ''} = model.architecture
  if (!isAtLeast(version, '0.4.10')) return false
  if (!isAtLeast(version, '0.5.7')) return !className.includes('Llama4')
  return WINDOW_POOLS[className] !== undefined && isAtLeast(version, WINDOW_POOLS[className])
}

/** Which kinds of attention a model has, as SGLang's defaults ask. */
export function subjectKinds(subject: Subject): SubjectKinds {
  const mixers = subject.model.architecture.layerKinds.flatMap((kind) => kind.mixers)
  return {
    latent: mixers.some((mixer) => mixer.kind === 'mla'),
    sparse: mixers.some((mixer) => mixer.kind === 'mla' && mixer.indexer !== undefined),
    compressed: mixers.some((mixer) => mixer.kind === 'compressed'),
    recurrent: mixers.some((mixer) => ['gated-delta-net', 'kimi-delta', 'lightning', 'mamba2', 'mamba1', 'short-conv'].includes(mixer.kind)),
  }
}

/** Layers that SGLang assumes where the configuration calls them `depth` (adjust_mem_fraction_for_vlm reads num_hidden_layers). */
const UNNAMED_LAYERS = 24

/** A tower as the rule for the fraction sees it: Qwen's say `depth`; in the Omni models it stands below `thinker_config`. */
const visionOf = (className: string, layerCount: number, hiddenSize: number): SglangQuestion['vision'] => ({
  layerCount: className.startsWith('Qwen') ? UNNAMED_LAYERS : layerCount,
  hiddenSize,
  nested: className.includes('Omni'),
})

type Known = Pick<Deployment, 'engineVersion' | 'tp' | 'pp' | 'dp' | 'dpAttention' | 'enforceEager'> & Partial<Deployment>

/** The question that SGLang's defaults are functions of. */
export function sglangQuestion(subject: Subject, known: Known): SglangQuestion {
  const kinds = subjectKinds(subject)
  const tower = subject.model.architecture.encoders?.find((encoder) => encoder.layerCount && encoder.hiddenSize)
  return {
    version: known.engineVersion,
    gpu: subject.gpu,
    tp: known.tp,
    pp: known.pp,
    dp: known.dp,
    dpAttention: known.dpAttention,
    latentAttention: kinds.latent,
    compressedAttention: kinds.compressed,
    sparseIndexer: kinds.sparse,
    // adjust_mem_fraction_for_vlm is left out then (server_args.py, 0.5.18).
    vision: known.multimodal?.languageOnly ? undefined : tower && visionOf(subject.model.architecture.className ?? '', tower.layerCount!, tower.hiddenSize!),
    draft: known.speculative && {algorithm: sglangAlgorithm(known.speculative.method), draftTokens: known.speculative.tokens},
    enforceEager: known.enforceEager,
    cpuOffload: (known.cpuOffloadBytes ?? 0) > 0,
    chunkedPrefillTokens: known.maxNumBatchedTokens,
    contextTokens: known.maxModelLen,
    ...(known.graphs && {graphs: known.graphs}),
    ...(known.decodeContextParallel !== undefined && {contextParallel: known.decodeContextParallel}),
  }
}
