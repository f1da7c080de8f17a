/** How vLLM's attention takes the several tokens of a sequence that one step checks. */
import type {Architecture} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {Verification} from '../../core/throughput/drafting.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {usesSecondRunner} from './runner.ts'

/**
 * Seconds that one block of threads of FlashAttention 2 takes for a token of the context in one layer, for each element of a head. Four RTX PRO
 * 6000 with Qwen3.5-397B (heads of 256, 15 full layers, vLLM 0.17.0, mtp:2; local-inference-lab/rtx6kpro benchmarks/inference-throughput):
 * steps over 131,072 tokens of context take 50 ms more than over 16, with 1 request in flight and with 32.
 */
const UNSPLIT_SECONDS_PER_HEAD_ELEMENT = 1e-10

/**
 * Where drafts are checked outside full graphs the first runner plans attention anew on the host for each pass of the drafter (FlashInfer's plan, from
 * vllm/v1/spec_decode/llm_base_proposer.py build_for_drafting and attention/backends/flashinfer.py build, 0.24.0). Two pairs of RTX 3090, mtp:3 and mtp:2: steps of
 * 38 ms with Qwen3.6-27B (noonghunna/club-3090#698: 78 tokens a second, 2.94 a step), 31 and 24 ms with Qwen3.6-35B-A3B (its compose file dual/autoround-int4/fp8.yml: 51
 * and 45% below 182 tokens a second at 2.8 and 2.4 a step) leave 6 to 7 ms for a pass, of which kernels take 1 to 2.
 */
const PLAN_SECONDS_PER_PASS = 4.5e-3

const headDim = ({layerKinds}: Architecture): number =>
  Math.max(0, ...layerKinds.flatMap(({mixers}) => mixers.map((mixer) => (mixer.kind === 'full' ? mixer.headDim : 0))))

/**
 * On compute capability 8.x an 8-bit cache is read by FlashInfer, whose graphs hold single-token decodes only: with drafts full graphs give way to
 * pieces between attention layers (vllm/v1/attention/backends/flashinfer.py get_cudagraph_support and vllm/config/compilation.py
 * resolve_cudagraph_mode_and_sizes, 0.28.0; full graphs are the default from 0.11.0). A 16-bit cache is read by FlashAttention 2, on 12.x too, which splits
 * the context among blocks of threads for one query token only (vllm/v1/attention/backends/flash_attn.py FlashAttentionMetadataBuilder, 0.28.0: "special
 * max_query_len=1 packed-GQA handling in FA2"). Latent attention has kernels of its own.
 */
export function vllmVerification(subject: Subject, deployment: Deployment): Verification | undefined {
  const {model, gpu} = subject
  const {engineVersion, kvCache} = deployment
  const {vendor, computeCapability = 0} = gpu.accelerator
  const dim = headDim(model.architecture)
  const generation = Math.floor(computeCapability)
  if (vendor !== 'nvidia' || dim === 0 || (generation !== 8 && generation !== 12)) return undefined
  if (cacheFormat(kvCache).elementBytes >= 2) return {secondsPerContextToken: UNSPLIT_SECONDS_PER_HEAD_ELEMENT * dim}
  if (generation !== 8 || !isAtLeast(engineVersion, '0.11.0')) return undefined
  return {
    ...(!usesSecondRunner(subject, deployment) && {hostSecondsPerPass: PLAN_SECONDS_PER_PASS}),
    outsideGraphs: `with an 8-bit cache on compute capability ${computeCapability.toFixed(1)} vLLM ${engineVersion} checks drafts outside full CUDA graphs, launched by the host, so drafting can be slower than not drafting; --kv-cache bf16 keeps the graphs`,
  }
}
