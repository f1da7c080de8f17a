import type {Deployment} from '../../core/deployment.ts'
import type {FlagList} from '../launch/flag-list.ts'
import {counted} from '../launch/numbers.ts'
import {isAtLeast} from '../versions.ts'
import {dictionary} from '../../core/dictionary.ts'

const STATE_VALUES: Record<string, string> = dictionary({fp32: 'float32', bf16: 'bfloat16', fp16: 'float16'})
/** First release that sets the graphs of decoding and of prefill apart; the older spelling is deprecated from it on. */
const PHASES_SINCE = '0.5.14'

/** Flags of settings that nobody has to choose. */
export function addOptionFlags(list: FlagList, deployment: Deployment): void {
  const {engineVersion, multimodal, decodeContextParallel = 1, graphs, prefixCaching, blockTokens, kvCacheTokens, admission} = deployment
  list.addIf(multimodal?.languageOnly === true, '--language-model-only', true, 'images and sounds are not taken: their towers are not loaded')
  if (multimodal?.limits) list.add('--limit-mm-data-per-request', JSON.stringify(multimodal.limits), 'most images or sounds in one request')
  list.addIf(decodeContextParallel > 1, '--dcp-size', decodeContextParallel, `the tokens of a sequence are shared by ${decodeContextParallel} ranks`)
  const phase = isAtLeast(engineVersion, PHASES_SINCE) ? '-decode' : ''
  if (graphs?.maxBatch !== undefined) list.add(`--cuda-graph-max-bs${phase}`, graphs.maxBatch, 'the largest batch with a CUDA graph')
  if (graphs?.sizes) list.add(`--cuda-graph-bs${phase}`, graphs.sizes.map(String), 'batches with a CUDA graph')
  list.addIf(prefixCaching === false, '--disable-radix-cache', true, 'no cache is kept for prompts that begin alike')
  if (blockTokens !== undefined) list.add('--page-size', blockTokens, `pages of ${blockTokens} tokens`)
  if (kvCacheTokens !== undefined) list.add('--max-total-tokens', kvCacheTokens, `at most ${counted(kvCacheTokens)} tokens in the cache`)
  addStates(list, deployment)
  list.addIf(deployment.runner === 'pooling', '--is-embedding', true, 'vectors instead of answers')
  if (admission?.maxQueuedRequests !== undefined) list.add('--max-queued-requests', admission.maxQueuedRequests, 'more waiting requests are turned away')
  if (admission?.everySteps !== undefined)
    list.add('--scheduler-recv-interval', admission.everySteps, 'decode steps from one look for new requests to the next')
}

function addStates(list: FlagList, {windowPoolRatio, statePoolRatio, stateSlots, stateFormat}: Deployment): void {
  if (windowPoolRatio !== undefined) list.add('--swa-full-tokens-ratio', windowPoolRatio, 'tokens of the window pool to those of the full pool; 0.8 by default')
  if (statePoolRatio !== undefined) list.add('--mamba-full-memory-ratio', statePoolRatio, 'memory of states to that of the cache; 0.9 by default')
  if (stateSlots !== undefined) list.add('--max-mamba-cache-size', stateSlots, `${counted(stateSlots)} recurrent states are kept`)
  if (stateFormat !== undefined) list.add('--mamba-ssm-dtype', STATE_VALUES[stateFormat] ?? stateFormat, `recurrent states are kept as ${stateFormat}`)
}
