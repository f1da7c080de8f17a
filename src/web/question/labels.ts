import {dictionary} from '../../core/dictionary.ts'
import {fieldOf} from './fields.ts'
import {shellWords} from './scenario.ts'

/** What each field is called on the page, and in advice that can be pressed there. */
const LABELS: Readonly<Record<string, string>> = dictionary({
  model: 'Model or repository',
  words: 'Words that it must match',
  gpu: 'Card',
  machine: 'Machine of the list',
  nodes: 'Such machines together',
  link: 'Joined by',
  'input-tokens': 'Tokens of a prompt',
  'output-tokens': 'Tokens of an answer',
  concurrency: 'Users at once',
  'request-rate': 'or requests per second',
  'prefix-hit-rate': 'Cached share of it',
  'think-seconds': 'Pause of a user, s',
  growth: 'Growth',
  price: 'Price of a machine',
  slo: 'Where none is given',
  beside: 'Compare it with',
  spare: 'Spare machines',
  'max-utilisation': 'Highest utilisation',
  'slo-ttft-ms': 'First token within, ms',
  'slo-tpot-ms': 'Each further token, ms',
  'slo-e2e-ms': 'Whole answer, ms',
  'slo-percentile': 'Met by this many in 100',
  objective: 'Best in',
  engine: 'Engine',
  'engine-version': 'Release',
  weights: 'Weights',
  'kv-cache': 'KV cache',
  'max-model-len': 'Context, tokens',
  prefer: 'Choose the build for',
  tp: 'Tensor parallel',
  pp: 'Pipeline parallel',
  dp: 'Data parallel',
  ep: 'Expert parallel',
  'decode-context-parallel': 'Decode context parallel',
  'dp-attention': 'Data-parallel attention',
  speculative: 'Method',
  draft: 'Draft repository',
  acceptance: 'Acceptance',
  'max-num-seqs': 'Most requests in a step',
  'max-num-batched-tokens': 'Most tokens in a step',
  'gpu-memory-utilization': 'Share of memory',
  'kv-cache-bytes': 'Cache of each GPU',
  'kv-cache-tokens': 'Most tokens in the cache',
  'kv-cache-blocks': 'Blocks of the cache',
  'block-tokens': 'Tokens of a block',
  'cpu-offload-bytes': 'Weights in host memory',
  'reserved-bytes-per-gpu': 'Taken by others',
  'graph-max-batch': 'Largest batch with a graph',
  'graph-mode': 'CUDA graphs',
  lora: 'LoRA adapters at once',
  'lora-rank': 'Largest rank',
  'max-queued-requests': 'Requests that may wait',
  'max-queued-tokens': 'Prompt tokens that may wait',
  'window-pool-ratio': 'Window pool (SGLang)',
  'state-pool-ratio': 'State pool (SGLang)',
  'state-slots': 'State slots (SGLang)',
  'state-format': 'Recurrent state',
  'scheduler-steps': 'Steps between looks (SGLang)',
  'batch-wait-steps': 'Steps a request waits (TRT-LLM)',
  'enforce-eager': 'No CUDA graphs',
  'prefix-caching': 'Prefix caching on',
  'disable-radix-cache': 'Prefix caching off',
  'language-model-only': 'No images or sounds',
})

/** Of a field that stands alone, out of the group that explains it. */
const ALONE: Readonly<Record<string, string>> = dictionary({
  slo: 'Limits',
  'request-rate': 'Requests per second',
  speculative: 'Drafts',
  'max-model-len': 'Context',
  'slo-ttft-ms': 'First token within ms',
  'slo-tpot-ms': 'Each further token within ms',
  'slo-e2e-ms': 'Whole answer within ms',
  prefer: 'Build for',
  gpu: 'Cards',
  objective: 'Best in',
  'lora-rank': 'LoRA rank',
  acceptance: 'Acceptance of drafts',
})

export const labelOf = (flag: string): string => LABELS[flag] ?? flag

/** `--tp 4 --kv-cache fp8` as the page's fields are called: `Tensor parallel: 4, KV cache: fp8`. What is no field stays as it is. */
export function flagsInLabels(flags: string): string {
  const [, own = '', rest = ''] = /^(.*?)( without .*)?$/s.exec(flags) ?? []
  const parts = shellWords(own)
  const said: string[] = []
  for (let at = 0; at < parts.length; at++) {
    const field = /^--/.test(parts[at]!) ? fieldOf(parts[at]!.slice(2)) : undefined
    if (!field) return flags
    const name = ALONE[field.flag] ?? labelOf(field.flag)
    if (field.isSwitch) said.push(name)
    else said.push(`${name}: ${parts[++at] ?? ''}`)
  }
  return `${said.join(', ')}${rest}`
}
