/** Batch lines that nobody meant well: a legal scenario with fields replaced, added, or broken as text. */
import type {Random} from '../../core/simulator/random.ts'
import {chance, pick, whole} from './assault.ts'
import {ESCAPES, LOOKED_UP, NASTY} from './hostile.ts'

const NUMBERS = [0, -1, 1, 0.5, -0.5, 2 ** 31, 2 ** 53, 1e15, 1e308, -1e308, 5e-324, 1.5]
const OTHERS = [null, true, false, [], {}, [[]], '', ' ', '\u0000', '\uD800']

/** No longer than a line may be, and longer than any name. */
const LONG_CHARACTERS = 100_000

function word(random: Random): string {
  const long = () => pick(random, ['a', '-', '9', '/', 'x', ' ', '\u202E']).repeat(whole(random, 1, LONG_CHARACTERS))
  return pick(random, [
    () => pick(random, LOOKED_UP),
    () => pick(random, NASTY),
    () => ESCAPES,
    long,
    () => `1x${pick(random, LOOKED_UP)}`,
    () => `${long()}/${long()}`,
  ])()
}

function value(random: Random, depth = 0): unknown {
  const kind = random.uniform()
  if (kind < 0.35) return pick(random, NUMBERS)
  if (kind < 0.65) return word(random)
  if (kind < 0.85 || depth > 2) return pick(random, OTHERS)
  if (kind < 0.92) return Array.from({length: whole(random, 0, 4)}, () => value(random, depth + 1))
  return Object.fromEntries(
    Array.from({length: whole(random, 0, 4)}, () => [chance(random, 0.5) ? pick(random, LOOKED_UP) : 'count', value(random, depth + 1)]),
  )
}

/** Texts that mean something in their field, close to what is legal. */
const CLOSE: Record<string, readonly unknown[]> = {
  gpu: [
    '0xh100-sxm',
    '-1xh100-sxm',
    '9999999999xh100-sxm',
    '1xh100-sxm:constructor',
    '1xh100-sxm:memory=1e999GiB',
    '1xx:memory=1B,bandwidth=1B/s',
    '1xh100-sxm,1xrtx-4090',
    '1xa100-80gb-sxm:2g.20gb',
    'xxh100',
    '1,1,1',
    '1xh100-sxm:99gb',
    '4096xh100-sxm',
    '2xcpu:memory=512GiB,bandwidth=400GB/s,vendor=cpu',
  ],
  nodes: [0, 1024, 1025, 1e9],
  engine: ['vllm', 'VLLM', 'constructor', 'trtllm', '__proto__'],
  engineVersion: ['0', '999.0', '0.10', 'v0.11.0', '1e9', '0.28.0; id', '-1', '0.0.0rc1'],
  weights: ['bf16', 'q4_k_m', 'nvfp4', 'native', 'constructor', 'fp8-block'],
  kvCache: ['nvfp4', 'fp8', 'toString', 'auto'],
  speculative: ['mtp:64', 'mtp:0', 'eagle3:1', 'constructor:1', {method: 'ngram', tokens: 1e9}, {method: '__proto__', tokens: 1}],
  workload: [
    {inputTokens: 1e9, outputTokens: 1e9, concurrency: 1e9},
    {inputTokens: 1, outputTokens: 1, concurrency: 'max'},
    {inputTokens: 1, outputTokens: 1, requestRate: 1e-300},
    {inputTokens: 1e6, outputTokens: 1, concurrency: 1e6, prefixHitRate: 1},
    {inputTokens: 1000, outputTokens: 1000, requestRate: 1e9, prefixHitRate: 0.999999999},
  ],
  slo: [{ttftMs: 1e-300}, {tpotMs: 1e300}, {ttftMs: 1, percentile: 99.999}, {e2eMs: 0.001}],
  lora: [
    {count: 1e6, maxRank: 1e6},
    {count: 0, maxRank: 0},
  ],
  maxModelLen: [1, 16, 1e9, 2 ** 53],
  maxNumSeqs: [1, 1e9],
  maxNumBatchedTokens: [1, 1e9],
  gpuMemoryUtilization: [0, 1, 1e-9, 0.999999999],
  reservedBytesPerGpu: [0, 1, 2 ** 60],
  cpuOffloadBytes: [1, 2 ** 60],
  kvCacheBytes: [1, 2 ** 60],
  windowPoolRatio: [0, 1, 1e-9],
  stateSlots: [0, 1, 1e9],
  graphs: [{maxBatch: 1e9}, {sizes: [1, 2, 1e9]}, {mode: 'constructor'}],
  multimodal: [{languageOnly: true}, {limits: {image: 1e9}}, {limits: {constructor: 1}}],
  admission: [{maxQueuedRequests: 0}, {maxQueuedTokens: 1e15}],
  disaggregated: [
    {prefill: {replicas: 1, tp: 1}, decode: {replicas: 1, tp: 1}},
    {prefill: {replicas: 1e9}, decode: {replicas: 1e9}},
  ],
  decodeContextParallel: [2, 8, 1e9],
  engineFlags: [{'--max-model-len': 'x'}, {'--constructor': 1}, {'--served-model-name': ESCAPES}],
  command: [
    ['vllm', 'serve', 'Qwen/Qwen3-8B', '--max-model-len', '4096'],
    ['python3', '-m', 'sglang.launch_server', '--model-path', 'Qwen/Qwen3-8B', '--tp', '999999'],
    ['vllm', 'serve', '/dev/zero'],
    ['rm', '-rf', '/'],
    ['/dev/zero.yaml'],
    [],
  ],
  link: ['nvlink', 'pcie', 'constructor'],
  model: ['/dev/zero', '/proc/self/environ', '/etc/passwd', '', 'org/name', 'constructor', '__proto__/x', './', '..', 'qwen3-8b:Q4_K_M'],
  machine: ['/dev/zero', 'here', 'constructor', '-', '/etc/passwd', './'],
}

/** A line for `batch`, from a legal scenario. */
export function hostileLine(random: Random, scenario: object): string {
  const changed: Record<string, unknown> = {...scenario}
  const names = Object.keys(CLOSE)
  for (let left = whole(random, 1, 3); left > 0; left--) {
    const name = chance(random, 0.05) ? pick(random, LOOKED_UP) : pick(random, names)
    const close = Object.hasOwn(CLOSE, name) ? CLOSE[name]! : []
    // Not an assignment: a key that is called __proto__ is to arrive.
    Object.defineProperty(changed, name, {
      value: close.length > 0 && chance(random, 0.8) ? pick(random, close) : value(random),
      enumerable: true,
      configurable: true,
      writable: true,
    })
    if (name === 'gpu' || name === 'machine') delete changed[name === 'gpu' ? 'machine' : 'gpu']
  }
  const text = JSON.stringify(changed)
  const broken = random.uniform()
  if (broken < 0.03) return text.slice(0, whole(random, 0, text.length))
  if (broken < 0.05) return `${'['.repeat(whole(random, 1, LONG_CHARACTERS))}${text}`
  if (broken < 0.06) return text.replace(/\d+/, '1e999')
  return text
}
