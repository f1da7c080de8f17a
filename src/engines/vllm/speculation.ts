/** How vLLM's attention takes the several tokens of a sequence that one step checks. */
import type {Accelerator} from '../../core/accelerator.ts'
import type {Architecture} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {Verification} from '../../core/throughput/drafting.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {isRecurrent} from './recurrent.ts'
import {usesSecondRunner} from './runner.ts'
import {alignsStates} from './states.ts'

/**
 * A block of threads of FlashAttention 2 with a paged cache takes 64 queries, whatever is there (vllm-project/flash-attention
 * csrc/flash_attn/src/flash_fwd_launch_template.h run_mha_fwd_splitkv_dispatch, kBlockM). Heads of more than 256 go to Triton (vllm/model_executor/models/config.py), whose blocks
 * are narrower and split the context for one query token only as well (vllm/v1/attention/ops/triton_unified_attention.py use_3d, 0.26.0 to 0.33.0).
 */
const QUERIES_OF_A_BLOCK = 64
const QUERIES_OF_A_TRITON_BLOCK = 32
const MOST_FLASH_HEAD_ELEMENTS = 256

/**
 * Operations with 16-bit operands that a multiprocessor does in a second: in a clock 512 where sums in 32 bits run at half speed (GeForce), 1,024 where they do not, 2,048 on
 * 8.0; clocks as sold, in the mean of the cards of a generation (71 TFLOPS of 82 multiprocessors of an RTX 3090 at 1.70 GHz, 504 of 188 of an RTX PRO 6000 at 2.6 GHz).
 */
function multiprocessorRate({computeCapability = 0, fp16AccumulateOperationsPerSecond}: Accelerator): number {
  const perClock = computeCapability === 8 ? 2048 : fp16AccumulateOperationsPerSecond?.fp16 === undefined ? 1024 : 512
  const gigahertz = computeCapability === 8 ? 1.41 : computeCapability < 8.9 ? 1.75 : 2.5
  return perClock * gigahertz * 1e9
}

/**
 * Seconds that one block takes for a token of the context in one layer: two products of all its queries with a head. Four RTX PRO 6000 with Qwen3.5-397B (heads of 256, 15
 * full layers, vLLM 0.17.0, mtp:2; local-inference-lab/rtx6kpro benchmarks/inference-throughput): steps over 131,072 tokens of context take 50 ms more than
 * over 16, with 1 request in flight and with 32, which is 25 ns (26 by this). Four RTX 3090 at 220 W with Qwen3.6-27B (16 full layers; LottoLottoLotto): 193 ms, 92 ns (73).
 */
function unsplitSecondsPerToken(accelerator: Accelerator, headElements: number): number {
  const queries = headElements > MOST_FLASH_HEAD_ELEMENTS ? QUERIES_OF_A_TRITON_BLOCK : QUERIES_OF_A_BLOCK
  return (4 * queries * headElements) / multiprocessorRate(accelerator)
}

/**
 * Seconds for a token of the context in one layer and an element of a head that attention of AMD's servers with a 16-bit cache takes. One MI350X with Qwen3.5-397B in MXFP4 (vLLM 0.31.0, mtp:3; vllm 0.33.0
 * recipes/models/Qwen/Qwen3.5-397B-A17B.yaml): 198, 164, 125 and 80 tokens a second over 200, 2,000, 12,000 and 30,000 tokens of context, 3.36 a step, are steps
 * that take 25 ms more over 30,000 than over 200. With FP8 the same steps stay as they are (219 to 188 tokens a second).
 */
const AMD_UNSPLIT_SECONDS_PER_HEAD_ELEMENT = 2.1e-10

/**
 * Where drafts are checked outside full graphs the first runner plans attention anew on the host for each pass of the drafter (FlashInfer's plan, from
 * vllm/v1/spec_decode/llm_base_proposer.py build_for_drafting and attention/backends/flashinfer.py build, 0.24.0). Pairs of RTX 3090, mtp:3 and mtp:2: on one machine
 * steps of 38 ms with Qwen3.6-27B (noonghunna/club-3090#698: 78 tokens a second, 2.94 a step) leave 6 to 7 ms for a pass, of which kernels take 1 to 2; on the other
 * machines of its BENCHMARKS.md (Qwen3.6-27B INT4, 0.20.2 to 0.25.0, Qwen3.8-27B FP8, 0.27.1) some 1.5 ms are left.
 */
const PLAN_SECONDS_PER_PASS = 2e-3

