/**
 * What a family's implementation does without saying so in its configuration. Everything else is read from fields. All of
 * it concerns small tensors or the way a field is meant; what decides memory is never taken from a name.
 */
export interface Traits {
  /** q, k and v projections have biases. */
  queryKeyValueBias?: boolean
  /** `attention_bias` of this family means q, k and v only. */
  attentionBiasWithoutOutput?: boolean
  queryKeyNorm?: 'head' | 'layer'
  /** Norm vectors of hidden width in a layer; 2 unless said. */
  normCount?: number
  /** Norms have biases: layer norms, not RMS norms. */
  normBias?: boolean
  /** Query projections are twice as wide: the other half gates the output. */
  outputGate?: boolean
  sinks?: boolean
  expertBias?: boolean
  routerBias?: boolean
  /** Feed-forward blocks have two matrices, up and down. */
  ungated?: boolean
  /** The shared expert has the routed experts' width though no field says so (Llama 4). */
  sharedLikeRouted?: boolean
  /** The draft layers hold copies of embedding and head. */
  draftStoresEmbeddings?: boolean
  /** Draft layers in the published files though the configuration does not count them. */
  draftLayerCount?: number
  /** The configuration counts draft layers that the published files do not hold. */
  draftNotPublished?: boolean
  tiedEmbeddings?: boolean
  /** Every token sees every other, and nothing is written (BERT and its kin). */
  encoder?: boolean
  /** Every layer attends within a window unless `sliding_window_pattern` or a list says otherwise. */
  slidingPattern?: number
}

const TABLE: ReadonlyArray<[RegExp, Traits]> = [
  // huggingface/transformers models/bert/modeling_bert.py: two matrices, biases everywhere, layer norms behind both blocks, no head in use.
  [/^(xlm[-_])?roberta|^bert$|^camembert|^electra/, {encoder: true, ungated: true, queryKeyValueBias: true, normCount: 4, tiedEmbeddings: true}],
  [/^modernbert/, {encoder: true, tiedEmbeddings: true}],
  // huggingface/transformers models/qwen2/modeling_qwen2.py: q, k, v with bias.
  [/^qwen2(?!_audio)|^qwen2_5/, {queryKeyValueBias: true}],
  [/^qwen3_next/, {queryKeyNorm: 'head', outputGate: true, draftLayerCount: 1}],
  [/^qwen3_5/, {queryKeyNorm: 'head', outputGate: true}],
  [/^qwen3/, {queryKeyNorm: 'head'}],
  [/^deepseek_v3|^deepseek_v32/, {draftStoresEmbeddings: true}],
  [/^glm4_moe_lite/, {draftStoresEmbeddings: true}],
  [/^glm4_moe/, {attentionBiasWithoutOutput: true, routerBias: true, draftStoresEmbeddings: true}],
  [/^glm_moe_dsa/, {routerBias: true}],
  // models/glm4/modeling_glm4.py: norms before and after both blocks.
  [/^glm4$|^glm4v$|^glm4_text|^glm4v_text/, {attentionBiasWithoutOutput: true, normCount: 4}],
  [/^glm$|^chatglm/, {attentionBiasWithoutOutput: true}],
  [/^minimax_m2|^minimax_m3/, {draftNotPublished: true}],
  [/^gpt_oss/, {sinks: true, expertBias: true, routerBias: true}],
  [/^llama4/, {sharedLikeRouted: true}],
  [/^gemma3n/, {normCount: 4, queryKeyNorm: 'head', tiedEmbeddings: true}],
  [/^gemma4/, {normCount: 4, queryKeyNorm: 'head', tiedEmbeddings: true}],
  [/^gemma3/, {normCount: 4, queryKeyNorm: 'head', tiedEmbeddings: true, slidingPattern: 6}],
  [/^gemma2/, {normCount: 4, tiedEmbeddings: true, slidingPattern: 2}],
  [/^gemma/, {tiedEmbeddings: true}],
  [/^kimi_linear/, {routerBias: true}],
  [/^nemotron_h/, {normCount: 1, ungated: true, routerBias: true}],
  [/^nemotron$|^nemotron_text/, {ungated: true}],
  [/^olmo2|^olmo3|^flex_olmo/, {queryKeyNorm: 'layer'}],
  [/^olmoe/, {queryKeyNorm: 'layer'}],
  [/^olmo$/, {normCount: 0}],
  // models/cohere/modeling_cohere.py: attention and feed-forward in parallel behind one norm, tied.
  [/^cohere/, {normCount: 1, tiedEmbeddings: true}],
  [/^exaone4|^exaone_moe/, {queryKeyNorm: 'head'}],
  [/^hunyuan/, {queryKeyNorm: 'head'}],
  [/^hy_v3|^hy3/, {queryKeyNorm: 'head', routerBias: true}],
  [/^lfm2/, {queryKeyNorm: 'head', tiedEmbeddings: true}],
  [/^step3p/, {queryKeyNorm: 'head'}],
  [/^muse_glimmer/, {normCount: 4, outputGate: true}],
  [/^laguna/, {queryKeyNorm: 'head', routerBias: true}],
  [/^starcoder2/, {ungated: true, queryKeyValueBias: true, normBias: true}],
  [/^apertus/, {ungated: true, queryKeyNorm: 'head'}],
  [/^arcee/, {ungated: true}],
  [/^phimoe/, {normBias: true}],
  [/^phi3|^phi4/, {}],
  [/^smollm3/, {tiedEmbeddings: true}],
  [/^granitemoehybrid|^granite/, {}],
  [/^falcon_h1/, {}],
  [/^jamba|^bamba|^zamba2/, {}],
  [/^bailing/, {}],
  [/^ernie4_5/, {}],
  [/^seed_oss/, {}],
  [/^mimo_v2/, {}],
  [/^longcat/, {}],
  [/^minimax/, {}],
  [/^(llama|mistral|ministral|mixtral|deepseek|kimi|internlm|yi|smollm|nemotron-nas|nemotron_nas|dots1|afmoe|solar|xverse|aquila|baichuan|mimo)/, {}],
]

/** Traits of a `model_type`; `known` is false where the family was never looked at. */
export function traitsOf(modelType: string): {traits: Traits; known: boolean} {
  const entry = TABLE.find(([pattern]) => pattern.test(modelType))
  return {traits: entry?.[1] ?? {}, known: entry !== undefined}
}
