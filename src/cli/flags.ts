import * as Flags from '@oclif/core/flags'
import type {Speculation} from '../core/deployment.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'
import {weightsOf} from '../engines/words.ts'
import {assumedLoad, LIMITS, type Link, LINKS, parseSpeculation, PREFERENCES, type Scenario, speculationFromJson} from '../planner/scenario/index.ts'
import {engineFlags, optionsFrom} from './engine-flags.ts'
import {spelledAs} from './flag-names.ts'
import {parseBytes, parseCount, parseNumber, parseShare} from './quantities.ts'
import {dictionary} from '../core/dictionary.ts'

interface Shown {
  aliases?: string[]
  helpGroup?: string
}

const tokens = (name: string, description: string, shown: Shown = {}) =>
  Flags.custom<number>({
    description,
    helpValue: 'TOKENS',
    parse: async (text, {argv}) => parseCount(text, spelledAs(name, shown.aliases ?? [], argv), LIMITS.tokens),
    ...shown,
  })()
const count = (name: string, limit: {min: number; max: number}, description: string, shown: Shown = {}) =>
  Flags.custom<number>({
    description,
    helpValue: 'N',
    parse: async (text, {argv}) => parseCount(text, spelledAs(name, shown.aliases ?? [], argv), limit),
    ...shown,
  })()
const bytes = (name: string, description: string, helpGroup: string) =>
  Flags.custom<number>({description, helpValue: 'SIZE', parse: async (text) => parseBytes(text, name, LIMITS.bytes), helpGroup})()

const WHERE = 'WHERE'
const LOAD = 'LOAD'
const DEPLOYMENT = 'DEPLOYMENT'

/** Where: this machine unless one of these names another. */
export const machineFlags = {
  gpu: Flags.string({
    description:
      'GPUs to ask about, as COUNTxGPU: 2xrtx-4090, 8xh200-sxm; after a colon another memory size (rtx-2080-ti:22gb), a slice (a100-80gb-sxm:2g.20gb) or figures (card:memory=20GiB,bandwidth=760GB/s,capability=8.6) (default: this machine)',
    helpValue: 'COUNTxGPU',
    exclusive: ['machine'],
    helpGroup: WHERE,
  }),
  machine: Flags.string({
    description:
      'a machine by name (servefit machines lists them), or a file, or - for standard input, with the output of detect --json, nvidia-smi, amd-smi and the like',
    helpValue: 'NAME|FILE|-',
    helpGroup: WHERE,
  }),
  nodes: count('nodes', LIMITS.nodes, 'how many such machines serve together as one deployment', {helpGroup: WHERE}),
  link: Flags.custom<Link>({
    description: 'how the cards of --gpu are connected: p2p (peer access over PCIe), nvlink, or pcie (through the host) (default: as is usual for them)',
    helpValue: 'p2p|nvlink|pcie',
    helpGroup: WHERE,
    parse: async (text) => parseLink(text),
  })(),
}

function parseLink(text: string): Link {
  const link = LINKS.find((known) => known === text.toLowerCase())
  if (link) return link
  throw new InputError('LINK_UNKNOWN', `--link ${quotedShort(text)}: expected ${LINKS.join(', ')}`, {suggestions: nearest(text, LINKS)})
}

/** Under which load. */
export const workloadFlags = {
  'input-tokens': tokens('input-tokens', 'mean length of a prompt', {aliases: ['input'], helpGroup: LOAD}),
  'output-tokens': tokens('output-tokens', 'mean length of an answer', {aliases: ['output'], helpGroup: LOAD}),
  concurrency: Flags.custom<number | 'max'>({
    description: 'users who each have one request in flight, or max: as many as memory and limits allow',
    helpValue: 'N|max',
    aliases: ['users'],
    helpGroup: LOAD,
    parse: async (text, {argv}) => (text === 'max' ? 'max' : parseCount(text, spelledAs('concurrency', ['users'], argv), LIMITS.concurrency)),
  })(),
  'request-rate': Flags.custom<number>({
    description: 'requests that arrive each second, instead of --users',
    helpValue: 'RATE',
    exclusive: ['concurrency'],
    helpGroup: LOAD,
    parse: async (text) => parseNumber(text, 'request-rate', LIMITS.requestRate),
  })(),
  'prefix-hit-rate': Flags.custom<number>({
    description: 'share of prompt tokens found in the prefix cache, as 0.5 or 50%',
    helpValue: 'SHARE',
    helpGroup: LOAD,
    parse: async (text) => parseShare(text, 'prefix-hit-rate', {min: 0, max: 1}),
  })(),
}

