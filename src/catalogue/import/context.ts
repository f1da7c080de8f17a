import {type Fields, invalid, isRecord, type Json} from './fields.ts'

const POSITIONS = ['max_position_embeddings', 'model_max_length', 'max_sequence_length', 'seq_length', 'n_positions', 'max_seq_len']

/** Scalings whose factor is already in the number of positions. */
const INCLUDED = new Set(['su', 'longrope', 'llama3'])

/**
 * Longest sequence that a configuration allows, as the engines derive it: YaRN reaches its factor times the positions that it starts
 * from, other scalings their factor times the positions of the configuration, and some count as done. Gemma 3 has multiplied already
 * (vllm/config/model.py _get_and_verify_max_len at 0.28.0; the rule is the same in 0.8.0).
 *
 * `positionTokens` is the configuration's own number where YaRN reaches beyond it: SGLang (hf_transformers/common.py
 * get_context_length) and TensorRT-LLM (modeling_utils.py infer_max_seq_len) stop there unless they are told.
 */
export function contextOf(text: Fields, modelType: string, warnings: string[]): {contextTokens: number; positionTokens?: number} {
  const positions = text.optionalInteger(POSITIONS)
  if (positions === undefined) warnings.push(`${text.name('max_position_embeddings')} is missing; 4,096 tokens are assumed`)
  const limit = positions ?? 4096
  if (modelType.includes('gemma3')) return {contextTokens: limit}
  // Positions are counted from behind the padding token's, 1 (huggingface/transformers models/roberta/modeling_roberta.py create_position_ids_from_input_ids).
  if (modelType.includes('roberta')) return {contextTokens: Math.max(1, limit - 2)}
  let factor = 1
  let origin = limit
  let isYarn = false
  for (const {name, scaling} of scalingsOf(text)) {
    const type = typeOf(scaling)
    if (INCLUDED.has(type)) continue
    factor = numberOf(scaling, 'factor', name) ?? factor
    if (type !== 'yarn') continue
    isYarn = true
    origin = numberOf(scaling, 'original_max_position_embeddings', name) ?? limit
  }
  const contextTokens = Math.max(1, Math.trunc(origin * factor))
  return {contextTokens, ...(isYarn && contextTokens > limit && {positionTokens: limit})}
}

const typeOf = ({rope_type: type, type: legacy}: Json): string => {
  const named = type ?? legacy
  return typeof named === 'string' ? named : 'default'
}

/** One mapping, or one for each kind of layer. Another form is left to the engines. */
function scalingsOf(text: Fields): {name: string; scaling: Json}[] {
  const field = isRecord(text.raw('rope_parameters')) ? 'rope_parameters' : 'rope_scaling'
  const value = text.raw(field)
  if (!isRecord(value)) return []
  const nested = Object.entries(value).filter((entry): entry is [string, Json] => isRecord(entry[1]))
  if (nested.length > 0) return nested.map(([layer, scaling]) => ({name: text.name(`${field}.${layer}`), scaling}))
  return [{name: text.name(field), scaling: value}]
}

/** The largest product that is believed: 100M tokens. */
const MOST = 2 ** 27

function numberOf(scaling: Json, field: string, name: string): number | undefined {
  const value = scaling[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0 || value > MOST)
    throw invalid(`${name}.${field} is ${JSON.stringify(value)}; expected a number above 0`)
  return value
}
