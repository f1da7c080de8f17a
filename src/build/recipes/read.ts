import type {EngineId} from '../../core/deployment.ts'

/** One published way to start a model, as the file of gathered launches has it. */
export interface Published {
  /** Which collection it is from. */
  from: 'vllm recipe' | 'sglang cookbook' | 'benchmark'
  engine: EngineId
  /** The repository it starts. */
  repository: string
  /** GPU of the catalogue, and how many. */
  gpu: string
  count: number
  /** Words of the command behind the model. */
  words: string[]
  environment: Record<string, string>
  /** The part of both that is there for this card. */
  card?: {words: string[]; environment: Record<string, string>}
  /** What tells it from its neighbours: `h200, balanced`. */
  label: string
  /** Several runs of one script in one list: an option may stand there with several values. */
  merged?: boolean
}

interface Cell {
  match: {hw?: string; quant?: string; strategy?: string; nodes?: string}
  model?: string
  env?: string[]
  flags: string[]
}

interface Benchmark {
  file: string
  engine: string
  gpu: string
  deprecated: boolean
  args: string[]
  model: string[] | null
}

export interface Gathered {
  sources: Record<string, string>
  sglang_cookbook: {cells: Cell[]}[]
  benchmark_launches: Benchmark[]
}

/** Cards by the names that the collections use. */
const GPUS: Record<string, string> = {
  h100: 'h100-sxm',
  h200: 'h200-sxm',
  b200: 'b200-sxm',
  b300: 'b300-sxm',
  gb200: 'gb200',
  gb300: 'gb300',
  mi300x: 'mi300x',
  mi325x: 'mi325x',
  mi350x: 'mi350x',
  mi355x: 'mi355x',
  rtx6000: 'rtx-pro-6000-blackwell-server',
  rtx6000pro: 'rtx-pro-6000-blackwell-server',
  rtx5090: 'rtx-5090',
  'dgx-spark': 'gb10',
}

const TENSOR_PARALLEL = /^(?:--tensor-parallel-size|--tp-size|--tp|-tp|--tp_size)$/

/** `--a b`, `--a=b`, `-tp 4` as single words. */
export function wordsOf(parts: readonly string[]): string[] {
  return parts.flatMap((part) => {
    if (!part.startsWith('-')) return [part]
    const at = part.search(/[\s=]/)
    return at === -1 ? [part] : [part.slice(0, at), part.slice(at + 1).trim()]
  })
}

export function parallelOf(words: readonly string[]): number | undefined {
  const at = words.findIndex((word) => TENSOR_PARALLEL.test(word))
  const value = Number(words[at + 1])
  return at >= 0 && Number.isInteger(value) && value > 0 ? value : undefined
}

/** The smallest usual number of cards that holds so many GB. */
export const cardsFor = (gigabytes: number, each: number): number => [1, 2, 4, 8, 16].find((count) => count * each >= gigabytes) ?? 32

/** SGLang's cookbook and the benchmark scripts. */
export function publishedLaunches(gathered: Gathered): Published[] {
  return [...gathered.sglang_cookbook.flatMap(({cells}) => cells.flatMap(cellLaunch)), ...gathered.benchmark_launches.flatMap(benchmarkLaunch)]
}

function cellLaunch({match, model, env = [], flags}: Cell): Published[] {
  const gpu = GPUS[match.hw ?? '']
  if (gpu === undefined || model === undefined) return []
  const words = wordsOf(flags)
  const environment = Object.fromEntries(
    env.filter((text) => text.includes('=')).map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  )
  return [
    {
      from: 'sglang cookbook',
      engine: 'sglang',
      repository: model,
      gpu,
      count: parallelOf(words) ?? 1,
      words,
      environment,
      label: [match.hw, match.quant, match.strategy, match.nodes === 'single' ? undefined : match.nodes].filter(Boolean).join(', '),
    },
  ]
}

function benchmarkLaunch({file, engine, gpu: name, deprecated, args, model}: Benchmark): Published[] {
  const gpu = GPUS[name]
  const [repository] = model ?? []
  if (gpu === undefined || repository === undefined || deprecated) return []
  const words = wordsOf(args)
  return [
    {
      from: 'benchmark',
      engine: engine === 'tensorrt-llm' ? 'trtllm' : engine,
      repository,
      gpu,
      count: parallelOf(words) ?? 8,
      words,
      environment: {},
      label: file.slice(file.lastIndexOf('/') + 1),
      merged: true,
    },
  ]
}

/** Where they are from, without the days. */
export const sourcesOf = ({sources}: Gathered): string[] => ['sglang_cookbook', 'inferencex'].flatMap((name) => sources[name]?.replace(/ \(\d.*\)$/, '') ?? [])