/** How: what is absent is chosen. Names are the scenario's, in kebab-case. */
export const deploymentFlags = {
  engine: Flags.string({description: 'vllm, sglang or trtllm (default: vllm)', helpGroup: DEPLOYMENT}),
  'engine-version': Flags.string({description: 'release of the engine (default: the newest known)', helpGroup: DEPLOYMENT}),
  weights: Flags.custom<string>({
    description: 'weight format: bf16, fp8, awq-int4, nvfp4, ... (default: that of the published checkpoint that is chosen)',
    aliases: ['quantization'],
    helpGroup: DEPLOYMENT,
    parse: async (text) => weightsOf(text),
  })(),
  dtype: Flags.string({
    description: "type of weights that are not quantised, in the engines' words",
    options: ['auto', 'bfloat16', 'bf16', 'float16', 'fp16', 'half', 'float32', 'fp32', 'float'],
    helpGroup: DEPLOYMENT,
  }),
  'kv-cache': Flags.string({description: 'cache format: auto, bf16, fp8, nvfp4', aliases: ['kv-cache-dtype'], helpGroup: DEPLOYMENT}),
  tp: count('tp', LIMITS.parallel, 'tensor parallel size', {aliases: ['tensor-parallel-size', 'tp-size'], helpGroup: DEPLOYMENT}),
  pp: count('pp', LIMITS.parallel, 'pipeline parallel size', {aliases: ['pipeline-parallel-size', 'pp-size'], helpGroup: DEPLOYMENT}),
  dp: count('dp', LIMITS.parallel, 'data parallel size', {aliases: ['data-parallel-size', 'dp-size'], helpGroup: DEPLOYMENT}),
  ep: count('ep', LIMITS.parallel, 'expert parallel size', {aliases: ['expert-parallel-size', 'ep-size'], helpGroup: DEPLOYMENT}),
  'enable-expert-parallel': Flags.boolean({description: 'spread whole experts over all GPUs', helpGroup: DEPLOYMENT}),
  'dp-attention': Flags.boolean({
    description: 'attention data-parallel over the tensor-parallel ranks',
    aliases: ['enable-dp-attention', 'enable-attention-dp'],
    helpGroup: DEPLOYMENT,
  }),
  'max-model-len': tokens('max-model-len', 'longest request that is served, prompt and answer together', {
    aliases: ['context', 'context-length', 'max-seq-len'],
    helpGroup: DEPLOYMENT,
  }),
  'max-num-seqs': count('max-num-seqs', LIMITS.sequences, 'most requests in one step', {
    aliases: ['max-running-requests', 'max-batch-size'],
    helpGroup: DEPLOYMENT,
  }),
  'max-num-batched-tokens': tokens('max-num-batched-tokens', 'most tokens in one step', {
    aliases: ['chunked-prefill-size', 'max-num-tokens'],
    helpGroup: DEPLOYMENT,
  }),
  'gpu-memory-utilization': Flags.custom<number>({
    description: 'share of memory, as the engine defines it, as 0.9 or 90% (SGLang: mem_fraction_static; TensorRT-LLM: free_gpu_memory_fraction)',
    helpValue: 'SHARE',
    aliases: ['mem-fraction-static', 'free-gpu-memory-fraction', 'kv-cache-free-gpu-memory-fraction'],
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseShare(text, 'gpu-memory-utilization', LIMITS.fraction),
  })(),
  'enforce-eager': Flags.boolean({description: 'no CUDA graphs', aliases: ['disable-cuda-graph'], helpGroup: DEPLOYMENT}),
  speculative: Flags.custom<{method: string; tokens: number}>({
    description: 'speculative decoding, as METHOD or METHOD:TOKENS (mtp:1)',
    helpValue: 'METHOD[:TOKENS]',
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseSpeculation(text),
  })(),
  'speculative-config': Flags.custom<Speculation>({
    description: 'speculative decoding as vLLM takes it, such as {"method": "mtp", "num_speculative_tokens": 1}',
    helpValue: 'JSON',
    exclusive: ['speculative'],
    helpGroup: DEPLOYMENT,
    parse: async (text) => speculationFromJson(text),
  })(),
  draft: Flags.string({
    description: 'the draft checkpoint (default: the one known for the model and the method)',
    helpValue: 'REPOSITORY',
    dependsOn: ['speculative'],
    helpGroup: DEPLOYMENT,
  }),
  acceptance: Flags.custom<number>({
    description: 'share of drafted tokens that are accepted, as 0.5 or 50%; a number above 1 is the mean accepted length of a step (2.94)',
    helpValue: 'SHARE|LENGTH',
    helpGroup: DEPLOYMENT,
    parse: async (text) => (text.trim().endsWith('%') ? parseShare(text, 'acceptance', {min: 0, max: 1}) : parseNumber(text, 'acceptance', LIMITS.acceptance)),
  })(),
  lora: Flags.string({
    description: 'LoRA adapters: how many at once, or the folder of one; repeat it for several',
    helpValue: 'COUNT|FOLDER',
    aliases: ['max-loras', 'max-loras-per-batch'],
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: DEPLOYMENT,
  }),
  'lora-target-modules': Flags.string({description: 'modules that the adapters change, such as q_proj,v_proj', helpValue: 'MODULES', helpGroup: DEPLOYMENT}),
  'enable-lora': Flags.boolean({description: 'LoRA adapters, as many as the engine takes by default', helpGroup: DEPLOYMENT}),
  'lora-rank': count('lora-rank', LIMITS.loraRank, 'largest rank of any adapter (default: 16, or what their folders say)', {
    aliases: ['max-lora-rank'],
    helpGroup: DEPLOYMENT,
  }),
  'cpu-offload-gb': Flags.custom<number>({
    description: 'the same as --cpu-offload-bytes, in GiB',
    helpValue: 'GIB',
    exclusive: ['cpu-offload-bytes'],
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseNumber(text, 'cpu-offload-gb', {min: 0, max: LIMITS.bytes.max / 2 ** 30}),
  })(),
  'cpu-offload-bytes': bytes('cpu-offload-bytes', 'how much of the weights of each GPU stays in host memory, such as 8GiB', DEPLOYMENT),
  'reserved-bytes-per-gpu': bytes('reserved-bytes-per-gpu', 'memory of each GPU that other programs take, such as 2GiB', DEPLOYMENT),
  ...engineFlags,
}

