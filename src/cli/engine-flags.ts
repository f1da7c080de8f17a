import * as Flags from '@oclif/core/flags'
import type {EngineOptions} from '../core/deployment.ts'
import {InputError} from '../core/input-error.ts'
import {stateFormatOf} from '../engines/words.ts'
import {GRAPH_MODES, LIMITS} from '../planner/scenario/index.ts'
import {parseBytes, parseCount, parseNumber} from './quantities.ts'

const SETTINGS = 'ENGINE SETTINGS'

interface Shown {
  aliases?: string[]
}
const count = (name: string, limit: {min: number; max: number}, description: string, shown: Shown = {}) =>
  Flags.custom<number>({description, helpValue: 'N', helpGroup: SETTINGS, parse: async (text) => parseCount(text, name, limit), ...shown})()
const ratio = (name: string, description: string, aliases: string[]) =>
  Flags.custom<number>({description, helpValue: 'RATIO', helpGroup: SETTINGS, aliases, parse: async (text) => parseNumber(text, name, LIMITS.ratio)})()

/** `1,2,4` or `[1, 2, 4]`. */
function parseSizes(text: string): number[] {
  const words = text
    .replaceAll(/[[\]]/g, ' ')
    .split(/[\s,]+/)
    .filter((word) => word !== '')
  if (words.length === 0) throw new InputError('NUMBER_INVALID', `--graph-sizes ${text}: expected batch sizes such as 1,2,4,8`)
  return words.map((word) => parseCount(word, 'graph-sizes', LIMITS.sequences))
}

