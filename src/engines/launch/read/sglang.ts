/** What the options of SGLang's server mean. */
import {SGLANG_USUAL_TARGETS} from '../../lora.ts'
import {isAtLeast} from '../../versions.ts'
import {
  adapterMeaning,
  cacheFormatMeaning,
  dtypeMeaning,
  finishAdapters,
  graphLimitMeaning,
  languageOnlyMeaning,
  limitsMeaning,
  overridesMeaning,
  poolingMeaning,
  quantizationMeaning,
  queueMeaning,
  sizesMeaning,
  stateFormatMeaning,
} from './common.ts'
import {beside, count, counted, flagOf, gibibytes, ignored, type Meaning, ratio, type Reading, share, textOf, wholeNumber} from './reading.ts'
import {dictionary} from '../../../core/dictionary.ts'

const hasAdapters = (words: Reading['words']): boolean => words.get('--enable-lora') === true || words.has('--lora-paths')

const chunk: Meaning = (value, reading) =>
  (wholeNumber(value, false) ?? 0) < 1 ? ignored('prompts processed at once are not modelled', true) : count('maxNumBatchedTokens')(value, reading)

/** `--cuda-graph-backend-decode disabled`: both phases together are no graphs at all. */
const backend: Meaning = (value) =>
  textOf(value) === 'disabled' ? counted('no graphs in this phase') : ignored("choice of kernels: speeds are those of the engine's own choice", true)

const speculation = beside('speculation')

export const SGLANG_MEANINGS: Record<string, Meaning> = dictionary({
  '--tp-size': count('tp'),
  '--pp-size': count('pp'),
  '--dp-size': count('dp'),
  '--ep-size': count('ep'),
  '--enable-ep-moe': (_value, {request}) => {
    request.ep = request.tp ?? 1
    return counted('experts stay whole')
  },
  '--enable-dp-attention': flagOf('dpAttention'),
  '--attn-dp-size': (value, reading) => {
    const ranks = wholeNumber(value, false) ?? 1
    if (ranks <= 1) return counted('as by default')
    reading.request.dpAttention = true
    return count('dp')(value, reading)
  },
  '--dcp-size': count('decodeContextParallel'),
  '--nnodes': count('nodes'),
  '--context-length': count('maxModelLen'),
  '--max-running-requests': count('maxNumSeqs'),
  '--chunked-prefill-size': chunk,
  '--mem-fraction-static': share('gpuMemoryUtilization'),
  '--kv-cache-dtype': cacheFormatMeaning,
  '--disable-cuda-graph': flagOf('enforceEager'),
  '--cuda-graph-backend-decode': backend,
  '--cuda-graph-backend-prefill': backend,
  '--disable-decode-cuda-graph': beside('no graphs in this phase'),
  '--disable-prefill-cuda-graph': beside('no graphs in this phase'),
  '--cuda-graph-max-bs': graphLimitMeaning,
  '--cuda-graph-max-bs-decode': graphLimitMeaning,
  '--cuda-graph-bs': sizesMeaning,
  '--cuda-graph-bs-decode': sizesMeaning,
  '--cpu-offload-gb': gibibytes('cpuOffloadBytes'),
  '--speculative-algorithm': speculation,
  '--speculative-draft-model-path': speculation,
  '--speculative-num-steps': speculation,
  '--speculative-num-draft-tokens': speculation,
  '--speculative-eagle-topk': (value) => (textOf(value) === '1' ? counted('drafts in a chain') : ignored('draft trees are modelled as chains', true)),
  '--speculative-dflash-block-size': speculation,
  '--speculative-dspark-block-size': speculation,
  '--disable-radix-cache': (value, {request}) => {
    request.prefixCaching = value !== true
    return counted(`prefixCaching ${request.prefixCaching}`)
  },
  '--swa-full-tokens-ratio': ratio('windowPoolRatio'),
  '--mamba-full-memory-ratio': ratio('statePoolRatio'),
  '--max-mamba-cache-size': count('stateSlots'),
  '--mamba-ssm-dtype': stateFormatMeaning,
  '--language-model-only': languageOnlyMeaning,
  '--limit-mm-data-per-request': limitsMeaning,
  '--max-queued-requests': queueMeaning('maxQueuedRequests'),
  '--scheduler-recv-interval': queueMeaning('everySteps'),
  '--max-total-tokens': count('kvCacheTokens'),
  '--page-size': count('blockTokens'),
  '--quantization': quantizationMeaning,
  '--dtype': dtypeMeaning,
  '--is-embedding': poolingMeaning,
  '--enable-lora': (value) => (value === false ? ignored('as by default') : counted('adapters')),
  '--lora-paths': beside('adapters'),
  '--max-loras-per-batch': adapterMeaning(hasAdapters),
  '--max-lora-rank': adapterMeaning(hasAdapters),
  '--lora-target-modules': adapterMeaning(hasAdapters),
  '--json-model-override-args': overridesMeaning,
})

