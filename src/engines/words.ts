/** Words for formats that people and engines use, as the catalogue calls them. */
import type {Speculation} from '../core/deployment.ts'
import {InputError} from '../core/input-error.ts'
import {dictionary} from '../core/dictionary.ts'
import {nearest} from '../core/nearest.ts'

const STATE_FORMATS: Record<string, string> = dictionary({fp32: 'fp32', float32: 'fp32', bf16: 'bf16', bfloat16: 'bf16', fp16: 'fp16', float16: 'fp16'})

export const isStateFormat = (name: string): boolean => Object.hasOwn(STATE_FORMATS, name)

/** The format of recurrent states of this name. @throws InputError STATE_FORMAT_UNKNOWN. */
export function stateFormatOf(name: string): string {
  if (isStateFormat(name)) return STATE_FORMATS[name]!
  throw new InputError('STATE_FORMAT_UNKNOWN', `No format of recurrent states "${name.slice(0, 60)}": expected fp32, bf16 or fp16`, {
    suggestions: nearest(name, ['fp32', 'bf16', 'fp16']),
  })
}

/**
 * Methods of quantisation as the engines name them (vllm/model_executor/layers/quantization, python/sglang/srt/layers/quantization) that
 * leave one format of weights open only: others (compressed-tensors, quark) hold several, and the checkpoint says which.
 */
const METHODS: Record<string, string> = dictionary({
  awq: 'awq-int4',
  auto_awq: 'awq-int4',
  awq_marlin: 'awq-int4',
  gptq: 'gptq-int4',
  auto_gptq: 'gptq-int4',
  gptq_marlin: 'gptq-int4',
  marlin: 'gptq-int4',
  fbgemm_fp8: 'fp8',
  modelopt: 'fp8',
  modelopt_fp8: 'fp8',
  modelopt_fp4: 'nvfp4',
  nvfp4_online: 'nvfp4',
  w8a8_int8: 'int8',
  w8a8_fp8: 'fp8',
  w4afp8: 'w4a8',
  bitsandbytes: 'nf4',
  bnb: 'nf4',
  bfloat16: 'bf16',
  float16: 'fp16',
  half: 'fp16',
  float: 'fp32',
  float32: 'fp32',
})

/** The weight format behind a word of the engines; any other word is taken as it is. */
export function weightsOf(word: string): string {
  const plain = word.trim().toLowerCase()
  return Object.hasOwn(METHODS, plain) ? METHODS[plain]! : word
}

/** Tokens of a draft beyond which a number is a slip. */
export const MOST_DRAFT_TOKENS = 64

const DRAFT_METHODS: Record<string, string> = dictionary({
  deepseek_mtp: 'mtp',
  qwen3_next_mtp: 'mtp',
  glm4_moe_mtp: 'mtp',
  ernie_mtp: 'mtp',
  longcat_flash_mtp: 'mtp',
  mimo_mtp: 'mtp',
})

/**
 * Tokens that are drafted for each step where nothing says so. Block drafters make a whole block in one pass: seven and one that is known is what most
 * commands of the recipes in vLLM 0.33.0 give them (8 of 11 with dflash, 18 of 49 with dspark). Others are asked for one.
 */
export const usualDraftTokens = (method: string): number => (/^(?:dflash2?|dspark)$/i.test(method) ? 7 : 1)

/**
 * Speculation as vLLM's `--speculative-config` has it: method, model, num_speculative_tokens. A model without a method is a draft model
 * unless its name says otherwise, as vLLM tells them (vllm/config/speculative.py __post_init__, 0.28.0).
 */
export function speculationFrom(config: Record<string, unknown>): Speculation {
  const model = typeof config.model === 'string' ? config.model : undefined
  const named = typeof config.method === 'string' ? config.method.toLowerCase() : undefined
  const method =
    named ??
    (model === undefined
      ? 'mtp'
      : model === 'ngram' || model === '[ngram]'
        ? 'ngram'
        : (/eagle3|eagle|dflash|medusa/i.exec(model)?.[0].toLowerCase() ?? 'draft_model'))
  const tokens = Number(config.num_speculative_tokens ?? usualDraftTokens(method))
  if (!Number.isInteger(tokens) || tokens < 1 || tokens > MOST_DRAFT_TOKENS)
    throw new InputError(
      'SPECULATION_INVALID',
      `num_speculative_tokens ${String(config.num_speculative_tokens).slice(0, 40)}: expected 1 to ${MOST_DRAFT_TOKENS}`,
    )
  const isDraft = model !== undefined && method !== 'ngram'
  const called = method.endsWith('_mtp') && !Object.hasOwn(DRAFT_METHODS, method) ? 'mtp' : (DRAFT_METHODS[method] ?? method)
  return {method: config.parallel_drafting === true && called === 'draft_model' ? 'pard' : called, tokens, ...(isDraft && {draft: model})}
}