/** `image=1,video=0`, or the same as JSON. */
export function parseLimits(text: string, what = 'limit-mm-per-prompt'): Record<string, number> {
  const wrong = (word: string) =>
    new InputError(
      'LIMITS_INVALID',
      `--${what} ${text.slice(0, 100)}: ${word.slice(0, 60)} is not a limit; expected image=1,video=0 or {"image": 1, "video": 0}`,
    )
  const isJson = /^\s*\{/.test(text)
  const entries: [string, unknown][] = isJson
    ? Object.entries(parsedObject(text) ?? fail(wrong('this')))
    : text.split(',').map((word) => {
        const [, kind, limit] = /^\s*([a-z_]+)\s*=\s*(\d+)\s*$/i.exec(word) ?? []
        if (kind === undefined) throw wrong(word)
        return [kind, Number(limit)]
      })
  return Object.fromEntries(
    entries.map(([kind, limit]) => {
      // The newer form says how large each is beside how many (vLLM config/multimodal.py BaseDummyOptions).
      const most = typeof limit === 'object' && limit !== null ? ((limit as {count?: unknown}).count ?? 999) : limit
      if (!Number.isInteger(most) || (most as number) < 0) throw wrong(kind)
      return [kind, most as number]
    }),
  )
}

function fail(error: Error): never {
  throw error
}

function parsedObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function parseEngineFlag(text: string): string {
  if (!/^--?[a-z][\w.-]*(=|$)/i.test(text))
    throw new InputError('SETTING_INVALID', `--engine-flag ${text.slice(0, 100)}: expected --FLAG=VALUE, or --FLAG for a switch`)
  return text
}

/** Settings that nobody has to choose; the names of the engines' own flags are taken too. */
export const engineFlags = {
  'language-model-only': Flags.boolean({description: 'serve text only, without loading the towers for images and sounds', helpGroup: SETTINGS}),
  'limit-mm-per-prompt': Flags.custom<Record<string, number>>({
    description: 'most images or sounds in one prompt, such as image=1,video=0',
    helpValue: 'LIMITS',
    aliases: ['limit-mm-data-per-request'],
    helpGroup: SETTINGS,
    parse: async (text) => parseLimits(text),
  })(),
  'decode-context-parallel': count('decode-context-parallel', LIMITS.parallel, 'number of ranks that share the cache of a sequence by tokens', {
    aliases: ['decode-context-parallel-size', 'dcp-size'],
  }),
  'graph-max-batch': count('graph-max-batch', LIMITS.sequences, 'largest batch with a CUDA graph', {
    aliases: ['max-cudagraph-capture-size', 'cuda-graph-max-bs', 'cuda-graph-max-bs-decode'],
  }),
  'graph-sizes': Flags.custom<number[]>({
    description: 'batches with a CUDA graph, such as 1,2,4,8',
    helpValue: 'SIZES',
    aliases: ['cudagraph-capture-sizes', 'cuda-graph-bs', 'cuda-graph-bs-decode'],
    helpGroup: SETTINGS,
    parse: async (text) => parseSizes(text),
  })(),
  'graph-mode': Flags.string({description: 'mode of CUDA graphs', options: [...GRAPH_MODES], helpGroup: SETTINGS}),
  'prefix-caching': Flags.boolean({
    description: 'reuse the cache of prompts that begin alike, or not',
    allowNo: true,
    aliases: ['enable-prefix-caching'],
    helpGroup: SETTINGS,
  }),
  'disable-radix-cache': Flags.boolean({description: 'the same as --no-prefix-caching', aliases: ['no-enable-prefix-caching'], helpGroup: SETTINGS}),
  'block-tokens': count('block-tokens', {min: 1, max: 1_000_000}, 'tokens in a block or page of the cache', {aliases: ['block-size', 'page-size']}),
  'kv-cache-bytes': Flags.custom<number>({
    description: 'cache on each GPU, whatever the share of memory, such as 20GiB',
    helpValue: 'SIZE',
    aliases: ['kv-cache-memory-bytes'],
    helpGroup: SETTINGS,
    parse: async (text) => parseBytes(text, 'kv-cache-bytes', LIMITS.bytes),
  })(),
  'kv-cache-tokens': count('kv-cache-tokens', LIMITS.tokens, 'most tokens that the cache may hold', {aliases: ['max-total-tokens']}),
  'kv-cache-blocks': count('kv-cache-blocks', LIMITS.tokens, 'number of cache blocks, whatever the memory', {aliases: ['num-gpu-blocks-override']}),
  'window-pool-ratio': ratio('window-pool-ratio', 'tokens in the window pool as a ratio of those in the full pool (SGLang)', ['swa-full-tokens-ratio']),
  'state-pool-ratio': ratio('state-pool-ratio', 'memory for recurrent states as a ratio of that for the cache (SGLang)', ['mamba-full-memory-ratio']),
  'state-slots': count('state-slots', LIMITS.sequences, 'how many recurrent states are kept (SGLang)', {aliases: ['max-mamba-cache-size']}),
  'state-format': Flags.custom<string>({
    description: 'number format of recurrent states: fp32, bf16, fp16',
    helpValue: 'FORMAT',
    aliases: ['mamba-ssm-dtype', 'mamba-ssm-cache-dtype'],
    helpGroup: SETTINGS,
    parse: async (text) => stateFormatOf(text),
  })(),
  runner: Flags.string({
    description: 'generate for answers, pooling for vectors (embedding models, rerankers)',
    options: ['generate', 'pooling'],
    helpGroup: SETTINGS,
  }),
  'max-queued-requests': count('max-queued-requests', LIMITS.queue, 'most requests that may wait; others are turned away', {aliases: ['max-num-queued-reqs']}),
  'max-queued-tokens': count('max-queued-tokens', LIMITS.queue, 'most prompt tokens that may wait; others are turned away', {
    aliases: ['max-num-queued-tokens'],
  }),
  'scheduler-steps': count('scheduler-steps', LIMITS.schedulerSteps, 'decode steps between checks for new requests (SGLang)', {
    aliases: ['scheduler-recv-interval'],
  }),
  'batch-wait-steps': count('batch-wait-steps', LIMITS.schedulerSteps, 'decode steps that a new request waits for others to join it (TensorRT-LLM)', {
    aliases: ['batch-wait-timeout-iters'],
  }),
  'engine-flag': Flags.custom<string>({
    description: 'an option that is passed on to the engine and changes no figure here, as --FLAG=VALUE',
    helpValue: '--FLAG=VALUE',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: SETTINGS,
    parse: async (text) => parseEngineFlag(text),
  })(),
}

type Given = Record<string, unknown>

/** The settings that flags spell out. */
export function optionsFrom(flags: Given): EngineOptions {
  const options: Given = {}
  const set = (name: string, value: unknown) => {
    if (value !== undefined) options[name] = value
  }
  const languageOnly = flags['language-model-only'] as boolean | undefined
  const limits = flags['limit-mm-per-prompt']
  if (languageOnly !== undefined || limits !== undefined)
    set('multimodal', {...(languageOnly !== undefined && {languageOnly}), ...(limits !== undefined && {limits})})
  set('decodeContextParallel', flags['decode-context-parallel'])
  const graphs = withoutAbsent({maxBatch: flags['graph-max-batch'], sizes: flags['graph-sizes'], mode: flags['graph-mode']})
  if (graphs) set('graphs', graphs)
  set('prefixCaching', flags['disable-radix-cache'] ? false : flags['prefix-caching'])
  for (const name of [
    'block-tokens',
    'kv-cache-bytes',
    'kv-cache-tokens',
    'kv-cache-blocks',
    'window-pool-ratio',
    'state-pool-ratio',
    'state-slots',
    'state-format',
    'runner',
  ])
    set(
      name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      flags[name],
    )
  const admission = withoutAbsent({
    maxQueuedRequests: flags['max-queued-requests'],
    maxQueuedTokens: flags['max-queued-tokens'],
    everySteps: flags['scheduler-steps'],
    waitSteps: flags['batch-wait-steps'],
  })
  if (admission) set('admission', admission)
  set('engineFlags', passedOn(flags['engine-flag'] as string[] | undefined))
  return options as EngineOptions
}

function passedOn(given: readonly string[] | undefined): EngineOptions['engineFlags'] {
  if (!given || given.length === 0) return undefined
  return Object.fromEntries(
    given.map((text): [string, string | true] => {
      const at = text.indexOf('=')
      return at < 0 ? [text, true] : [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function withoutAbsent(fields: Given): Given | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return given.length > 0 ? Object.fromEntries(given) : undefined
}

/** The flags that spell these settings, for "next" lines. */
export function flagsFor({multimodal, graphs, admission, lora, engineFlags: passed, ...plain}: EngineOptions): Given {
  const flags: Given = {
    'language-model-only': multimodal?.languageOnly,
    'limit-mm-per-prompt': multimodal?.limits,
    'graph-max-batch': graphs?.maxBatch,
    'graph-sizes': graphs?.sizes,
    'graph-mode': graphs?.mode,
    'decode-context-parallel': plain.decodeContextParallel,
    'disable-radix-cache': plain.prefixCaching === false ? true : undefined,
    'prefix-caching': plain.prefixCaching === true ? true : undefined,
    'block-tokens': plain.blockTokens,
    'kv-cache-bytes': plain.kvCacheBytes,
    'kv-cache-tokens': plain.kvCacheTokens,
    'kv-cache-blocks': plain.kvCacheBlocks,
    'window-pool-ratio': plain.windowPoolRatio,
    'state-pool-ratio': plain.statePoolRatio,
    'state-slots': plain.stateSlots,
    'state-format': plain.stateFormat,
    runner: plain.runner,
    'max-queued-requests': admission?.maxQueuedRequests,
    'max-queued-tokens': admission?.maxQueuedTokens,
    'scheduler-steps': admission?.everySteps,
    'batch-wait-steps': admission?.waitSteps,
    lora: lora && [String(lora.count)],
    'lora-rank': lora?.maxRank,
    'lora-target-modules': lora?.targets?.join(','),
    'engine-flag':
      passed && Object.entries(passed).map(([name, value]) => (value === true ? name : `${name}=${Array.isArray(value) ? value.join(' ') : value}`)),
  }
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
}
