import type {Accelerator} from '../core/accelerator.ts'
import type {EngineId} from '../core/deployment.ts'
import type {ExpertKernels} from '../core/throughput/input.ts'
import {isAtLeast} from './versions.ts'

/**
 * Tokens of a tile of CUTLASS's grouped products of 4-bit experts on compute capability 12.x: 128, and down to 32 from FlashInfer 0.6.11
 * (flashinfer-ai/flashinfer@a11ce269d csrc/nv_internal/tensorrt_llm/kernels/cutlass_kernels/cutlass_heuristic.cpp get_candidate_configs_sm120; vLLM's own kernel
 * has 128 too, csrc/quantization/fp4/nvfp4_blockwise_moe_kernel.cu, 0.33.0). Other cards have tiles of a few tokens.
 */
const WIDE_TOKENS = 128
const NARROW_TOKENS = 32

/**
 * First release that requires a FlashInfer with narrow tiles: 0.6.11.post2 in vLLM 0.22.0 (requirements/cuda.txt; 0.6.8.post1 in 0.20.2), 0.6.11.post1 in
 * SGLang 0.5.12 (0.6.8.post1 in 0.5.11). TensorRT-LLM has a list of its own, with 128 alone for groups.
 */
const NARROW_SINCE: Partial<Record<EngineId, string>> = {vllm: '0.22.0', sglang: '0.5.12'}

/**
 * On 12.x experts in MXFP4 are dequantised: vLLM takes Marlin (vllm/model_executor/layers/fused_moe/oracle/mxfp4.py _get_priority_backends_for_gpt_oss, 0.33.0: all that
 * come before it are for other cards; quantization/mxfp4.py get_mxfp4_backend, 0.12.0 and 0.17.0), SGLang triton_kernels
 * (python/sglang/srt/arg_groups/model_overrides/gpt_oss.py, 0.5.23: its other choice is for 10.x).
 */
const DEQUANTISE_MXFP4: ReadonlySet<EngineId> = new Set(['vllm', 'sglang'])

/**
 * Without matrix units for 4 bits vLLM unpacks MXFP4 on AMD before each product (vllm/platforms/rocm.py supports_mx: gfx95 alone; fused_moe/oracle/mxfp4.py EMULATION); a
 * kernel that multiplies with 4-bit weights there comes with 0.30.0 (fused_moe/experts/aiter_mxfp4_w4a16_moe.py). gpt-oss-120b on an MI300X, 0.24.0, and
 * DeepSeek-V4 on MI325X, 0.29.0 (vllm-project/vllm#57079), take three times as long for a token as their weights would.
 */
const UNPACKED_BEFORE = '0.30.0'

/** How an engine computes experts of 4 bits where that is not what the card's matrix units suggest; undefined where it is. */
export function expertKernels(
  engine: EngineId,
  engineVersion: string,
  {vendor, computeCapability = 0, gfxTarget = ''}: Accelerator,
): ExpertKernels | undefined {
  if (engine === 'vllm' && /^gfx94/.test(gfxTarget) && !isAtLeast(engineVersion, UNPACKED_BEFORE)) return {unpacked: ['mxfp4']}
  if (vendor !== 'nvidia' || Math.floor(computeCapability) !== 12) return undefined
  const since = NARROW_SINCE[engine]
  return {
    ...(DEQUANTISE_MXFP4.has(engine) && {dequantised: ['mxfp4']}),
    unfused: true,
    tileTokens: since !== undefined && isAtLeast(engineVersion, since) ? NARROW_TOKENS : WIDE_TOKENS,
  }
}