/**
 * Hybrid models that keep states for prompts that begin alike: the first runner of 0.16.0 to 0.21.0 fetches the number of accepted tokens before it goes on, and
 * copies states request by request, so that nothing of the host's next step is done ahead (vllm/v1/worker/gpu_model_runner.py _update_states_after_model_execute,
 * "TODO: Remove .cpu() sync to enable fully async for hybrid model"; on the GPU from 0.22.0). Qwen3.5-397B on four RTX PRO 6000, vLLM 0.17.0, mtp:2, one
 * request, prefix caching on (local-inference-lab/rtx6kpro benchmarks/inference-throughput and models/qwen35-397b.md, 2.7 to 2.8 tokens a step): in
 * AWQ 104 and 147 tokens a second without and with drafts, in NVFP4 81 and 127, and 86 and 130: steps are 9 to 10 ms longer, of which kernels take 3.
 */
const FETCHED_COUNTS = {since: '0.16.0', before: '0.22.0', secondsPerStep: 6e-3}

const headDim = ({layerKinds}: Architecture): number =>
  Math.max(0, ...layerKinds.flatMap(({mixers}) => mixers.map((mixer) => (mixer.kind === 'full' ? mixer.headDim : 0))))

/**
 * How attention takes the several tokens of a sequence, where it does so less well than one.
 *
 * - On compute capability 8.x an 8-bit cache is read by FlashInfer, whose graphs hold single-token decodes only: with drafts full graphs give way to
 *   pieces between attention layers (vllm/v1/attention/backends/flashinfer.py get_cudagraph_support and vllm/config/compilation.py
 *   resolve_cudagraph_mode_and_sizes, 0.28.0; full graphs are the default from 0.11.0).
 * - A 16-bit cache is read by FlashAttention 2, on 12.x too, which splits the context among blocks of threads for one query token only
 *   (vllm/v1/attention/backends/flash_attn.py FlashAttentionMetadataBuilder, 0.28.0: "special max_query_len=1 packed-GQA handling in FA2"). On 12.x an
 *   8-bit cache is read by kernels that do (the NVFP4 checkpoints of the runs above, whose caches are FP8: 127 tokens a second over 16 tokens, 122 over 131,072).
 * - On AMD the paged kernels take one query token; several go to one that walks the context (vllm/v1/attention/backends/rocm_aiter_fa.py forward,
 *   0.17.0 to 0.33.0; vllm/v1/attention/ops/chunked_prefill_paged_decode.py and triton_unified_attention.py, 0.31.0, likewise).
 *
 * Latent attention has kernels of its own.
 */
function attentionOfSeveral(subject: Subject, deployment: Deployment): Verification | undefined {
  const {model, gpu} = subject
  const {engineVersion, kvCache} = deployment
  const {vendor, computeCapability = 0, gfxTarget = ''} = gpu.accelerator
  const dim = headDim(model.architecture)
  if (dim === 0) return undefined
  const sixteenBits = cacheFormat(kvCache).elementBytes >= 2
  const walked = (secondsPerContextToken: number, splitsEightBits: boolean): Verification => ({
    secondsPerContextToken,
    ...(splitsEightBits && {walkRemedy: '--kv-cache fp8'}),
  })
  if (vendor === 'amd') return sixteenBits && /^gfx9[45]/.test(gfxTarget) ? walked(AMD_UNSPLIT_SECONDS_PER_HEAD_ELEMENT * dim, true) : undefined
  const generation = Math.floor(computeCapability)
  if (vendor !== 'nvidia' || (generation !== 8 && generation !== 12)) return undefined
  if (sixteenBits) return walked(unsplitSecondsPerToken(gpu.accelerator, dim), generation === 12)
  if (generation !== 8 || !isAtLeast(engineVersion, '0.11.0')) return undefined
  return {
    ...(!usesSecondRunner(subject, deployment) && {hostSecondsPerPass: PLAN_SECONDS_PER_PASS}),
    outsideGraphs: `with an 8-bit cache on compute capability ${computeCapability.toFixed(1)} vLLM ${engineVersion} checks drafts outside full CUDA graphs, launched by the host, so drafting can be slower than not drafting; --kv-cache bf16 keeps the graphs`,
  }
}

/** The number of accepted tokens is fetched in each step. Where passes are planned on the host, what they were measured to take holds it already. */
function fetchesCounts(subject: Subject, deployment: Deployment): boolean {
  const {since, before} = FETCHED_COUNTS
  const {engineVersion} = deployment
  return (
    isAtLeast(engineVersion, since) &&
    !isAtLeast(engineVersion, before) &&
    isRecurrent(subject) &&
    alignsStates(subject, deployment) &&
    !usesSecondRunner(subject, deployment)
  )
}

export function vllmVerification(subject: Subject, deployment: Deployment): Verification | undefined {
  const attention = attentionOfSeveral(subject, deployment)
  if (attention?.hostSecondsPerPass !== undefined || !fetchesCounts(subject, deployment)) return attention
  return {...attention, hostSecondsPerStep: FETCHED_COUNTS.secondsPerStep}
}
