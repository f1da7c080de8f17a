import * as z from 'zod'
import {GRAPH_MODES, LIMITS, type Link, LINKS, PREFERENCES, type Preference} from './scenario.ts'
import {percentOf, shareOf} from '../../core/words.ts'
import {parseSpeculation} from './speculation.ts'
import {isStateFormat, stateFormatOf, weightsOf} from '../../engines/words.ts'

const whole = ({min, max}: {min: number; max: number}) => z.int().min(min).max(max)

const ratio = ({min, max}: {min: number; max: number}) => z.number().min(min).max(max)

/** A share as a number, or as text: 0.5, "50%". */
export const share = ({min, max}: {min: number; max: number}) => {
  const number = z.number().min(min).max(max)
  const expected = `expected a share from ${min} to ${max}, such as 0.5 or "50%"`
  const text = z
    .string()
    .max(64)
    .transform((written, context) => {
      const value = shareOf(written)
      if (value === undefined || value < min || value > max) context.addIssue({code: 'custom', message: expected})
      return value ?? Number.NaN
    })
  return z.union([number, text], {error: expected})
}

/** In per cent: 95, "95%" or 0.95. */
const percentile = z.union([z.number(), z.string().max(64)]).transform((written, context) => {
  const value = percentOf(String(written))
  if (value === undefined || !(value >= 1 && value <= 100))
    context.addIssue({code: 'custom', message: 'expected a share of requests, such as 95, "95%" or 0.95'})
  return value ?? Number.NaN
})

/** Settings of an engine that nobody has to choose. */
export const EngineOptionFields = {
  multimodal: z
    .strictObject({
      languageOnly: z.boolean().optional().describe('no images or sounds: their towers are not loaded'),
      limits: z.record(z.string().min(1).max(64), z.int().min(0).max(100_000)).optional().describe('most of each kind in one prompt: image, video, audio'),
    })
    .optional()
    .describe('of models that take images or sounds'),
  decodeContextParallel: whole(LIMITS.parallel).optional().describe("ranks that share the tokens of a sequence's cache"),
  graphs: z
    .strictObject({
      maxBatch: whole(LIMITS.sequences).optional().describe('the largest batch with a CUDA graph'),
      sizes: z.array(whole(LIMITS.sequences)).min(1).max(4096).optional().describe('batches with a CUDA graph'),
      mode: z.enum(GRAPH_MODES).optional().describe('none switches them off'),
    })
    .optional()
    .describe('CUDA graphs'),
  prefixCaching: z.boolean().optional().describe('whether prompts that begin alike share their cache'),
  blockTokens: whole({min: 1, max: 1_000_000}).optional().describe('tokens of a block or page of the cache'),
  kvCacheBytes: whole(LIMITS.bytes).optional().describe('cache of each GPU, whatever the share of memory'),
  kvCacheTokens: whole(LIMITS.tokens).optional().describe('most tokens that the cache may hold'),
  kvCacheBlocks: whole(LIMITS.tokens).optional().describe('blocks of the cache, whatever the memory'),
  windowPoolRatio: ratio(LIMITS.ratio).optional().describe('tokens of the pool of windows to those of the full pool (SGLang)'),
  statePoolRatio: ratio(LIMITS.ratio).optional().describe('memory of recurrent states to that of the cache (SGLang)'),
  stateSlots: whole(LIMITS.sequences).optional().describe('recurrent states that are kept (SGLang)'),
  stateFormat: z
    .string()
    .refine(isStateFormat, {message: 'expected fp32, bf16 or fp16'})
    .transform(stateFormatOf)
    .optional()
    .describe('elements of a recurrent state: fp32, bf16, fp16'),
  runner: z.enum(['generate', 'pooling']).optional().describe('pooling: embeddings and scores instead of text'),
  admission: z
    .strictObject({
      maxQueuedRequests: whole(LIMITS.queue).optional(),
      maxQueuedTokens: whole(LIMITS.queue).optional(),
      everySteps: whole(LIMITS.schedulerSteps).optional().describe('decode steps from one look for new requests to the next (SGLang)'),
      waitSteps: whole({...LIMITS.schedulerSteps, min: 0})
        .optional()
        .describe('decode steps that a first new request waits for others (TensorRT-LLM)'),
    })
    .optional()
    .describe('what may wait, more is turned away; and how often new requests are looked for'),
  lora: z
    .strictObject({
      count: whole(LIMITS.loraCount).describe('adapters that one batch can hold'),
      maxRank: whole(LIMITS.loraRank).describe('the largest rank among them'),
      targets: z
        .array(
          z
            .string()
            .regex(/^[\w.-]+$/)
            .max(128),
        )
        .min(1)
        .max(256)
        .optional()
        .describe("modules that they are on, by PEFT's names"),
    })
    .optional()
    .describe('LoRA adapters that are served beside the model'),
  engineFlags: z
    .record(z.string().min(1).max(256), z.union([z.string().max(100_000), z.number(), z.boolean(), z.array(z.string().max(10_000)).min(1).max(1000)]))
    .optional()
    .describe('options that are passed on to the engine and change no figure, by flag; true is a switch'),
}

