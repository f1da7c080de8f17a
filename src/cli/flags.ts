import * as Flags from '@oclif/core/flags'
import {LIMITS, parseSpeculation, PREFERENCES, type Scenario} from '../planner/scenario/index.ts'
import {parseBytes, parseCount, parseNumber} from './quantities.ts'

const tokens = (name: string, description: string, options: {aliases?: string[]; helpGroup?: string} = {}) =>
  Flags.custom<number>({description, helpValue: 'TOKENS', parse: async (text) => parseCount(text, name, LIMITS.tokens), ...options})()
const count = (name: string, limit: {min: number; max: number}, description: string, options: {aliases?: string[]; helpGroup?: string; char?: never} = {}) =>
  Flags.custom<number>({description, helpValue: 'N', parse: async (text) => parseCount(text, name, limit), ...options})()
const bytes = (name: string, description: string, helpGroup: string) =>
  Flags.custom<number>({description, helpValue: 'SIZE', parse: async (text) => parseBytes(text, name, LIMITS.bytes), helpGroup})()

const LOAD = 'LOAD'
const DEPLOYMENT = 'DEPLOYMENT'

/** Where: this machine unless one of these names another. */
export const machineFlags = {
  gpu: Flags.string({
    description: 'GPUs to judge, as COUNTxGPU: 2xrtx-4090, 8xh200-sxm (default: this machine)',
    helpValue: 'COUNTxGPU',
    exclusive: ['machine'],
  }),
  machine: Flags.string({description: 'a catalogued machine (dgx-h200), or a file that detect --json printed', helpValue: 'NAME|FILE'}),
  nodes: count('nodes', LIMITS.nodes, 'number of such machines in one deployment'),
}

/** Under which load. */
export const workloadFlags = {
  'input-tokens': tokens('input-tokens', 'mean tokens of a prompt', {aliases: ['input'], helpGroup: LOAD}),
  'output-tokens': tokens('output-tokens', 'mean tokens of an answer', {aliases: ['output'], helpGroup: LOAD}),
  concurrency: Flags.custom<number | 'max'>({
    description: 'requests in flight, or max: as many as memory and limits allow',
    helpValue: 'N|max',
    aliases: ['users'],
    helpGroup: LOAD,
    parse: async (text) => (text === 'max' ? 'max' : parseCount(text, 'concurrency', LIMITS.concurrency)),
  })(),
  'request-rate': Flags.custom<number>({
    description: 'requests per second that arrive, instead of a number in flight',
    helpValue: 'RATE',
    exclusive: ['concurrency'],
    helpGroup: LOAD,
    parse: async (text) => parseNumber(text, 'request-rate', LIMITS.requestRate),
  })(),
  'prefix-hit-rate': Flags.custom<number>({
    description: 'share of prompt tokens found in the prefix cache, 0 to 1',
    helpValue: 'SHARE',
    helpGroup: LOAD,
    parse: async (text) => parseNumber(text, 'prefix-hit-rate', {min: 0, max: 1}),
  })(),
}

