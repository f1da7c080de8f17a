import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {parse} from 'yaml'
import type {Launch} from '../../src/engines/engine.ts'
import type {EngineServing} from '../../src/engines/launch/serving.ts'
import type {Startable} from '../../src/render/launch/startable.ts'
import {modelArgument} from '../../src/engines/launch/model-argument.ts'

export const servingOf = (engine: string): EngineServing =>
  parse(readFileSync(fileURLToPath(new URL(`../../data/engines/${engine}.yaml`, import.meta.url)), 'utf8')) as EngineServing

export {NASTY} from '../../src/build/attack/hostile.ts'

export interface Given {
  engine?: 'vllm' | 'sglang' | 'trtllm'
  version?: string
  model?: string
  /** Values of flags `--flag-0`, `--flag-1`, ... */
  values?: string[]
  /** Value of an environment variable. */
  setting?: string
  vendor?: 'nvidia' | 'amd'
  nodes?: Launch['nodes']
  file?: Record<string, unknown>
  devices?: number[]
}

const NEWEST = {vllm: '0.28.0', sglang: '0.5.18', trtllm: '1.3.0rc24'}

/** Something to start, with any text anywhere a person's text can come to stand. */
export function startable({
  engine = 'vllm',
  version = NEWEST[engine],
  model = 'Qwen/Qwen3-32B',
  values = [],
  setting,
  vendor = 'nvidia',
  nodes,
  file,
  devices,
}: Given = {}): Startable {
  const word = modelArgument(model)
  const program = engine === 'vllm' ? ['vllm', 'serve', word] : engine === 'sglang' ? ['sglang', 'serve'] : ['trtllm-serve', word]
  const launch: Launch = {
    program,
    flags: [
      ...(engine === 'sglang' ? [{flag: '--model-path', value: word, because: 'the checkpoint'}] : []),
      ...values.map((value, index) => ({flag: `--flag-${index}`, value, because: `set to\n${value}`})),
      {flag: '--switch', value: true as const, because: 'a switch'},
    ],
    environment: setting === undefined ? [] : [{name: 'SERVEFIT_TEST', value: setting, because: `set to ${setting}`}],
    ...(nodes && {nodes}),
    ...(file && {file: {flag: '--config', name: 'servefit-trtllm.yaml', content: file, because: {}}}),
  }
  const serving = servingOf(engine)
  return {
    engine: {id: engine, title: {vllm: 'vLLM', sglang: 'SGLang', trtllm: 'TensorRT-LLM'}[engine], version},
    launch,
    serving,
    modelName: 'Qwen3 32B',
    model: word,
    servedName: word,
    name: 'qwen3-32b',
    vendor,
    image: vendor === 'amd' ? 'vllm/vllm-openai-rocm:v0.28.0' : `${serving.images[0]!.repository}:${version}`,
    gpusPerNode: nodes?.gpusPerNode ?? 2,
    devices,
    port: serving.port,
    checkpointBytes: 65e9,
    workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8},
    isEngineFlag: () => true,
  }
}

/** What the engine must be given, word by word. */
export const expectedWords = ({launch}: Startable): string[] => [
  ...launch.program,
  ...launch.flags.flatMap(({flag, value}) => (value === true ? [flag] : String(value).startsWith('-') ? [`${flag}=${value}`] : [flag, String(value)])),
]

export const TWO_NODES: NonNullable<Launch['nodes']> = {
  count: 2,
  gpusPerNode: 8,
  own: {
    every: [
      {flag: '--nnodes', value: 2, because: 'two'},
      {flag: '--node-rank', value: {of: 'rank'}, because: 'which'},
      {flag: '--dist-init-addr', value: {of: 'address', after: ':20000'}, because: 'where'},
    ],
    followers: [{flag: '--start', value: {of: 'rank', times: 8}, because: 'ranks before'}],
  },
  ray: [{flag: '--distributed-executor-backend', value: 'ray', because: 'Ray'}],
}
