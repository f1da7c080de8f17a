import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {attentionRanks, type SglangQuestion} from './asked.ts'
import {isGguf} from '../launch/model-argument.ts'
import {sglangAlgorithm} from './speculation.ts'
import {dictionary} from '../../core/dictionary.ts'

export interface SubjectKinds {
  latent: boolean
  /** Kimi Delta Attention. */
  delta: boolean
  sparse: boolean
  compressed: boolean
  recurrent: boolean
}

/**
 * First releases whose window layers have a pool of their own, by class; layers of other classes keep every token
 * (configs/model_config.py is_hybrid_swa_model; 0.5.7: is_hybrid_model).
 */
const WINDOW_POOLS: Record<string, string> = dictionary({
  BeamForCausalLM: '0.5.23',
  DiffusionGemmaForBlockDiffusion: '0.5.21',
  Gemma4ForCausalLM: '0.5.11',
  Gemma4ForConditionalGeneration: '0.5.11',
  Gemma4UnifiedForConditionalGeneration: '0.5.13',
  GptOssForCausalLM: '0.5.8',
  InklingForConditionalGeneration: '0.5.16',
  LagunaForCausalLM: '0.5.12',
  Llama4ForConditionalGeneration: '0.5.8',
  MellumForCausalLM: '0.5.16',
  MiMoV2FlashForCausalLM: '0.5.7',
  MiMoV2ForCausalLM: '0.5.11',
  MuseGlimmerForCausalLM: '0.5.18',
  MuseGlimmerForConditionalGeneration: '0.5.18',
  Step3p5ForCausalLM: '0.5.9',
  Step3p7ForConditionalGeneration: '0.5.13',
})

/**
 * Whether window layers have a pool of their own: from 0.5.7 by class; from 0.4.9.post3 in every model but Llama 4 (model_runner.py,
 * which shares by a flag); before in none.
 */
export function hasWindowPool({model}: Subject, version: string): boolean {
  const {className = ''} = model.architecture
  if (!isAtLeast(version, '0.4.9.post3')) return false
  if (!isAtLeast(version, '0.5.7')) return !className.includes('Llama4')
  return WINDOW_POOLS[className] !== undefined && isAtLeast(version, WINDOW_POOLS[className])
}

/** Which kinds of attention a model has, as SGLang's defaults ask. */
export function subjectKinds(subject: Subject): SubjectKinds {
  const mixers = subject.model.architecture.layerKinds.flatMap((kind) => kind.mixers)
  return {
    latent: mixers.some((mixer) => mixer.kind === 'mla'),
    delta: mixers.some((mixer) => mixer.kind === 'kimi-delta'),
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

/** The model takes images or sounds, and is served with the towers for them. */
export const seesOrHears = ({model}: Subject, {multimodal}: Partial<Deployment>): boolean =>
  (model.architecture.encoders?.length ?? 0) > 0 && multimodal?.languageOnly !== true

/** Requests at once that the engine fills in where nobody says: for drafts (speculative_hook.py) and for DeepSeek-V4 (deepseek_v4_hook.py). */
export const filledRequests = (compressed: boolean, drafted: boolean): number | undefined => (compressed ? 256 : drafted ? 48 : undefined)

/** The engine's own number of running requests is at least this where nothing is filled in. */
export const OWN_RUNNING_REQUESTS = 2048

/** Requests at once that somebody asked for, for the whole server; undefined where the number is the engine's own. */
export function requestsAsked(
  {compressed}: Pick<SubjectKinds, 'compressed'>,
  {maxNumSeqs, speculative, dp = 1, dpAttention}: Partial<Deployment>,
): number | undefined {
  if (maxNumSeqs === undefined || maxNumSeqs >= OWN_RUNNING_REQUESTS) return undefined
  const ranks = attentionRanks({dp, dpAttention})
  return maxNumSeqs === Math.max(1, Math.floor((filledRequests(compressed, speculative !== undefined) ?? 0) / ranks)) ? undefined : maxNumSeqs * ranks
}

type Known = Pick<Deployment, 'engineVersion' | 'tp' | 'pp' | 'dp' | 'dpAttention' | 'enforceEager'> & Partial<Deployment>

/** The question that SGLang's defaults are functions of. */
export function sglangQuestion(subject: Subject, known: Known): SglangQuestion {
  const kinds = subjectKinds(subject)
  const {className = '', encoders} = subject.model.architecture
  const tower = encoders?.find((encoder) => encoder.layerCount && encoder.hiddenSize)
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
    deltaAttention: kinds.delta,
    className,
    multimodal: seesOrHears(subject, known),
    // adjust_mem_fraction_for_vlm is left out then (server_args.py, 0.5.18).
    vision: known.multimodal?.languageOnly ? undefined : tower && visionOf(className, tower.layerCount!, tower.hiddenSize!),
    draft: known.speculative && {algorithm: sglangAlgorithm(known.speculative.method), draftTokens: known.speculative.tokens},
    enforceEager: known.enforceEager,
    cpuOffload: (known.cpuOffloadBytes ?? 0) > 0,
    chunkedPrefillTokens: known.maxNumBatchedTokens && known.maxNumBatchedTokens * attentionRanks(known),
    contextTokens: known.maxModelLen,
    adapters: known.lora !== undefined,
    gguf: isGguf(known.weights ?? subject.checkpoint.weights),
    ...(requestsAsked(kinds, known) !== undefined && {requestsAsked: requestsAsked(kinds, known)}),
    ...(known.kvCacheTokens !== undefined && {tokensAsked: known.kvCacheTokens}),
    ...(known.graphs && {graphs: known.graphs}),
    ...(known.decodeContextParallel !== undefined && {contextParallel: known.decodeContextParallel}),
  }
}
