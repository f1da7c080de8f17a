/** What the options of `vllm serve` mean. */
import {speculationFrom} from '../../words.ts'
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
import {beside, count, counted, flagOf, gibibytes, ignored, mappingOf, type Meaning, type Reading, share, textOf, wholeNumber, wrong} from './reading.ts'
import {dictionary} from '../../../core/dictionary.ts'

const hasAdapters = (words: Reading['words']): boolean => words.get('--enable-lora') === true

const modelLength: Meaning = (value, reading) => {
  if (/^(?:auto|-1)$/i.test(textOf(value) ?? '')) return counted('as long as the memory allows')
  return count('maxModelLen')(value, reading)
}

const prefixCaching: Meaning = (value, {request}) => {
  request.prefixCaching = value === true
  return counted(`prefixCaching ${request.prefixCaching}`)
}

/** `--compilation-config`: what it says of graphs is counted, the rest is not. */
const compilation: Meaning = (value, reading) => {
  const config = mappingOf(value)
  if (!config) return ignored('compilation of the model is not modelled', true)
  const done: string[] = []
  const {cudagraph_capture_sizes: sizes, max_cudagraph_capture_size: most, cudagraph_mode: mode} = config
  if (Array.isArray(sizes) && sizes.length > 0 && sizes.every((size) => Number.isInteger(size) && (size as number) > 0))
    done.push(sizesMeaning(sizes.map(String), reading).because)
  if (Number.isInteger(most)) done.push(graphLimitMeaning(String(most), reading).because)
  if (typeof mode === 'string') {
    reading.request.graphs = {...reading.request.graphs, mode: mode.toLowerCase().replaceAll('_', '-')}
    done.push(`graphs ${mode}`)
  }
  const rest = Object.keys(config).filter((key) => !['cudagraph_capture_sizes', 'max_cudagraph_capture_size', 'cudagraph_mode'].includes(key))
  const not = rest.length > 0 ? `not counted: ${rest.slice(0, 4).join(', ')}` : ''
  if (done.length === 0) return ignored(not === '' ? 'it sets nothing' : not, rest.length > 0)
  return counted([...done, ...(not === '' ? [] : [not])].join('; '))
}

/** One number is the largest size, several are the sizes (vllm/engine/arg_utils.py, 0.9.0 to 0.12.0). */
const oldGraphSizes: Meaning = (value, reading) => {
  const words = Array.isArray(value) ? value : [String(value)]
  return words.length === 1 ? graphLimitMeaning(words[0]!, reading) : sizesMeaning(words, reading)
}

/** Tasks of pooling before runners came (vllm/config/__init__.py TaskOption, 0.10.0). */
const task: Meaning = (value, reading) =>
  /^(?:embed|embedding|classify|score|reward|encode)$/.test(textOf(value) ?? '') ? poolingMeaning(true, reading) : ignored('as by default')

const runner: Meaning = (value, reading) => {
  const name = textOf(value)
  if (name === 'pooling') return poolingMeaning(true, reading)
  return name === 'draft' ? ignored('not modelled', true) : ignored('as by default')
}

const cacheBytes: Meaning = (value, {request}) => {
  const bytes = wholeNumber(value, true)
  if (bytes === undefined || bytes < 1) return wrong('expects bytes')
  request.kvCacheBytes = bytes
  return counted(`kvCacheBytes ${bytes}`)
}

const speculation: Meaning = (value, {request}) => {
  const config = mappingOf(value)
  if (!config) return wrong('expects JSON such as {"method": "mtp", "num_speculative_tokens": 1}')
  request.speculative = speculationFrom(config)
  return counted(`drafts by ${request.speculative.method}, ${request.speculative.tokens} a step`)
}

const mambaMode: Meaning = (value) =>
  textOf(value) === 'all' ? ignored('states at every block are not modelled', true) : ignored('as prefix caching has it by default')

export const VLLM_MEANINGS: Record<string, Meaning> = dictionary({
  '--tensor-parallel-size': count('tp'),
  '--pipeline-parallel-size': count('pp'),
  '--data-parallel-size': count('dp'),
  '--enable-expert-parallel': (value) => (value === true ? counted('experts stay whole') : ignored('as by default')),
  '--decode-context-parallel-size': count('decodeContextParallel'),
  '--nnodes': count('nodes'),
  '--max-model-len': modelLength,
  '--max-num-seqs': count('maxNumSeqs'),
  '--max-num-batched-tokens': count('maxNumBatchedTokens'),
  '--gpu-memory-utilization': share('gpuMemoryUtilization'),
  '--kv-cache-dtype': cacheFormatMeaning,
  '--enforce-eager': flagOf('enforceEager'),
  '--cpu-offload-gb': gibibytes('cpuOffloadBytes'),
  '--speculative-config': speculation,
  '--spec-method': beside('speculation'),
  '--spec-model': beside('speculation'),
  '--spec-tokens': beside('speculation'),
  '--enable-prefix-caching': prefixCaching,
  '--language-model-only': languageOnlyMeaning,
  '--limit-mm-per-prompt': limitsMeaning,
  '--skip-mm-profiling': (value) => ignored(value === true ? 'the trial run is modelled without images' : 'as by default'),
  '--mm-processor-kwargs': () => ignored('the largest image of the trial run follows from its pixels'),
  '--cudagraph-capture-sizes': sizesMeaning,
  '--max-cudagraph-capture-size': graphLimitMeaning,
  '--cuda-graph-sizes': oldGraphSizes,
  '--compilation-config': compilation,
  '--kv-cache-memory-bytes': cacheBytes,
  '--num-gpu-blocks-override': count('kvCacheBlocks'),
  '--block-size': count('blockTokens'),
  '--mamba-ssm-cache-dtype': stateFormatMeaning,
  '--mamba-cache-mode': mambaMode,
  '--enable-lora': (value) => (value === true ? counted('adapters') : ignored('as by default')),
  '--max-loras': adapterMeaning(hasAdapters),
  '--max-lora-rank': adapterMeaning(hasAdapters),
  '--lora-target-modules': adapterMeaning(hasAdapters),
  '--runner': runner,
  '--convert': (value, reading) => (/^(?:embed|classify|reward)$/.test(textOf(value) ?? '') ? poolingMeaning(true, reading) : ignored('as by default')),
  '--task': task,
  '--quantization': quantizationMeaning,
  '--dtype': dtypeMeaning,
  '--max-num-queued-reqs': queueMeaning('maxQueuedRequests'),
  '--max-num-queued-tokens': queueMeaning('maxQueuedTokens'),
  '--hf-overrides': overridesMeaning,
  '--rope-scaling': overridesMeaning,
  '--enable-chunked-prefill': (value) => (value === false ? ignored('prompts processed at once are not modelled', true) : ignored('as by default')),
})

/** What words mean together. */
export function finishVllm(reading: Reading): void {
  const {request, words} = reading
  const {tp = 1, dp = 1} = request
  if (words.get('--enable-expert-parallel') === true) request.ep = tp * dp
  const [method, model, tokens] = ['--spec-method', '--spec-model', '--spec-tokens'].map((name) => textOf(words.get(name)))
  if (method !== undefined || model !== undefined)
    request.speculative = speculationFrom({
      ...(method !== undefined && {method}),
      ...(model !== undefined && {model}),
      ...(tokens !== undefined && {num_speculative_tokens: Number(tokens)}),
    })
  // LoRAConfig, vllm/config/lora.py, 0.28.0.
  finishAdapters(reading, {count: 1, maxRank: 16}, {on: '--enable-lora', count: '--max-loras', rank: '--max-lora-rank', targets: '--lora-target-modules'})
}