/** How: what is absent is chosen. Names are the scenario's, in kebab-case. */
export const deploymentFlags = {
  engine: Flags.string({description: 'vllm, sglang or trtllm (default: vllm)', helpGroup: DEPLOYMENT}),
  'engine-version': Flags.string({description: 'release of the engine (default: the newest known)', helpGroup: DEPLOYMENT}),
  weights: Flags.string({
    description: 'weight format: bf16, fp8, awq-int4, nvfp4, ... (default: by the published checkpoint that is chosen)',
    helpGroup: DEPLOYMENT,
  }),
  'kv-cache': Flags.string({description: 'cache format: auto, bf16, fp8, nvfp4', helpGroup: DEPLOYMENT}),
  tp: count('tp', LIMITS.parallel, 'tensor parallel size', {aliases: ['tensor-parallel-size'], helpGroup: DEPLOYMENT}),
  pp: count('pp', LIMITS.parallel, 'pipeline parallel size', {aliases: ['pipeline-parallel-size'], helpGroup: DEPLOYMENT}),
  dp: count('dp', LIMITS.parallel, 'data parallel size', {aliases: ['data-parallel-size'], helpGroup: DEPLOYMENT}),
  ep: count('ep', LIMITS.parallel, 'expert parallel size', {aliases: ['expert-parallel-size'], helpGroup: DEPLOYMENT}),
  'dp-attention': Flags.boolean({description: 'attention data-parallel over the tensor-parallel ranks', helpGroup: DEPLOYMENT}),
  'max-model-len': tokens('max-model-len', 'longest request, prompt and answer together', {aliases: ['context'], helpGroup: DEPLOYMENT}),
  'max-num-seqs': count('max-num-seqs', LIMITS.sequences, 'most requests in one step', {helpGroup: DEPLOYMENT}),
  'max-num-batched-tokens': tokens('max-num-batched-tokens', 'most tokens in one step', {helpGroup: DEPLOYMENT}),
  'gpu-memory-utilization': Flags.custom<number>({
    description: 'share of memory as the engine means it (SGLang: mem_fraction_static; TensorRT-LLM: free_gpu_memory_fraction)',
    helpValue: 'SHARE',
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseNumber(text, 'gpu-memory-utilization', LIMITS.fraction),
  })(),
  'enforce-eager': Flags.boolean({description: 'no CUDA graphs', helpGroup: DEPLOYMENT}),
  speculative: Flags.custom<{method: string; tokens: number}>({
    description: 'speculative decoding, as METHOD or METHOD:TOKENS (mtp:1)',
    helpValue: 'METHOD[:TOKENS]',
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseSpeculation(text),
  })(),
  draft: Flags.string({
    description: 'checkpoint that drafts (default: the one that is known for the model and the method)',
    helpValue: 'REPOSITORY',
    dependsOn: ['speculative'],
    helpGroup: DEPLOYMENT,
  }),
  acceptance: Flags.custom<number>({
    description: 'share of the drafted tokens that are accepted, 0 to 1; above 1 the mean accepted length of a step (2.94)',
    helpValue: 'SHARE|LENGTH',
    dependsOn: ['speculative'],
    helpGroup: DEPLOYMENT,
    parse: async (text) => parseNumber(text, 'acceptance', LIMITS.acceptance),
  })(),
  'cpu-offload-bytes': bytes('cpu-offload-bytes', 'weights of each GPU that stay in host memory, such as 8GiB', DEPLOYMENT),
  'reserved-bytes-per-gpu': bytes('reserved-bytes-per-gpu', 'memory of each GPU taken by others, such as 2GiB', DEPLOYMENT),
}

/** Which of the published checkpoints, where only the model is named. */
export const choiceFlags = {
  prefer: Flags.string({
    description: 'what the checkpoint is chosen for among those that keep the load (default: no lost quality, then what the card computes natively)',
    options: [...PREFERENCES],
    helpGroup: DEPLOYMENT,
  }),
}

/** Load that answers assume when none is given: one person, a page of prompt, half a page of answer. */
export const ASSUMED_LOAD = {inputTokens: 1024, outputTokens: 512, concurrency: 1} as const

/** The scenario that flags spell out. A flag that was not given is absent. */
export function scenarioFrom(model: string, flags: Record<string, unknown>): Scenario {
  const scenario: Record<string, unknown> = {model}
  for (const name of [...Object.keys(machineFlags), ...Object.keys(choiceFlags), ...Object.keys(deploymentFlags)])
    if (flags[name] !== undefined) scenario[camelCase(name)] = flags[name]
  // One field of the scenario: the method with its draft.
  const {draft, speculative} = scenario as {draft?: string; speculative?: object}
  delete scenario.draft
  if (draft !== undefined) scenario.speculative = {...speculative, draft}
  const load = Object.fromEntries(
    Object.keys(workloadFlags)
      .filter((name) => flags[name] !== undefined)
      .map((name) => [camelCase(name), flags[name]]),
  )
  const open = load.requestRate !== undefined
  scenario.workload = {...ASSUMED_LOAD, ...(open && {concurrency: undefined}), ...load}
  return scenario as unknown as Scenario
}

const camelCase = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