/** Which of the published checkpoints, where only the model is named. */
export const choiceFlags = {
  prefer: Flags.string({
    description:
      'what matters most in the choice of a checkpoint, of those that carry the load (default: no lost quality, then what the card computes natively)',
    options: [...PREFERENCES],
    helpGroup: DEPLOYMENT,
  }),
}
/** Flags that say in an engine's words what another says. */
const OTHER_WORDS = new Set(['dtype', 'enable-expert-parallel', 'speculative-config', 'cpu-offload-gb', ...Object.keys(engineFlags)])

/** The scenario that flags spell out. A flag that was not given is absent. */
export function scenarioFrom(model: string, flags: Record<string, unknown>): Scenario {
  const scenario: Record<string, unknown> = dictionary({model})
  for (const name of [...Object.keys(machineFlags), ...Object.keys(choiceFlags), ...Object.keys(deploymentFlags)])
    if (flags[name] !== undefined && !OTHER_WORDS.has(name)) scenario[camelCase(name)] = flags[name]
  Object.assign(scenario, inOtherWords(model, flags), optionsFrom(flags))
  // One field of the scenario: the method with its draft.
  const {draft, speculative} = scenario as {draft?: string; speculative?: object}
  // Folders of adapters are read by whoever may read files.
  delete scenario.lora
  delete scenario.loraRank
  delete scenario.loraTargetModules
  delete scenario.enableLora
  delete scenario.draft
  if (draft !== undefined) scenario.speculative = {...speculative, draft}
  const load = Object.fromEntries(
    Object.keys(workloadFlags)
      .filter((name) => flags[name] !== undefined)
      .map((name) => [camelCase(name), flags[name]]),
  )
  const open = load.requestRate !== undefined
  scenario.workload = {...assumedLoad(scenario.maxModelLen as number | undefined, load), ...(open && {concurrency: undefined}), ...load}
  return scenario as unknown as Scenario
}

/** What the engines' own words say of fields that have a flag of their own. */
function inOtherWords(model: string, flags: Record<string, unknown>): Record<string, unknown> {
  const said: Record<string, unknown> = dictionary()
  const {dtype, tp = 1, dp = 1} = flags as {dtype?: string; tp?: number; dp?: number}
  // A repository says itself what it holds: the word is the type of what is computed then.
  if (dtype !== undefined && dtype !== 'auto' && flags.weights === undefined && !model.includes('/')) said.weights = weightsOf(dtype)
  if (flags['enable-expert-parallel'] && flags.ep === undefined) said.ep = Math.max(2, tp * dp)
  if (flags['speculative-config'] !== undefined) said.speculative = flags['speculative-config']
  if (flags['cpu-offload-gb'] !== undefined) said.cpuOffloadBytes = Math.round((flags['cpu-offload-gb'] as number) * 2 ** 30)
  return said
}

const camelCase = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