/** Load of the contract: a closed loop (`concurrency`) or an open one (`requestRate`), one of the two. */
export const WorkloadSchema = z
  .strictObject({
    inputTokens: whole(LIMITS.tokens).describe('mean tokens of a prompt'),
    outputTokens: whole(LIMITS.tokens).describe('mean tokens of an answer'),
    concurrency: z
      .union([whole(LIMITS.concurrency), z.literal('max')])
      .optional()
      .describe('requests in flight, or "max": as many as memory and limits allow'),
    requestRate: z.number().min(LIMITS.requestRate.min).max(LIMITS.requestRate.max).optional().describe('requests per second'),
    prefixHitRate: share({min: 0, max: 1}).optional().describe('share of prompt tokens found in the prefix cache'),
  })
  .refine((workload) => workload.concurrency === undefined || workload.requestRate === undefined, {message: 'give concurrency or requestRate, not both'})

/** One question, and what the flags of `check` and `config` become. */
export const ScenarioSchema = z.strictObject({
  id: z.string().optional().describe('any text, which the answer repeats'),
  model: z
    .string()
    .min(1)
    .max(4096)
    .describe(
      'a name (qwen3-32b: servefit chooses the checkpoint), a repository (Qwen/Qwen3-32B-AWQ: exactly that one), or a path (config.json, folder, .gguf)',
    ),
  gpu: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe(
      'COUNTxGPU-ID, comma-separated for mixed cards; with another memory (rtx-2080-ti:22gb), a slice (a100-80gb-sxm:2g.20gb) or figures (card:memory=20GiB,bandwidth=760GB/s,capability=8.6) behind a colon',
    ),
  machine: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('instead of gpu: a catalogued system (dgx-h200), or a path of what detect --json or nvidia-smi printed; neither: this machine'),
  nodes: whole(LIMITS.nodes).optional().describe('machines of that kind, over which one deployment may be laid; absent: 1'),
  link: z
    .enum(LINKS as [Link, ...Link[]])
    .optional()
    .describe('how the cards of gpu are joined: peer access over PCIe, NVLink, or PCIe through the host'),
  prefer: z
    .enum(PREFERENCES as [Preference, ...Preference[]])
    .optional()
    .describe('what the checkpoint is chosen for, among those that keep the load'),
  engine: z.string().min(1).max(128).optional().describe('vllm, sglang or trtllm; absent: vllm, and of plan the best of them'),
  engineVersion: z.string().max(128).optional().describe('a release, such as 0.11.0; absent: the newest that is known'),
  weights: z
    .string()
    .min(1)
    .max(128)
    .transform(weightsOf)
    .optional()
    .describe('format of the weights: bf16, fp8, int8, awq-int4, gptq-int4, mxfp4, nvfp4, q4_k_m, ...; absent: chosen among the published checkpoints'),
  kvCache: z.string().min(1).max(128).optional().describe('format of the KV cache: auto, bf16, fp8, nvfp4, ...; absent: as the engine has it'),
  tp: whole(LIMITS.parallel).optional().describe('GPUs that share every layer (tensor parallel); absent: chosen'),
  pp: whole(LIMITS.parallel).optional().describe('stages, each with some of the layers (pipeline parallel); absent: chosen'),
  dp: whole(LIMITS.parallel).optional().describe('copies that share the requests (data parallel); absent: chosen'),
  ep: whole(LIMITS.parallel).optional().describe('GPUs over which whole experts are spread (expert parallel)'),
  dpAttention: z.boolean().optional().describe('attention is computed by replicas, experts by all GPUs together'),
  maxModelLen: whole(LIMITS.tokens)
    .optional()
    .describe('context: tokens of prompt and answer together that one request may have; absent: the longest that serves the load'),
  maxNumSeqs: whole(LIMITS.sequences).optional().describe('requests that are computed at a time'),
  maxNumBatchedTokens: whole(LIMITS.tokens).optional().describe('tokens of one step: the size of a chunk of prefill'),
  gpuMemoryUtilization: share(LIMITS.fraction)
    .optional()
    .describe('share of GPU memory, 0 to 1 (SGLang: mem_fraction_static; TensorRT-LLM: free_gpu_memory_fraction)'),
  enforceEager: z.boolean().optional().describe('without CUDA graphs'),
  speculative: z
    .union([
      z
        .strictObject({
          method: z.string().min(1).max(128),
          tokens: whole(LIMITS.draftTokens).default(1),
          draft: z.string().min(1).max(256).optional().describe('repository of the draft'),
          model: z.string().min(1).max(256).optional().describe('the same as draft, as vLLM calls it'),
        })
        .transform(({model, draft = model, ...method}) => ({...method, ...(draft !== undefined && {draft})})),
      z.string().min(1).max(256),
    ])
    .transform((value) => (typeof value === 'string' ? parseSpeculation(value) : value))
    .optional()
    .describe('speculative decoding: METHOD:TOKENS, such as mtp:1, or its parts'),
  acceptance: share(LIMITS.acceptance).optional().describe('(mean accepted length - 1) / drafted tokens, 0 to 1; above 1, the mean accepted length of a step'),
  cpuOffloadBytes: whole(LIMITS.bytes).optional().describe('weights of each GPU that are kept in host memory, in bytes'),
  reservedBytesPerGpu: whole(LIMITS.bytes).optional().describe('what other programs hold of each GPU, in bytes'),
  ...EngineOptionFields,
  command: z
    .array(z.string().max(100_000))
    .min(1)
    .max(10_000)
    .optional()
    .describe("the engine's own command, word by word (vllm serve ...), read through its flag table; other fields given beside it win and are said to"),
  workload: WorkloadSchema.optional().describe('the load: lengths, and concurrency or requestRate'),
  slo: z
    .strictObject({
      ttftMs: z.number().positive().optional().describe('time to the first token, in milliseconds'),
      tpotMs: z.number().positive().optional().describe('time per output token after the first, in milliseconds'),
      e2eMs: z.number().positive().optional().describe('from the arrival of a request to its last token, in milliseconds'),
      endToEndMs: z.number().positive().optional().describe('the same, as version 1 called it'),
      percentile: percentile.optional().describe('share of requests, in per cent, that must keep the limits; absent: the mean must'),
    })
    .transform(({e2eMs, endToEndMs = e2eMs, ...slo}) => ({...slo, ...(endToEndMs !== undefined && {endToEndMs})}))
    .optional()
    .describe('limits of latency that have to be kept'),
})

/** The input of `batch`: a scenario whose model may stand in its command. */
export const ScenarioLineSchema = z
  .strictObject({...ScenarioSchema.shape, model: ScenarioSchema.shape.model.optional().describe('absent: what command names')})
  .refine(({model, command}) => model !== undefined || command !== undefined, {
    path: ['model'],
    message: 'expected a name, a repository or a path, or a command that names one',
  })

/** A line of measurements: a scenario with what was measured beside it, which is left out. */
export const MeasuredScenarioSchema = z.object(ScenarioSchema.shape)
