/** Which attention SGLang runs when nobody says, and what that means for its cache. */
import {isAtLeast} from '../versions.ts'
import type {SglangQuestion} from './asked.ts'
import {dictionary} from '../../core/dictionary.ts'

type AttentionQuestion = Pick<SglangQuestion, 'version' | 'gpu' | 'latentAttention' | 'sparseIndexer' | 'compressedAttention' | 'draft' | 'className'>

const isDeepSeekV3 = ({className, sparseIndexer}: AttentionQuestion): boolean => className === 'DeepseekV3ForCausalLM' && !sparseIndexer

/** Graphs of prompts are planned and not captured: of DeepSeek-V3 by trtllm_mla, from 0.5.15 on (disable_prefill_cuda_graph_for_deepseek_trtllm_mla). */
export const dropsPrefillGraphs = (question: AttentionQuestion): boolean =>
  isDeepSeekV3(question) && attentionBackend(question) === 'trtllm_mla' && isAtLeast(question.version, '0.5.15')

/**
 * Attention backend without `--attention-backend`. MHA: fa3 on Hopper, trtllm_mha on 10.x from 0.5.7 (not with a draft
 * tree), aiter on AMD, else flashinfer. MLA: fa3 on Hopper, flashinfer on 10.x, aiter or triton on AMD, else triton; DeepSeek-V3 takes
 * trtllm_mla on 10.x from 0.5.4 (server_args.py, from 0.5.19 model_overrides/deepseek_v2.py). DeepSeek-V4 has its own. Other classes
 * with a choice of their own in the engine are not followed (get_default_attn_backend, 0.5.23 arg_groups/model_override_base.py).
 */
export function attentionBackend(question: AttentionQuestion): string {
  const {vendor, computeCapability = 0} = question.gpu.accelerator
  const family = vendor === 'nvidia' ? Math.floor(computeCapability) : 0
  if (question.compressedAttention) return 'dsv4'
  if (question.latentAttention) {
    if (family === 9) return 'fa3'
    if (family === 10) return isDeepSeekV3(question) && isAtLeast(question.version, '0.5.4') ? 'trtllm_mla' : 'flashinfer'
    return vendor === 'amd' ? 'aiter' : 'triton'
  }
  if (family === 9) return 'fa3'
  if (family === 10 && isAtLeast(question.version, '0.5.7') && !question.draft) return 'trtllm_mha'
  return vendor === 'amd' ? 'aiter' : 'flashinfer'
}

const PAGE_TOKENS: Record<string, number> = dictionary({
  flashmla: 64,
  cutlass_mla: 128,
  trtllm_mla: 64,
  cutedsl_mla: 64,
  tokenspeed_mla: 64,
  trtllm_mha: 64,
  dsv4: 256,
})

/**
 * Tokens of a page when `--page-size` is unset: 1, unless the backend takes only other sizes.
 * A sparse indexer (DeepSeek-V3.2) has pages of 64 on NVIDIA.
 */
export const pageSizeTokens = (backend: string, sparseIndexer = false): number => (sparseIndexer ? 64 : (PAGE_TOKENS[backend] ?? 1))