/** SGLang's algorithms as methods: the inverse of sglangAlgorithm. EAGLE without a draft runs the model's own layers. */
function methodOf(algorithm: string, draft: string | undefined): string {
  const name = algorithm.toUpperCase()
  if (name === 'NEXTN' || (name === 'EAGLE' && draft === undefined)) return 'mtp'
  if (name === 'STANDALONE') return 'draft_model'
  return name.toLowerCase()
}

/** What is asked of the whole server is one rank's share in a scenario, where attention is data-parallel. */
function dealOut(request: Reading['request']): void {
  const {dp = 1, dpAttention, maxNumSeqs, maxNumBatchedTokens} = request
  if (!dpAttention || dp <= 1) return
  if (maxNumSeqs !== undefined) request.maxNumSeqs = Math.max(1, Math.floor(maxNumSeqs / dp))
  if (maxNumBatchedTokens !== undefined) request.maxNumBatchedTokens = Math.max(1, Math.floor(maxNumBatchedTokens / dp))
}

/** What words mean together. */
export function finishSglang(reading: Reading, version: string): void {
  const {request, words} = reading
  dealOut(request)
  const off = (phase: string) => textOf(words.get(`--cuda-graph-backend-${phase}`)) === 'disabled' || words.get(`--disable-${phase}-cuda-graph`) === true
  // Before prefill had graphs there was one phase.
  if (off('decode') && (off('prefill') || !isAtLeast(version, '0.5.10'))) request.enforceEager = true
  const algorithm = textOf(words.get('--speculative-algorithm'))
  if (algorithm !== undefined) {
    const draft = textOf(words.get('--speculative-draft-model-path'))
    const number = (name: string) => wholeNumber(words.get(name) ?? false, false)
    const method = methodOf(algorithm, draft)
    const block = number('--speculative-dflash-block-size') ?? number('--speculative-dspark-block-size')
    const drafted = number('--speculative-num-draft-tokens') ?? block
    const inBlocks = method === 'dflash' || method === 'dspark'
    const tokens = method === 'ngram' ? drafted : inBlocks ? drafted && drafted - 1 : (number('--speculative-num-steps') ?? (drafted && drafted - 1))
    request.speculative = {method, tokens: Math.max(1, tokens ?? 1), ...(draft !== undefined && {draft})}
  }
  // server_args.py, 0.5.18: 8 adapters in a batch. Ranks come from the adapters' own files, which are not read here.
  const names = {on: '--enable-lora', count: '--max-loras-per-batch', rank: '--max-lora-rank', targets: '--lora-target-modules'}
  if (words.has('--lora-paths') && words.get('--enable-lora') !== false) words.set('--enable-lora', true)
  finishAdapters(reading, {count: 8, maxRank: 16, targets: SGLANG_USUAL_TARGETS}, names)
}
