/**
 * Which CUDA graphs SGLang captures when nobody says.
 *
 * Read in the releases 0.4.6, 0.4.10, 0.5.1.post1 and 0.5.2 to 0.5.23: sglang/srt/server_args.py, from 0.5.19
 * sglang/srt/arg_groups/memory_hook.py and cuda_graph_hook.py; sglang/srt/model_executor/cuda_graph_config.py and cuda_graph_runner.py.
 */
import {isAtLeast} from '../versions.ts'
import {chunkBeforeDivision, GIB_IN_MIB, isLargeHopperQwen3Vl, memoryMiB, range, type SglangQuestion} from './asked.ts'
import {dictionary} from '../../core/dictionary.ts'

type DecodeQuestion = Pick<SglangQuestion, 'version' | 'gpu' | 'tp' | 'graphs' | 'requestsAsked' | 'className'>

/** Decoding has graphs: not on Intel's cards, where they are for those who ask (0.5.15 server_args.py, from 0.5.19 platform_hook.py handle_xpu_backends). */
export const hasDecodeGraphs = ({gpu, enforceEager, graphs}: Pick<SglangQuestion, 'gpu' | 'enforceEager' | 'graphs'>): boolean =>
  !enforceEager && (gpu.accelerator.vendor !== 'intel' || graphs !== undefined)

/**
 * Largest batch with a decode graph, by device memory and tensor parallelism. From 0.5.3: below 20 GiB 8; below 35 GiB
 * 48 (24 before 0.5.20, 16 before 0.5.4.post1) or 160 from tp 4 (80 before 0.5.20); below 60 GiB 32 or 160; below 160 GiB 256 or 512; above
 * 512. From 0.5.22 never more than the requests at once that are given by hand (memory_hook.py handle_gpu_memory_settings).
 * Before: below 35 GiB (until 0.4.7 25,000 MiB) 8, or 80 from tp 4; else the last of the fixed list: 160, above 90 GiB 256,
 * above 160,000 MiB 512 (0.4.7: 96 GiB and 180,000 MiB; 0.4.6.post2 no more than 256, and 80 GiB in 0.4.6). What is given by hand takes their place, the largest of a list too.
 */
export function decodeGraphMaxBatch({version, gpu, tp, graphs, requestsAsked, className}: DecodeQuestion): number {
  const given = graphs?.sizes ? Math.max(...graphs.sizes) : graphs?.maxBatch
  if (given !== undefined) return given
  const usual = usualMaxBatch({version, gpu, tp})
  if (requestsAsked !== undefined && requestsAsked <= 512 && isLargeHopperQwen3Vl({version, gpu, className})) return Math.max(usual, requestsAsked)
  return isAtLeast(version, '0.5.22') ? Math.min(usual, requestsAsked ?? usual) : usual
}

function usualMaxBatch({version, gpu, tp}: Pick<SglangQuestion, 'version' | 'gpu' | 'tp'>): number {
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.5.3')) {
    const small = isAtLeast(version, '0.4.7.post1') ? 35 * GIB_IN_MIB : 25_000
    if (memory < small) return tp < 4 ? 8 : 80
    if (!isAtLeast(version, '0.4.7')) return memory > (isAtLeast(version, '0.4.6.post2') ? 96 : 80) * GIB_IN_MIB ? 256 : 160
    if (!isAtLeast(version, '0.4.7.post1')) return memory > 180_000 ? 512 : memory > 96 * GIB_IN_MIB ? 256 : 160
    if (memory > 160_000) return 512
    return memory > 90 * GIB_IN_MIB ? 256 : 160
  }
  if (memory < 20 * GIB_IN_MIB) return 8
  if (memory < 35 * GIB_IN_MIB && isAtLeast(version, '0.5.20')) return tp < 4 ? 48 : 160
  if (memory < 35 * GIB_IN_MIB) return tp < 4 ? (isAtLeast(version, '0.5.4.post1') ? 24 : 16) : 80
  if (memory < 60 * GIB_IN_MIB) return tp < 4 ? 32 : 160
  if (memory < 160 * GIB_IN_MIB) return tp < 4 ? 256 : 512
  return 512
}

