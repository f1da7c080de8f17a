/**
 * Which of vLLM's two model runners a deployment gets, and what the second holds that the first does not. It decides how the trial run samples,
 * whether images are in it, and whether CUDA graphs are counted before the cache is sized.
 *
 * Read in vllm/config/vllm.py (use_v2_model_runner, _is_default_v2_model_runner_model, _get_v2_model_runner_unsupported_features) and
 * vllm/v1/worker/gpu/** of 0.22.0 to 0.33.0; patch releases do not differ from their minor.
 */
import type {Architecture} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {isRecurrent} from './recurrent.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Classes that get the second runner before every class does (DEFAULT_V2_MODEL_RUNNER_ARCHITECTURES), by the first release that lists them. */
const LISTED_SINCE: Record<string, string> = dictionary({
  Qwen3ForCausalLM: '0.22.0',
  LlamaForCausalLM: '0.23.0',
  MistralForCausalLM: '0.23.0',
  DeepseekV2ForCausalLM: '0.24.0',
  Qwen2MoeForCausalLM: '0.24.0',
  GraniteMoeForCausalLM: '0.24.0',
  InklingForCausalLM: '0.26.0',
  InklingForConditionalGeneration: '0.26.0',
  LongcatFlashNgramForCausalLM: '0.26.0',
  KimiK3ForConditionalGeneration: '0.27.0',
  DeepseekV4ForCausalLM: '0.28.0',
})

/** Models without experts and without recurrent layers, whatever their class. */
const DENSE_SINCE = '0.25.0'
/** Every class, and pooling too. */
const EVERY_SINCE = '0.29.0'

/** Classes that AMD's build keeps on the first runner, from the first release to before the last (ROCM_DEFAULT_MRV1_ARCHITECTURES; gone in 0.32.0). */
const AMD_FIRST: Record<string, {since: string; until: string}> = dictionary({
  // 0.28.0 leaves it out of the list above on AMD.
  DeepseekV4ForCausalLM: {since: '0.28.0', until: '0.32.0'},
  DeepseekV32ForCausalLM: {since: '0.29.0', until: '0.32.0'},
  GlmMoeDsaForCausalLM: {since: '0.30.0', until: '0.32.0'},
})

/** First release in which the second runner drafts by a method; a method that is not here it never does. */
const DRAFTS_SINCE: Record<string, string> = dictionary({
  eagle: '0.22.0',
  eagle3: '0.22.0',
  mtp: '0.22.0',
  dflash: '0.24.0',
  dspark: '0.25.0',
  draft_model: '0.31.0',
  ngram: '0.32.0',
})
/** EAGLE-3 over pipeline stages, which 0.22.0 to 0.29.0 leave to the first runner. */
const STAGED_EAGLE_SINCE = '0.30.0'

export const hasExperts = (architecture: Architecture): boolean => architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')

type Asked = Pick<Deployment, 'engineVersion' | 'speculative' | 'pp'>

/** Whether it drafts as is asked; what it cannot do goes to the first runner. */
function canDraft({engineVersion, speculative, pp}: Asked): boolean {
  if (!speculative) return true
  const {method} = speculative
  if (method === 'eagle3' && pp > 1 && !isAtLeast(engineVersion, STAGED_EAGLE_SINCE)) return false
  const since = DRAFTS_SINCE[method]
  return since !== undefined && isAtLeast(engineVersion, since)
}

/** Whether the second model runner serves it, with nothing said in the environment (VLLM_USE_V2_MODEL_RUNNER). */
export function usesSecondRunner(subject: Subject, deployment: Asked): boolean {
  const {model, gpu} = subject
  const {className = ''} = model.architecture
  const version = deployment.engineVersion
  if (!canDraft(deployment)) return false
  const kept = gpu.accelerator.vendor === 'amd' ? AMD_FIRST[className] : undefined
  if (kept && isAtLeast(version, kept.since) && !isAtLeast(version, kept.until)) return false
  if (isAtLeast(version, EVERY_SINCE)) return true
  if (model.pooling) return false
  const listed = LISTED_SINCE[className]
  if (listed !== undefined && isAtLeast(version, listed)) return true
  return isAtLeast(version, DENSE_SINCE) && !hasExperts(model.architecture) && !isRecurrent(subject)
}

