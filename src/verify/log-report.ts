import type {DeploymentRequest} from '../core/deployment.ts'
import type {PythonValue} from './python-values.ts'
import type {SourceLine} from './release-lines.ts'
import {dictionary} from '../core/dictionary.ts'

/** What one process of an engine printed of its GPU's memory. Bytes; absent: not printed. */
export interface RankFigures {
  /** What the device holds, as the runtime sees it. */
  totalBytes?: number
  freeBeforeBytes?: number
  weightsBytes?: number
  /** Peak of the trial run beyond what stays. */
  activationBytes?: number
  /** The same with the graphs in it that the engine reckoned with, where it prints only their sum. */
  peakBytes?: number
  /** Context, libraries, collectives. */
  runtimeBytes?: number
  /** Weights and runtime together, where the engine prints only their sum. */
  consumedBytes?: number
  /** Graphs as they turned out. */
  cudaGraphBytes?: number
  /** Graphs as the engine reckoned them before it sized the cache. */
  cudaGraphEstimateBytes?: number
  /** Room for the cache: growing caches, windows and recurrent states together. Negative where nothing is left. */
  kvCacheBytes?: number
  kvCacheTokens?: number
  maxConcurrency?: number
  /** Left for good when the server is up. */
  freeAfterBytes?: number
  /** Requests that run at once at most, as the engine limited them. */
  maxNumSeqs?: number
}

/** `unsupported`: the build, the card or the engine's kernels do not do what was asked, whatever the memory. */
export type LogOutcome = 'started' | 'kv-too-small' | 'out-of-memory' | 'memory-taken' | 'unsupported' | 'unknown'

/** What the engine said when it refused to start. */
export interface Refusal {
  message: string
  maxModelLen?: number
  neededBytes?: number
  availableBytes?: number
  /** The longest context that it says would start. */
  estimatedMaxModelLen?: number
  /** Requests at once that it was to serve, and recurrent states that it has room for. */
  maxNumSeqs?: number
  availableBlocks?: number
}

/** What failed once the server was up: no failure of its start. */
export interface LaterFailure {
  message: string
  /** What it tried to allocate. */
  neededBytes?: number
  /** A server that slept found its memory taken when it was woken, or one that served ran out of it. */
  during: 'wake-up' | 'serving'
}

/** A start-up log, read. */
export interface LogReport {
  engine: 'vllm' | 'sglang' | 'trtllm'
  engineVersion?: string
  /** The day that the engine wrote beside its messages, as 2026-01-31. */
  day?: string
  /** The build that the log names, where another release's rules are taken for it. */
  build?: string
  /** As printed: a repository, or a path on the machine that ran it. */
  model?: string
  /** What the log says of the deployment. */
  settings: DeploymentRequest
  /** Parallel sizes that the names of processes show: at least these, since a pasted part of a log shows some of them. */
  seen: Pick<DeploymentRequest, 'tp' | 'pp' | 'dp' | 'ep'>
  /** The arguments as they were printed, under the engine's names. */
  printed: Record<string, PythonValue>
  /** The method of quantisation as the engine resolved it; null: none. */
  quantization?: string | null
  /** What it ran on: cuda (ROCm too), xpu, cpu, ... */
  device?: string
  /** The card's name, where a line of the log holds it. */
  deviceName?: string
  /** The engine printed its arguments: what is not among them is the engine's default. */
  argumentsPrinted: boolean
  /** Arguments that move memory and that a scenario cannot say. */
  further: string[]
  /** By process; the worst one decides. */
  ranks: {rank: string; figures: RankFigures}[]
  /** Of the process with least room, completed by the others. */
  figures: RankFigures
  outcome: LogOutcome
  refusal?: Refusal
  later?: LaterFailure
  /** Where in the source messages were printed, the first of each. */
  sourceLines?: SourceLine[]
  /** Starts that the text holds, where there are several: the last one that says something is read. */
  starts?: number
}

export const GIB = 1024 ** 3
export const MIB = 1024 ** 2

/** A decimal number as logs print it, thousands separated or not; undefined for anything else. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const plain = text.replaceAll(',', '')
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined
  const value = Number(plain)
  return Number.isFinite(value) ? value : undefined
}

/** Bytes of a number of GiB. Larger than any machine, it is no memory figure. */
export function gibBytes(text: string | undefined): number | undefined {
  const value = numberOf(text)
  return value === undefined || Math.abs(value) > 2 ** 20 ? undefined : Math.round(value * GIB)
}

export function mibBytes(text: string | undefined): number | undefined {
  const value = numberOf(text)
  return value === undefined || Math.abs(value) > 2 ** 30 ? undefined : Math.round(value * MIB)
}

/** A whole count within the bounds that scenarios have. */
export function countOf(value: PythonValue, max = 1_000_000_000): number | undefined {
  const number = typeof value === 'number' ? value : typeof value === 'string' ? numberOf(value) : undefined
  return number !== undefined && Number.isInteger(number) && number >= 1 && number <= max ? number : undefined
}