/**
 * Batch sizes with a decode graph, ascending; empty when graphs are off. None is larger than the requests that may run at once, and
 * that number is among them where it is smaller than the largest (get_batch_sizes_to_capture, model_executor/cuda_graph_runner.py 0.4.6
 * to 0.5.10, runner/base_cuda_graph_runner.py 0.5.18).
 * From 0.5.3: 1, 2, 4, 8, 12; 16 to 256 by 8; 272 to 496 by 16; from 512 by 32. With speculation 1 to 8; 10 to 32 by 2;
 * 40 to 64 by 4 (to 60 before 0.5.4.post2); 72 to 256 by 8; then by 16. From 0.5.10 the largest is always among them.
 * Before: 1, 2, 4, 8; 16 to 160 by 8; to 256 by 8; to 512 by 16; with speculation 1 to 8; 10 to 32 by 2; 40 to 56 by
 * 8; 80 to 160 by 16 (before 0.4.7: 40 to 152 by 16).
 */
export function decodeGraphSizes({
  maxRunningRequests: requests = Number.POSITIVE_INFINITY,
  ...question
}: DecodeQuestion & Pick<SglangQuestion, 'draft' | 'enforceEager'> & {maxRunningRequests?: number}): number[] {
  const sizes = hasDecodeGraphs(question) ? sizesWanted(question) : []
  const captured = sizes.filter((size) => size <= requests)
  return captured.length < sizes.length && !captured.includes(requests) ? [...captured, requests] : captured
}

function sizesWanted(question: DecodeQuestion & Pick<SglangQuestion, 'draft'>): number[] {
  const {version, draft, graphs} = question
  if (graphs?.sizes) return [...new Set(graphs.sizes)].sort((left, right) => left - right)
  const largest = decodeGraphMaxBatch(question)
  if (!isAtLeast(version, '0.5.3')) {
    const upper = [...range(168, 256, 8), ...range(272, 512, 16)]
    const drafted = isAtLeast(version, '0.4.7') ? [...range(40, 56, 8), ...range(80, 160, 16)] : range(40, 152, 16)
    const base = draft ? [...range(1, 8, 1), ...range(10, 32, 2), ...drafted] : [1, 2, 4, 8, ...range(16, 160, 8)]
    const sizes = [...base, ...upper].filter((size) => size <= largest)
    return isAtLeast(version, '0.4.6.post5') && !sizes.includes(largest) ? [...sizes, ...range((sizes.at(-1) ?? 0) + 16, largest, 16)] : sizes
  }
  const middle = isAtLeast(version, '0.5.4.post2') ? 64 : 60
  const sizes = (
    draft
      ? [...range(1, 8, 1), ...range(10, 32, 2), ...range(40, middle, 4), ...range(72, 256, 8), ...range(272, largest, 16)]
      : [1, 2, 4, 8, 12, ...range(16, 256, 8), ...range(272, 496, 16), ...range(512, largest, 32)]
  ).filter((size) => size <= largest)
  if (isAtLeast(version, '0.5.10') && !sizes.includes(largest)) sizes.push(largest)
  return sizes
}

/** Classes that see, and capture their prompts all the same, with the first release: (configs/model_config.py multimodal_{piecewise,breakable}_cuda_graph_supported_model_archs, 0.5.16 to 0.5.23). */
const SEEING_WITH_GRAPHS: Record<string, string> = dictionary({
  Cohere2VisionForConditionalGeneration: '0.5.16',
  Glm5NextForConditionalGeneration: '0.5.20',
  InternS2MobiusForConditionalGeneration: '0.5.18',
  KimiK25ForConditionalGeneration: '0.5.16',
  KimiK3ForConditionalGeneration: '0.5.18',
  MiniMaxM3SparseForConditionalGeneration: '0.5.16',
  MuseGlimmerForConditionalGeneration: '0.5.18',
  MuseSparkForConditionalGeneration: '0.5.23',
  Qwen3_5ForConditionalGeneration: '0.5.16',
  Qwen3_5MoeForConditionalGeneration: '0.5.16',
  Qwen4ExpForConditionalGeneration: '0.5.22',
})

