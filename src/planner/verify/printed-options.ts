/** The options that an engine printed among its arguments, read by what the same options mean on its command line. */
import {type EngineOptions, givenOptions, type Speculation} from '../../core/deployment.ts'
import type {FlagTable} from '../../engines/flags.ts'
import {readCommand} from '../../engines/launch/read/read-command.ts'
import type {LogReport} from '../../verify/log-report.ts'
import type {PythonValue} from '../../verify/python-values.ts'
import {type Context, engineOf} from '../world/index.ts'
import {resolveVersion} from '../../engines/versions.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Arguments that say how memory is laid out beyond what every scenario says, by their names in the engine. */
const READ: Record<LogReport['engine'], readonly string[]> = {
  vllm: [
    'limit_mm_per_prompt',
    'language_model_only',
    'decode_context_parallel_size',
    'kv_cache_memory_bytes',
    'num_gpu_blocks_override',
    'block_size',
    'compilation_config',
    'cuda_graph_sizes',
    'cudagraph_capture_sizes',
    'max_cudagraph_capture_size',
    'enable_prefix_caching',
    'enable_lora',
    'max_loras',
    'max_lora_rank',
    'mamba_ssm_cache_dtype',
    'mamba_cache_mode',
    'runner',
    'convert',
    'task',
  ],
  sglang: [
    'max_total_tokens',
    'page_size',
    'disable_radix_cache',
    'max_mamba_cache_size',
    'mamba_full_memory_ratio',
    'mamba_ssm_dtype',
    'swa_full_tokens_ratio',
    'cuda_graph_max_bs',
    'cuda_graph_bs',
    'dcp_size',
    'enable_lora',
    'max_loras_per_batch',
    'max_lora_rank',
    'is_embedding',
    'language_model_only',
    'speculative_algorithm',
    'speculative_draft_model_path',
    'speculative_num_steps',
    'speculative_num_draft_tokens',
    'speculative_dflash_block_size',
    'speculative_dspark_block_size',
  ],
  trtllm: [],
}

/** What ServerArgs print where nobody said anything: not a choice of a person's. The lists are in sglang/srt/server_args.py, 0.5.9 to 0.5.18. */
const USUAL: Record<string, readonly PythonValue[]> = dictionary({
  page_size: [1, 64],
  mamba_full_memory_ratio: [0.9],
  swa_full_tokens_ratio: [0.8, 0.1],
  mamba_ssm_dtype: ['float32'],
  dcp_size: [1],
})

/** One argument as words of the command line; none for what is not set. */
function wordsOf(name: string, value: PythonValue): string[] {
  const flag = `--${name.replaceAll('_', '-')}`
  if (value === true) return [flag]
  if (value === false) return name.startsWith('enable_') ? [`--no-${flag.slice(2)}`] : []
  if (value === undefined || value === null || value === '') return []
  if (Array.isArray(value)) return value.length === 0 ? [] : [flag, ...value.map(String)]
  return [flag, typeof value === 'object' ? JSON.stringify(value) : String(value)]
}

/** A draft from the model's own checkpoint is none of its own; one in a folder of that machine's is known by its method alone. */
const isOwnDraft = (name: string, printed: Record<string, PythonValue>): boolean =>
  name === 'speculative_draft_model_path' && (printed[name] === printed.model_path || !/^[\w.-]+\/[\w.-]+$/.test(String(printed[name])))

export interface PrintedOptions {
  options: EngineOptions
  /** As the options of drafts say it together; absent: they say nothing. */
  speculative?: Speculation
  /** Arguments of the report's `further` that are reckoned with after all. */
  counted: Set<string>
}

/** What the printed arguments say in a scenario's words. What cannot be read is left where it was: among what is not modelled. */
export function printedOptions(context: Context, {engine: id, engineVersion, printed}: LogReport): PrintedOptions {
  const names = READ[id].filter((name) => Object.hasOwn(printed, name) && !USUAL[name]?.includes(printed[name]))
  const args = names.filter((name) => !isOwnDraft(name, printed)).flatMap((name) => wordsOf(name, printed[name]))
  if (args.length === 0) return {options: {}, counted: new Set()}
  const table = context.catalogue.file<FlagTable>(`engines/${id}-flags`)
  const {version} = resolveVersion(engineVersion, engineOf(context, id).newestVersion)
  const program = {engine: id, environment: {}, args, entry: id === 'vllm' ? 'vllm-module' : 'sglang-module', files: {}, unknown: [], around: []} as const
  const {request, flags} = readCommand({...program, args: [...program.args], unknown: [], around: []}, {table, version, unsure: true})
  const counted = flags.filter(({effect, uncounted}) => effect === 'counted' && !uncounted).map(({flag}) => flag.split('=')[0]!)
  return {options: givenOptions(request), ...(request.speculative && {speculative: request.speculative}), counted: new Set(counted)}
}