export const shareOf = (value: PythonValue): number | undefined => (typeof value === 'number' && value >= 0.01 && value <= 1 ? value : undefined)
export const wordOf = (value: PythonValue): string | undefined => (typeof value === 'string' && value.length > 0 && value.length <= 4096 ? value : undefined)

/** Drops what is undefined, so that merging keeps what is known. */
export function known<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}

/** Figures are collected by process: a later line of the same process replaces an earlier one, unless they add up. */
export class RankTable {
  private readonly table = new Map<string, RankFigures>()

  set(rank: string, figures: RankFigures): void {
    this.table.set(rank, {...this.table.get(rank), ...known(figures)})
  }

  /** For what a process prints once for each of several pools or models. */
  add(rank: string, name: keyof RankFigures, value: number | undefined): void {
    if (value === undefined) return
    const figures = this.table.get(rank) ?? {}
    this.table.set(rank, {...figures, [name]: (figures[name] ?? 0) + value})
  }

  get(rank: string): RankFigures {
    return this.table.get(rank) ?? {}
  }

  entries(): {rank: string; figures: RankFigures}[] {
    return [...this.table].map(([rank, figures]) => ({rank, figures})).filter(({figures}) => Object.keys(figures).length > 0)
  }

  /** The process with least room for the cache decides for all; what it did not print is the others' worst. */
  worst(): RankFigures {
    const all = this.entries().map(({figures}) => figures)
    const least = (name: keyof RankFigures) => all.filter((figures) => figures[name] !== undefined).sort((a, b) => a[name]! - b[name]!)[0]
    const most = (name: keyof RankFigures) =>
      all
        .map((figures) => figures[name])
        .filter((value) => value !== undefined)
        .sort((a, b) => b - a)[0]
    const decisive =
      least('kvCacheBytes') ??
      least('kvCacheTokens') ??
      all.filter(({weightsBytes}) => weightsBytes !== undefined).sort((a, b) => b.weightsBytes! - a.weightsBytes!)[0] ??
      {}
    return known({
      totalBytes: least('totalBytes')?.totalBytes,
      freeBeforeBytes: least('freeBeforeBytes')?.freeBeforeBytes,
      weightsBytes: most('weightsBytes'),
      activationBytes: most('activationBytes'),
      peakBytes: most('peakBytes'),
      runtimeBytes: most('runtimeBytes'),
      consumedBytes: most('consumedBytes'),
      cudaGraphBytes: most('cudaGraphBytes'),
      cudaGraphEstimateBytes: most('cudaGraphEstimateBytes'),
      kvCacheTokens: least('kvCacheTokens')?.kvCacheTokens,
      maxConcurrency: least('maxConcurrency')?.maxConcurrency,
      freeAfterBytes: least('freeAfterBytes')?.freeAfterBytes,
      maxNumSeqs: least('maxNumSeqs')?.maxNumSeqs,
      ...decisive,
    })
  }
}

const SNAPSHOT = /models--([^/]+?)--([^/]+)\/snapshots\//

/** The repository behind a path of Hugging Face's cache; any other name as it is. */
export function repositoryIn(name: string): string {
  const match = SNAPSHOT.exec(name)
  return match ? `${match[1]}/${match[2]}` : name
}

const CACHE_SPELLINGS: Record<string, string> = dictionary({
  fp8_e4m3: 'fp8',
  fp8_e5m2: 'fp8',
  fp8_ds_mla: 'fp8',
  fp8_inc: 'fp8',
  bfloat16: 'bf16',
  float16: 'fp16',
  fp4_e2m1: 'nvfp4',
  nvfp4: 'nvfp4',
  FP8: 'fp8',
  NVFP4: 'nvfp4',
})

const TORCH_CACHES: Record<string, string> = dictionary({bfloat16: 'bf16', float16: 'fp16', float8_e4m3fn: 'fp8', float8_e5m2: 'fp8', float8_e4m3fnuz: 'fp8'})

/** The format of a pool by the type of its tensors, as SGLang prints it; what several formats are kept in says nothing. */
export function cacheOfTorchType(text: string): string | undefined {
  const type = /(?:Using KV cache dtype: |KV Cache is allocated\. dtype: )torch\.(\w+)/.exec(text)?.[1]
  return type !== undefined && Object.hasOwn(TORCH_CACHES, type) ? TORCH_CACHES[type] : undefined
}

/** A cache format in the words of scenarios; `auto` says nothing. */
export function cacheWord(value: PythonValue): string | undefined {
  const word = wordOf(value)
  return word === undefined || word === 'auto' ? undefined : (CACHE_SPELLINGS[word] ?? word)
}

