import {InputError} from '../../core/input-error.ts'
import {mergeFields, setField} from '../../engines/launch/fields.ts'
import {isAtLeast} from '../../engines/versions.ts'
import {native} from './command.ts'
import {cannot, type Format, requireOneServer} from './format.ts'
import {assignments, commandText, programText} from './shell.ts'
import type {Startable} from './startable.ts'
import {type Line, flagWords, linesOf} from './words.ts'
import {commentLines, yamlText} from './yaml.ts'
import {dictionary} from '../../core/dictionary.ts'

/** First SGLang release with `--config`. */
const SGLANG_CONFIG_SINCE = '0.5.3'
/**
 * Options that SGLang refuses in its file: deprecated switches write to the same place, and what reads the file takes them for those
 * (sglang/srt/server_args_config_parser.py ConfigArgumentMerger at v0.5.18).
 */
const SGLANG_OUTSIDE = new Set([
  '--cuda-graph-backend-decode',
  '--cuda-graph-backend-prefill',
  '--cuda-graph-bs-decode',
  '--cuda-graph-bs-prefill',
  '--cuda-graph-max-bs-decode',
  '--cuda-graph-max-bs-prefill',
  '--cuda-graph-tc-compiler',
  '--dsa-decode-backend',
  '--dsa-prefill-backend',
  '--enable-linear-replayssm-spec',
  '--incremental-streaming-output',
  '--mamba-radix-cache-strategy',
  '--speculative-draft-window-size',
])
/** First TensorRT-LLM release whose file holds the fields that are known here. */
const TRTLLM_FIELDS_SINCE = '1.0.0rc0'

/** Options of the TensorRT-LLM command line that its file knows under another name; the rest is the same or stays outside. */
const TRTLLM_FIELDS: Record<string, string> = dictionary({
  '--tp_size': 'tensor_parallel_size',
  '--pp_size': 'pipeline_parallel_size',
  '--ep_size': 'moe_expert_parallel_size',
  '--max_seq_len': 'max_seq_len',
  '--max_batch_size': 'max_batch_size',
  '--max_num_tokens': 'max_num_tokens',
  '--kv_cache_free_gpu_memory_fraction': 'kv_cache_config.free_gpu_memory_fraction',
  '--trust_remote_code': 'trust_remote_code',
  '--custom_tokenizer': 'custom_tokenizer',
  '--reasoning_parser': 'reasoning_parser',
})

/** The engine's own configuration file, with the command that reads it in its first line. */
export const engineFile: Format = {
  id: 'file',
  summary: "the engine's own configuration file",
  write(given) {
    requireOneServer(given, 'This file')
    const startable = native(given)
    if (startable.launch.nodes) throw cannot(`the file of ${startable.engine.title} is the same on every node, what joins them is not: use --format command`)
    return [startable.serving.configFile.keys === 'field' ? fieldFile(startable) : optionFile(startable)]
  },
}

/** Option names as keys (vllm/utils/argparse_utils.py, sglang/srt/server_args_config_parser.py): a switch is `true`. */
function optionFile({engine, launch, serving}: Startable): {name: string; text: string} {
  if (engine.id === 'sglang' && !isAtLeast(engine.version, SGLANG_CONFIG_SINCE))
    throw cannot(`SGLang reads a file from ${SGLANG_CONFIG_SINCE} on, not in ${engine.version}: use --format command`)
  const name = `${engine.id}.yaml`
  const content: Record<string, unknown> = dictionary()
  const because: Record<string, string> = dictionary()
  const outside: Line[] = []
  for (const given of launch.flags) {
    const {flag, value} = given
    const key = flag.replace(/^--/, '')
    // `sglang serve` looks for the model on the command line before it reads the file.
    const staysOutside =
      flag === '--model-path' ||
      (engine.id === 'sglang' && SGLANG_OUTSIDE.has(flag)) ||
      !flag.startsWith('--') ||
      /[.]/.test(key) ||
      (typeof value === 'string' && value.startsWith('-')) ||
      Object.hasOwn(content, key)
    if (staysOutside) outside.push({words: flagWords(given)})
    else {
      content[key] = value
      because[key] = given.because
    }
  }
  const last = linesOf({...launch, flags: [], file: undefined})
  const command = commandText([...assignments(launch), programText(launch)], [...outside, ...last, {words: [serving.configFile.flag, name]}])
  return {name, text: `${commentLines(command)}${yamlText(content, because)}`}
}

/** LlmArgs fields; options of the web server stay on the command line. */
function fieldFile({engine, launch}: Startable): {name: string; text: string} {
  if (!isAtLeast(engine.version, TRTLLM_FIELDS_SINCE))
    throw new InputError(
      'FORMAT_CANNOT',
      `The fields of TensorRT-LLM's file are known from ${TRTLLM_FIELDS_SINCE} on, not in ${engine.version}: use --format command`,
    )
  const name = 'trtllm.yaml'
  const {content, because, outside} = llmArgs(launch)
  const flag = launch.file?.flag ?? (isAtLeast(engine.version, '1.3.0rc0') ? '--config' : '--extra_llm_api_options')
  const command = commandText([...assignments(launch), programText(launch)], [...outside, {words: [flag, name]}])
  return {name, text: `${commentLines(command)}${yamlText(content, because)}`}
}

/** Everything of a TensorRT-LLM launch that its file can hold, and what is left over. */
export function llmArgs(launch: Startable['launch']): {content: Record<string, unknown>; because: Record<string, string>; outside: Line[]} {
  const content: Record<string, unknown> = dictionary()
  const because: Record<string, string> = dictionary()
  const outside: Line[] = []
  for (const given of launch.flags) {
    const field = TRTLLM_FIELDS[given.flag]
    if (field === undefined) outside.push({words: flagWords(given)})
    else {
      setField(content, field, given.value)
      because[field] = given.because
    }
  }
  mergeFields(content, launch.file?.content ?? {})
  return {content, because: {...because, ...launch.file?.because}, outside}
}