/** The first runner's switch VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS came off in 0.18.0 and is on from 0.20.0; its message names 0.21.0. */
const FIRST_RUNNER_COUNTS_SINCE = '0.20.0'
/** On AMD (gpu_worker.py: `not is_rocm()` in 0.20, `is_cuda()` in 0.21 to 0.25, `is_cuda_alike()` from 0.26). */
const AMD_COUNTS_SINCE = '0.26.0'
/** On Intel GPUs (gpu_worker.py: `is_xpu()`). */
const INTEL_COUNTS_SINCE = '0.31.0'
/** The second runner's profile_cudagraph_memory returned 0 up to 0.28 ("It is TBD whether we keep this API or not"), and captures samples from 0.29 (worker/gpu/cudagraph_utils.py). */
const SECOND_RUNNER_COUNTS_SINCE = '0.29.0'

/** Whether the memory of CUDA graphs is estimated and taken out of the fraction before the cache is sized; else graphs come on top. */
export function graphsInsideBudget(subject: Subject, deployment: Asked): boolean {
  const {vendor} = subject.gpu.accelerator
  const needed = [
    FIRST_RUNNER_COUNTS_SINCE,
    ...(vendor === 'amd' ? [AMD_COUNTS_SINCE] : []),
    ...(vendor === 'intel' ? [INTEL_COUNTS_SINCE] : []),
    ...(usesSecondRunner(subject, deployment) ? [SECOND_RUNNER_COUNTS_SINCE] : []),
  ]
  return needed.every((since) => isAtLeast(deployment.engineVersion, since))
}

/** Images are encoded in the second runner's trial run (worker/gpu/model_runner.py profile_run, 0.27.0); before, it only ran the language model. */
const IMAGE_TRIAL_SINCE = '0.27.0'

export const triesImages = (subject: Subject, deployment: Asked): boolean =>
  !usesSecondRunner(subject, deployment) || isAtLeast(deployment.engineVersion, IMAGE_TRIAL_SINCE)

/**
 * Logits are sampled as they are: processed in place in 0.26.0, not processed where nothing asks for it from 0.27.0 (worker/gpu/sample/sampler.py
 * apply_sampling_params); up to 0.25.1 always a 32-bit copy of them.
 */
const UNPROCESSED_SINCE = '0.26.0'
/** A second pass tries every kind of processing (worker/gpu/model_runner.py _dummy_sampler_run, 0.33.0: SamplingParams.for_sampler_warmup). */
const PROCESSED_TRIAL_SINCE = '0.33.0'
const LOGIT_BYTES = 2
const COPY_BYTES = 4

/**
 * Bytes for each logit at the peak of the second runner's trial of the sampler: logits of 16 bits; gathered over ranks their own part, what the
 * collective filled and the transposed copy (distributed/device_communicators/base_device_communicator.py all_gather); the 32-bit copy; and from
 * 0.33.0 on NVIDIA, where FlashInfer takes the top k before the top p, the masked logits and their probabilities, 32 bits each (flashinfer/sampling.py
 * top_k_top_p_sampling_from_logits, 0.7.2.post1, which 0.33.0 requires; its short cut is for one k that all share, and here each row has its own).
 */
export function secondRunnerLogitBytes({gpu}: Pick<Subject, 'gpu'>, {engineVersion, tp}: Pick<Deployment, 'engineVersion' | 'tp'>): number {
  const gathered = tp > 1 ? LOGIT_BYTES / tp + 2 * LOGIT_BYTES : LOGIT_BYTES
  if (isAtLeast(engineVersion, PROCESSED_TRIAL_SINCE))
    return Math.max(gathered, LOGIT_BYTES + COPY_BYTES + (gpu.accelerator.vendor === 'nvidia' ? 2 * COPY_BYTES : 0))
  return isAtLeast(engineVersion, UNPROCESSED_SINCE) ? gathered : Math.max(gathered, LOGIT_BYTES + COPY_BYTES)
}

/**
 * What the second runner keeps of every sequence that may run: how often each token of the vocabulary was written, 32 bits, and one bit for whether
 * the prompt has it (worker/gpu/sample/penalties.py output_bin_counts and prompt_bin_mask, 0.22.0 to 0.33.0). Not where vectors are the answer.
 */
export const sequenceTableBytes = (vocabularySize: number, maxNumSeqs: number): number => maxNumSeqs * (4 * vocabularySize + 4 * Math.ceil(vocabularySize / 32))