/** Largest parallel size behind rank names such as TP3 of `DP0 TP3 EP3`, plus one; undefined where no rank says so. */
export function sizeFromRanks(ranks: readonly string[], letters: string): number | undefined {
  const numbers = ranks.flatMap((rank) => [...rank.matchAll(new RegExp(`(?:^|[ _])${letters}(\\d{1,4})(?=$|[ _])`, 'g'))].map((match) => Number(match[1])))
  return numbers.length === 0 ? undefined : Math.max(...numbers) + 1
}

/** What engines say when a card, a build or a kernel does not do what was asked, whatever the memory. */
const UNSUPPORTED = [
  // vllm/platforms/cuda.py get_attn_backend_cls, 0.11.0 to 0.33.0; older: "Invalid attention backend for".
  /No valid attention backend (?:found )?(?:for|from)|(?:Invalid|Unsupported) attention backend|Selected backend .{1,120} is not valid for this configuration/i,
  // CUDA's cudaErrorNoKernelImageForDevice, and Triton's word for a type that a card lacks.
  /no kernel image is available for execution|type fp8e4nv not supported in this architecture/i,
  // vllm/model_executor/layers/quantization/compressed_tensors/compressed_tensors.py and model_loader/weight_utils.py, 0.10.2 to 0.33.0; SGLang's copies.
  /No \S{1,40} compatible scheme was found|(?:quantization method|Quantization scheme) .{0,60}is not supported for the current GPU|unsupported quantization scheme/i,
  /Bfloat16 is only supported on GPUs with compute capability/i,
  /Model architectures? .{1,200} (?:are|is) not supported for now|(?:are|is) not supported by (?:SGLang|vLLM)/i,
  /Unsupported compute capability/i,
]

/** A refusal of that kind. */
export const unsupportedIn = (text: string): Refusal | undefined =>
  UNSUPPORTED.some((pattern) => pattern.test(text)) ? {message: text.slice(0, 600)} : undefined

/** Lines that only a server prints which is up and answers. SGLang's front end is up, and is asked once, before the engine is known to work. */
const SERVING = {
  uvicorn: /Application startup complete|"(?:GET|POST) \/\S* HTTP\/\d(?:\.\d)?" [2-5]\d\d|Avg prompt throughput:/,
  sglang: /server is fired up and ready to roll/,
}

/** `E=128,N=768,device_name=NVIDIA_H100_80GB_HBM3.json`: the file of tuned kernels that vLLM and SGLang look for is named by the card. */
export function deviceNameIn(text: string): string | undefined {
  return /\bdevice_name=([\w .()-]{3,80}?)(?:,\w+=|\.json)/.exec(text)?.[1]?.replaceAll('_', ' ')
}

/** Follows a log's outcome line by line: what fails before the server is up is the start's, what fails later is not. */
export class OutcomeOf {
  outcome: LogOutcome = 'unknown'
  refusal?: Refusal
  later?: LaterFailure
  private up = false
  private readonly serving: RegExp

  constructor(server: keyof typeof SERVING = 'uvicorn') {
    this.serving = SERVING[server]
  }

  /** `hint`: a line that a start rarely fails behind. */
  read(text: string, refused: {outcome: LogOutcome; refusal: Refusal} | undefined, hint: boolean): void {
    if (this.serving.test(text)) {
      this.up = true
      // An error that was caught on the way.
      this.outcome = 'started'
      this.refusal = undefined
    }
    if (refused && this.up) {
      const {message, neededBytes} = refused.refusal
      if (refused.outcome === 'out-of-memory')
        this.later ??= known({message, neededBytes, during: isWakeUp(text) ? ('wake-up' as const) : ('serving' as const)})
    } else if (refused && (this.outcome === 'unknown' || this.outcome === 'started' || rankOf(refused.outcome) > rankOf(this.outcome))) {
      this.outcome = refused.outcome
      this.refusal = refused.refusal
    } else if (hint && (this.outcome === 'unknown' || this.outcome === 'unsupported')) {
      // It went on: what was not supported was passed over.
      this.outcome = 'started'
      this.refusal = undefined
    }
    if (this.later && isWakeUp(text)) this.later = {...this.later, during: 'wake-up'}
  }

  result(): Pick<LogReport, 'outcome' | 'refusal' | 'later'> {
    return known({outcome: this.outcome, refusal: this.refusal, later: this.later})
  }
}

/** vllm/v1/engine/core.py wake_up and csrc/cumem_allocator.cpp; SGLang's resume_memory_occupation. */
const isWakeUp = (text: string): boolean => /Invocation of wake_up|Call to wake_up|in wake_up$|\.wake_up\(|cumem_allocator|resume_memory_occupation/.test(text)

/** What says more of the start goes before what says less: lack of memory on the way is often only how the refusal shows. */
const rankOf = (outcome: LogOutcome): number => ['unknown', 'started', 'out-of-memory', 'memory-taken', 'unsupported', 'kv-too-small'].indexOf(outcome)
