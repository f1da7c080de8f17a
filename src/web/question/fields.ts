import {parseBytes, parseCount, parseNumber, parseShare} from '../../cli/quantities.ts'
import {InputError} from '../../core/input-error.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import {stateFormatOf, weightsOf} from '../../engines/words.ts'
import {GRAPH_MODES, LIMITS, LINKS, OBJECTIVES, parseSpeculation, PREFERENCES} from '../../planner/scenario/index.ts'

/** What a form, a link and a command line have in common: values as typed, by the name of the flag. */
export type Words = Readonly<Record<string, string>>

/** A switch that is on. */
export const ON = 'yes'

/** One flag of a question: where its value stands in a scenario, and how it is read. */
export interface Field {
  flag: string
  /** Other names of the same flag, which advice uses. */
  aliases?: readonly string[]
  /** Path in the scenario; absent: it belongs to the question of one view alone. */
  path?: readonly string[]
  /** Its presence says all. */
  isSwitch?: boolean
  parse(text: string): unknown
}

type Range = {min: number; max: number}

const text = (flag: string, ...path: string[]): Field => ({flag, path, parse: (value) => value})
const count = (flag: string, range: Range, path: string[], aliases: string[] = []): Field => ({
  flag,
  aliases,
  path,
  parse: (value) => parseCount(value, flag, range),
})
const number = (flag: string, range: Range, path: string[]): Field => ({flag, path, parse: (value) => parseNumber(value, flag, range)})
const bytes = (flag: string, path: string[]): Field => ({flag, path, parse: (value) => parseBytes(value, flag, LIMITS.bytes)})
const onOff = (flag: string, path: string[], on: unknown = true): Field => ({flag, path, isSwitch: true, parse: () => on})
const oneOf = (flag: string, choices: readonly string[], path?: string[]): Field => ({
  flag,
  ...(path && {path}),
  parse(value) {
    if (choices.includes(value)) return value
    throw new InputError('CHOICE_UNKNOWN', `--${flag} ${quotedShort(value)}: expected ${choices.join(', ')}`, {suggestions: nearest(value, choices)})
  },
})

const milliseconds: Range = {min: 0.001, max: 1e9}

/** Every flag of a question that stands on the page or comes with a link, in the order of the command's help. */
export const FIELDS: readonly Field[] = [
  text('model', 'model'),
  text('gpu', 'gpu'),
  text('machine', 'machine'),
  count('nodes', LIMITS.nodes, ['nodes']),
  oneOf('link', LINKS, ['link']),
  count('input-tokens', LIMITS.tokens, ['workload', 'inputTokens'], ['input']),
  count('output-tokens', LIMITS.tokens, ['workload', 'outputTokens'], ['output']),
  {
    flag: 'concurrency',
    aliases: ['users'],
    path: ['workload', 'concurrency'],
    parse: (value) => (value === 'max' ? 'max' : parseCount(value, 'users', LIMITS.concurrency)),
  },
  number('request-rate', LIMITS.requestRate, ['workload', 'requestRate']),
  number('prefix-hit-rate', {min: 0, max: 1}, ['workload', 'prefixHitRate']),
  number('slo-ttft-ms', milliseconds, ['slo', 'ttftMs']),
  number('slo-tpot-ms', milliseconds, ['slo', 'tpotMs']),
  number('slo-e2e-ms', milliseconds, ['slo', 'endToEndMs']),
  number('slo-percentile', {min: 1, max: 99.9}, ['slo', 'percentile']),
  oneOf('objective', OBJECTIVES),
  oneOf('prefer', PREFERENCES, ['prefer']),
  text('engine', 'engine'),
  text('engine-version', 'engineVersion'),
  {flag: 'weights', path: ['weights'], parse: weightsOf},
  text('kv-cache', 'kvCache'),
  count('tp', LIMITS.parallel, ['tp']),
  count('pp', LIMITS.parallel, ['pp']),
  count('dp', LIMITS.parallel, ['dp']),
  count('ep', LIMITS.parallel, ['ep']),
  onOff('dp-attention', ['dpAttention']),
  count('max-model-len', LIMITS.tokens, ['maxModelLen'], ['context']),
  count('max-num-seqs', LIMITS.sequences, ['maxNumSeqs']),
  count('max-num-batched-tokens', LIMITS.tokens, ['maxNumBatchedTokens']),
  number('gpu-memory-utilization', LIMITS.fraction, ['gpuMemoryUtilization']),
  onOff('enforce-eager', ['enforceEager']),
  {flag: 'speculative', path: ['speculative'], parse: parseSpeculation},
  text('draft', 'speculative', 'draft'),
  number('acceptance', LIMITS.acceptance, ['acceptance']),
  count('lora', LIMITS.loraCount, ['lora', 'count']),
  count('lora-rank', LIMITS.loraRank, ['lora', 'maxRank']),
  bytes('cpu-offload-bytes', ['cpuOffloadBytes']),
  bytes('reserved-bytes-per-gpu', ['reservedBytesPerGpu']),
  onOff('language-model-only', ['multimodal', 'languageOnly']),
  count('decode-context-parallel', LIMITS.parallel, ['decodeContextParallel']),
  count('graph-max-batch', LIMITS.sequences, ['graphs', 'maxBatch']),
  oneOf('graph-mode', GRAPH_MODES, ['graphs', 'mode']),
  onOff('prefix-caching', ['prefixCaching']),
  onOff('disable-radix-cache', ['prefixCaching'], false),
  count('block-tokens', {min: 1, max: 1_000_000}, ['blockTokens']),
  bytes('kv-cache-bytes', ['kvCacheBytes']),
  count('kv-cache-tokens', LIMITS.tokens, ['kvCacheTokens']),
  count('kv-cache-blocks', LIMITS.tokens, ['kvCacheBlocks']),
  number('window-pool-ratio', LIMITS.ratio, ['windowPoolRatio']),
  number('state-pool-ratio', LIMITS.ratio, ['statePoolRatio']),
  count('state-slots', LIMITS.sequences, ['stateSlots']),
  {flag: 'state-format', path: ['stateFormat'], parse: stateFormatOf},
  oneOf('runner', ['generate', 'pooling'], ['runner']),
  count('max-queued-requests', LIMITS.queue, ['admission', 'maxQueuedRequests']),
  count('max-queued-tokens', LIMITS.queue, ['admission', 'maxQueuedTokens']),
  count('scheduler-steps', LIMITS.schedulerSteps, ['admission', 'everySteps']),
  count('batch-wait-steps', LIMITS.schedulerSteps, ['admission', 'waitSteps']),
  number('think-seconds', {min: 0, max: 86_400}, []),
  text('growth'),
  text('price'),
  oneOf('slo', ['none', 'interactive'], []),
  count('spare', {min: 0, max: 1000}, []),
  {flag: 'max-utilisation', path: [], parse: (value) => parseShare(value, 'max-utilisation', {min: 0.05, max: 1})},
  text('words'),
  text('beside'),
  count('limit', {min: 0, max: 1_000_000}, []),
]

/** Flags that not every command has; they stay with the page when a command is taken over that lacks them. */
export const OF_SOME: ReadonlySet<string> = new Set([
  'objective',
  'think-seconds',
  'growth',
  'price',
  'slo',
  'spare',
  'max-utilisation',
  'beside',
  'words',
  'limit',
])

const BY_NAME = new Map(FIELDS.flatMap((field) => [field.flag, ...(field.aliases ?? [])].map((name) => [name, field] as const)))

/** The field that a flag of this name sets. */
export const fieldOf = (name: string): Field | undefined => BY_NAME.get(name)