/** Largest prompt with a graph of classes that keep it small (apply_muse_glimmer_prefill_cuda_graph_max_bs_default, from 0.5.18). */
const LARGEST_BY_CLASS: Record<string, number> = dictionary({MuseGlimmerForCausalLM: 512, MuseGlimmerForConditionalGeneration: 512})

/**
 * Whether graphs of prompts are planned; the fraction's rule reckons with them then. On by default from 0.5.10, on CUDA only.
 *
 * Up to 0.5.14 they are compiled pieces: not with pipeline stages, weights in host memory, attention data parallelism, adapters, GGUF,
 * a tower or a sparse indexer (_disable_piecewise_cuda_graph_if_incompatible), nor with drafts in 0.5.10.
 * From 0.5.15 they are broken into segments: not with a tower, unless the class is named above; with adapters or attention data
 * parallelism from 0.5.17 on; of MLA not in 0.5.15 and 0.5.16, in 0.5.17 only where it is sparse, from 0.5.18 on all; not of Nemotron-H
 * in 0.5.17; not with pipeline stages from 0.5.19 on; of Kimi Delta Attention not from 0.5.20 on, but for GLM-5.3 Flash from 0.5.22 on
 * (_disable_breakable_cudagraph_if_incompatible, from 0.5.19 arg_groups/cuda_graph_hook.py).
 * Never of DeepSeek-V4, and never with decode context parallelism.
 */
export function plansPrefillGraphs(question: SglangQuestion): boolean {
  const {version, gpu, draft, vision, className = ''} = question
  const from = (release: string): boolean => isAtLeast(version, release)
  if (question.enforceEager || question.compressedAttention || (question.contextParallel ?? 1) > 1) return false
  if (!from('0.5.10') || gpu.accelerator.vendor !== 'nvidia') return false
  const seesSince = SEEING_WITH_GRAPHS[className]
  if ((vision || question.multimodal) && (seesSince === undefined || !from(seesSince))) return false
  if (!from('0.5.15'))
    return !(
      question.pp > 1 ||
      question.cpuOffload ||
      question.dpAttention ||
      question.adapters ||
      question.gguf ||
      question.sparseIndexer ||
      (draft && !from('0.5.11'))
    )
  if (!from('0.5.17') && (question.adapters || question.dpAttention || question.latentAttention)) return false
  if (from('0.5.17') && !from('0.5.18') && ((question.latentAttention && !question.sparseIndexer) || className.startsWith('NemotronH'))) return false
  if (from('0.5.19') && question.pp > 1) return false
  return !(question.deltaAttention && from('0.5.20') && !(className === 'Glm5NextForConditionalGeneration' && from('0.5.22')))
}

/** From, to and step of the token counts with a prefill graph; the last go on to the largest. */
const PREFILL_STEPS: readonly [from: number, to: number, step: number][] = [
  [4, 32, 4],
  [48, 256, 16],
  [288, 512, 32],
  [576, 1024, 64],
  [1280, 4096, 256],
  [4608, Number.POSITIVE_INFINITY, 512],
]

/**
 * How many token counts have a prefill graph; 0 where there are none: 4 to 32 by 4; to 256 by 16; to 512 by 32; to 1,024 by 64; to
 * 4,096 by 256; then by 512 up to the chunk, for MLA up to 2,048 of it, from 0.5.23 up to 8,192. Never beyond the cache that was asked for.
 */
export function prefillGraphCount(question: SglangQuestion): number {
  if (!plansPrefillGraphs(question)) return 0
  const {version, latentAttention, className = '', tokensAsked = Number.POSITIVE_INFINITY} = question
  const chunk = question.chunkedPrefillTokens ?? chunkBeforeDivision(question)
  const most = latentAttention ? (isAtLeast(version, '0.5.23') ? Math.min(8192, chunk) : 2048) : chunk
  const largest = Math.min(LARGEST_BY_CLASS[className] ?? most, tokensAsked)
  // Counted, not listed: a chunk may be of a thousand million tokens.
  return PREFILL_STEPS.reduce((count, [from, to, step]) => count + Math.max(0, Math.floor((Math.min(to, largest) - from) / step) + 1), 0)
}
