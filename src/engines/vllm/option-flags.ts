import type {Deployment} from '../../core/deployment.ts'
import type {FlagList} from '../launch/flag-list.ts'
import {counted, gib} from '../launch/numbers.ts'
import {isAtLeast} from '../versions.ts'
import {dictionary} from '../../core/dictionary.ts'

/** How vLLM spells a format of recurrent states (config/cache.py MambaDType). */
const STATE_VALUES: Record<string, string> = dictionary({fp32: 'float32', bf16: 'bfloat16', fp16: 'float16'})
/** How it spells the modes of graphs (config/compilation.py CUDAGraphMode). */
const graphMode = (mode: string): string => mode.toUpperCase().replaceAll('-', '_')
/** First release with `--max-cudagraph-capture-size`; before, `--cuda-graph-sizes` with one number is the limit. */
const GRAPH_LIMIT_SINCE = '0.11.1'

/** Flags of settings that nobody has to choose. */
export function addOptionFlags(list: FlagList, deployment: Deployment): void {
  const {multimodal, decodeContextParallel = 1, prefixCaching, blockTokens, kvCacheBytes, kvCacheBlocks, stateFormat, runner, admission} = deployment
  list.addIf(multimodal?.languageOnly === true, '--language-model-only', true, 'images and sounds are not taken: their towers are not loaded')
  if (multimodal?.limits) list.add('--limit-mm-per-prompt', JSON.stringify(multimodal.limits), 'most images or sounds in one prompt')
  list.addIf(
    decodeContextParallel > 1,
    '--decode-context-parallel-size',
    decodeContextParallel,
    `the tokens of a sequence are shared by ${decodeContextParallel} ranks`,
  )
  addGraphs(list, deployment)
  if (prefixCaching !== undefined)
    list.add(
      prefixCaching ? '--enable-prefix-caching' : '--no-enable-prefix-caching',
      true,
      prefixCaching ? 'prompts that begin alike share their cache' : 'no cache is kept for prompts that begin alike',
    )
  if (blockTokens !== undefined) list.add('--block-size', blockTokens, `blocks of ${blockTokens} tokens`)
  if (kvCacheBytes !== undefined) list.add('--kv-cache-memory-bytes', kvCacheBytes, `${gib(kvCacheBytes)} of cache on each GPU, whatever the share of memory`)
  if (kvCacheBlocks !== undefined) list.add('--num-gpu-blocks-override', kvCacheBlocks, `${counted(kvCacheBlocks)} blocks of cache, whatever the memory`)
  if (stateFormat !== undefined) list.add('--mamba-ssm-cache-dtype', STATE_VALUES[stateFormat] ?? stateFormat, `recurrent states are kept as ${stateFormat}`)
  list.addIf(runner === 'pooling', '--runner', 'pooling', 'vectors instead of answers')
  if (admission?.maxQueuedRequests !== undefined) list.add('--max-num-queued-reqs', admission.maxQueuedRequests, 'more requests than these are turned away')
  if (admission?.maxQueuedTokens !== undefined) list.add('--max-num-queued-tokens', admission.maxQueuedTokens, 'prompts beyond these tokens are turned away')
}

function addGraphs(list: FlagList, {graphs, engineVersion}: Deployment): void {
  if (!graphs) return
  if (graphs.maxBatch !== undefined)
    list.add(
      isAtLeast(engineVersion, GRAPH_LIMIT_SINCE) ? '--max-cudagraph-capture-size' : '--cuda-graph-sizes',
      graphs.maxBatch,
      'the largest batch with a CUDA graph',
    )
  const config = {
    ...(graphs.mode !== undefined && {cudagraph_mode: graphMode(graphs.mode)}),
    ...(graphs.sizes && {cudagraph_capture_sizes: graphs.sizes}),
  }
  if (Object.keys(config).length > 0) list.add('--compilation-config', JSON.stringify(config), 'batches with a CUDA graph')
}
