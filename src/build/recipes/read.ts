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
  /** What tells it from its neighbours: `h200, balanced`. */
  label: string
  /** Several runs of one script in one list: an option may stand there with several values. */
  merged?: boolean
}

interface Override {
  extra_args?: string[]
  extra_env?: Record<string, string>
}

interface Variant extends Override {
  model_id?: string
  precision?: string
  vram_minimum_gb?: number
  tp?: number
}

interface Recipe {
  model_id: string
  vllm: {
    base_args: string[] | null
    base_env: Record<string, string> | null
    features: Record<string, {args?: string[]}> | null
    opt_in_features: string[] | null
    variants: Record<string, Variant> | null
    hardware_overrides: Record<string, Override> | null
    strategy_overrides: Record<string, {tp?: number}> | null
    hardware_status: Record<string, string> | null
  }
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
  models: Recipe[]
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

/** The card that a recipe's class of hardware is compared on, with its memory in GB as sold, and the cards whose status speaks for the class. */
const CLASSES: Record<string, {gpu: string; gigabytes: number; overrides: string[]; cards: string[]}> = {
  hopper: {gpu: 'h200-sxm', gigabytes: 141, overrides: ['nvidia', 'hopper'], cards: ['h100', 'h200']},
  blackwell: {gpu: 'b200-sxm', gigabytes: 180, overrides: ['nvidia', 'blackwell'], cards: ['b200', 'b300', 'gb200', 'gb300']},
  amd: {gpu: 'mi300x', gigabytes: 192, overrides: ['amd'], cards: ['mi300x', 'mi325x', 'mi350x', 'mi355x']},
}

/** Features whose options we write too; the others are there on request. */
const FEATURES = ['tool_calling', 'reasoning']

/** Formats of weights that a class has no kernels of its own for: nobody would start them there. */
const WRONG_CLASS: Record<string, string[]> = {hopper: ['nvfp4', 'fp4', 'nvidia_nvfp4', 'mxfp8'], amd: ['nvfp4', 'fp4', 'nvidia_nvfp4']}

const TENSOR_PARALLEL = /^(?:--tensor-parallel-size|--tp-size|--tp|-tp|--tp_size)$/

/** `--a b`, `--a=b`, `-tp 4` as single words. */
export function wordsOf(parts: readonly string[]): string[] {
  return parts.flatMap((part) => {
    if (!part.startsWith('-')) return [part]
    const at = part.search(/[\s=]/)
    return at === -1 ? [part] : [part.slice(0, at), part.slice(at + 1).trim()]
  })
}

function parallelOf(words: readonly string[]): number | undefined {
  const at = words.findIndex((word) => TENSOR_PARALLEL.test(word))
  const value = Number(words[at + 1])
  return at >= 0 && Number.isInteger(value) && value > 0 ? value : undefined
}

const whole = (value: unknown): number | undefined => (typeof value === 'number' && Number.isInteger(value) && value > 0 ? value : undefined)

/** The smallest usual number of cards that holds so many GB. */
const cardsFor = (gigabytes: number, each: number): number => [1, 2, 4, 8, 16].find((count) => count * each >= gigabytes) ?? 32

export function publishedLaunches(gathered: Gathered): Published[] {
  return [
    ...gathered.models.flatMap(recipeLaunches),
    ...gathered.sglang_cookbook.flatMap(({cells}) => cells.flatMap(cellLaunch)),
    ...gathered.benchmark_launches.flatMap(benchmarkLaunch),
  ]
}

/** Every variant of a recipe on each class of hardware that it speaks of. */
function recipeLaunches({model_id: repository, vllm: recipe}: Recipe): Published[] {
  const list: Published[] = []
  for (const [name, variant] of Object.entries(recipe.variants ?? {})) {
    for (const [kind, {gpu, gigabytes, overrides, cards}] of Object.entries(CLASSES)) {
      const own = overrides.flatMap((key) => recipe.hardware_overrides?.[key] ?? [])
      const speaks =
        kind === 'hopper' ||
        own.length > 0 ||
        cards.some((card) => recipe.hardware_status?.[card] !== undefined) ||
        (kind === 'blackwell' && /fp4/.test(variant.precision ?? ''))
      if (!speaks || WRONG_CLASS[kind]?.includes(variant.precision ?? '')) continue
      const optIn = recipe.opt_in_features ?? []
      const features = FEATURES.filter((feature) => !optIn.includes(feature)).flatMap((feature) => recipe.features?.[feature]?.args ?? [])
      // An option given again takes the place of the first: recipes are put together so.
      const words = wordsOf([...(recipe.base_args ?? []), ...features, ...(variant.extra_args ?? []), ...own.flatMap(({extra_args: args}) => args ?? [])])
      const environment = Object.assign({}, recipe.base_env, variant.extra_env, ...own.map(({extra_env: variables}) => variables)) as Record<string, string>
      const tp =
        parallelOf([...own.flatMap(({extra_args: args}) => args ?? []), ...words]) ?? whole(variant.tp) ?? whole(recipe.strategy_overrides?.single_node_tp?.tp)
      list.push({
        from: 'vllm recipe',
        engine: 'vllm',
        repository: variant.model_id ?? repository,
        gpu,
        words,
        environment,
        count: tp ?? cardsFor(Number(variant.vram_minimum_gb) || 0, gigabytes),
        label: `${kind}, ${name}`,
      })
    }
  }
  return list
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
