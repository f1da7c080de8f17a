import type {Admission} from '../../core/throughput/input.ts'
import type {Scenario} from '../../planner/scenario/index.ts'

/**
 * What a published measurement really ran, where its row does not say or says otherwise. Rows give model, layout and load;
 * engine flags stand in the launch scripts of the campaign, which are public. Speeds are fitted to what ran: fitted to the
 * row alone, a cache of 8 bits that nobody mentions becomes a faster memory, and 16-bit weights called 8-bit ones a slow kernel.
 *
 * Sources, by campaign. InferenceX: https://github.com/SemiAnalysisAI/InferenceX, the scripts under benchmarks/ as of the
 * day of each measurement (named at each rule). "Controlled sweep": silicon_sample.csv of ai-dynamo/aiconfigurator at
 * 095f58a5, columns model_path and precision.
 */
export interface MeasuredRow {
  id: string
  source: string
  /** Day of the measurement, ISO 8601. Absent: not said. */
  measured: string
  model: string
  gpu: string
  engine: string
  weights: string
  tp: number
  ep: number
  dpAttention: boolean
  /** As the client asked for: the row holds the mean of what was drawn. */
  inputTokens: number
  outputTokens: number
  concurrency: number
}

export interface Launch {
  scenario: Partial<Scenario>
  admission?: Admission
  outputSpread?: number
  /** Bytes of an element of recurrent states (SGLang's `--mamba-ssm-dtype`). */
  stateElementBytes?: number
  /** The first prompts of the measurement include what engines compile at run time. */
  cold?: boolean
}

export interface LaunchRule {
  when: (row: MeasuredRow) => boolean
  run: (row: MeasuredRow) => Launch
  because: string
}

/** InferenceX asks for 1,024 or 8,192 tokens and draws between 0.8 and 1.0 of that. */
const DRAWN_SHARE = 0.9
const nominal = (tokens: number): number => [1024, 8192].find((asked) => Math.abs(tokens / (asked * DRAWN_SHARE) - 1) < 0.01) ?? tokens

export function measuredRow(raw: Record<string, unknown>): MeasuredRow {
  const workload = (raw.workload ?? {}) as {inputTokens?: number; outputTokens?: number; concurrency?: number | 'max'}
  return {
    id: String(raw.id),
    source: String(raw.source ?? ''),
    measured: String(raw.measured ?? ''),
    model: String(raw.model).split('/').at(-1)!,
    gpu: String(raw.gpu).replace(/^\d+x/, ''),
    engine: String(raw.engine),
    weights: String(raw.weights),
    tp: Number(raw.tp ?? 1),
    ep: Number(raw.ep ?? 1),
    dpAttention: raw.dpAttention === true,
    inputTokens: nominal(workload.inputTokens ?? 0),
    outputTokens: nominal(workload.outputTokens ?? 0),
    concurrency: typeof workload.concurrency === 'number' ? workload.concurrency : 0,
  }
}

const inferenceX = (row: MeasuredRow, engine: string, model: RegExp) => row.source === 'InferenceX' && row.engine === engine && model.test(row.model)
const controlled = (row: MeasuredRow) => row.source === 'controlled sweep'
const ofHopper = (row: MeasuredRow) => row.gpu.startsWith('h')
/** Length that scripts reserve: both parts and some room. */
const modelLength = (row: MeasuredRow, room: number) => row.inputTokens + row.outputTokens + (row.inputTokens === row.outputTokens ? 20 : room)
/** Batches of DeepSeek-R1 under TensorRT-LLM: prompt and concurrency, in steps of 64. */
const roomForPrompt = (row: MeasuredRow) => Math.floor((row.concurrency + row.inputTokens + 127) / 64) * 64
/** The client sends requests before it measures since d053ae24e (utils/bench_serving). Without, SGLang's first prompts took seconds: kernels are compiled for each shape. */
const WARM_UP_SINCE = '2026-01-21'
/** SGLang scripts look for requests once in 10 steps, from 16 in flight once in 30. */
const seldom = (row: MeasuredRow): Admission => ({everySteps: row.concurrency >= 16 ? 30 : 10})

export const LAUNCHES: LaunchRule[] = [
  {
    when: (row) => controlled(row) && /Llama-3\.1-8B/.test(row.model),
    run: (row) => ({scenario: {model: 'meta-llama/Llama-3.1-8B-Instruct', weights: 'bf16', maxNumSeqs: row.concurrency - 1}, outputSpread: 0}),
    because:
      'the table names meta-llama/Llama-3.1-8B-Instruct without a precision: 16-bit weights, not the 8-bit ones of the row; and one slot fewer than requests: at every length and concurrency one in C waits for a whole answer (first tokens grow with the answer over C)',
  },
  {
    when: (row) => controlled(row) && /Qwen3-32B/.test(row.model) && row.engine !== 'trtllm',
    run: () => ({scenario: {model: 'Qwen/Qwen3-32B', weights: 'bf16'}, outputSpread: 0}),
    because: 'the table names Qwen/Qwen3-32B without a precision for vLLM and SGLang (and fp8 for TensorRT-LLM): 16-bit weights',
  },
  {
    when: (row) => controlled(row) && /Qwen3-32B/.test(row.model) && row.engine === 'trtllm',
    run: () => ({scenario: {kvCache: 'fp8'}, outputSpread: 0}),
    because: '128 requests of 2,176 tokens ran at once on one card whose memory holds 157,000 tokens at 16 bits',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /Llama-3\.3-70B/),
    run: (row) => ({
      scenario: {
        kvCache: 'fp8',
        maxNumBatchedTokens: 8192,
        gpuMemoryUtilization: 0.9,
        maxNumSeqs: ofHopper(row) ? row.concurrency : 512,
        maxModelLen: row.gpu.startsWith('h100') ? 10_240 : modelLength(row, 200),
      },
    }),
    because: '70b_fp8_{b200,h100,h200}*.sh, 70b_fp4_b200_docker.sh of 2025-10-29',
  },
  {
    when: (row) => inferenceX(row, 'trtllm', /Llama-3\.3-70B/),
    run: (row) => ({
      scenario: {kvCache: 'fp8'},
      admission: row.inputTokens === 1024 && row.outputTokens === 1024 && row.tp < 8 ? {waitSteps: 20} : undefined,
    }),
    because: '70b_fp8_{b200,h200}_trt_slurm.sh, 70b_fp4_b200_trt_slurm.sh of 2025-10-29',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /gpt-oss-120b/),
    run: (row) => ({
      scenario: {
        kvCache: !ofHopper(row) && row.measured >= '2026' ? 'fp8' : undefined,
        maxNumBatchedTokens: 8192,
        gpuMemoryUtilization: 0.9,
        maxNumSeqs: ofHopper(row) ? row.concurrency : 512,
        maxModelLen: row.gpu.startsWith('h100') ? 10_240 : modelLength(row, 256),
      },
    }),
    because: 'gptoss_fp4_{b200,h100,h200}.sh of 2026-02-25 and 2026-03-27, gptoss_fp4_b200_docker.sh of 2025-11-02',
  },
  {
    when: (row) => inferenceX(row, 'trtllm', /gpt-oss-120b/),
    run: (row) => ({
      scenario: {
        kvCache: ofHopper(row) ? undefined : 'fp8',
        maxNumBatchedTokens: 20_000,
        gpuMemoryUtilization: 0.85,
        maxNumSeqs: ofHopper(row) ? row.concurrency : 512,
        ep: ofHopper(row) && row.measured < '2025-12' ? row.tp : undefined,
      },
    }),
    because: 'gptoss_fp4_{b200,h200}_trt*.sh; on 2025-11-02 the one for H200 sets --ep_size=$TP whatever the row says',
  },
  {
    when: (row) => inferenceX(row, 'sglang', /R1-0528/) && row.weights === 'nvfp4',
    run: (row) => ({
      scenario: {kvCache: 'fp8', maxNumBatchedTokens: 16_384, gpuMemoryUtilization: 0.85, ep: row.measured < '2025-11-10' ? row.tp : undefined},
      admission: seldom(row),
      cold: row.measured < WARM_UP_SINCE,
    }),
    because: 'dsr1_fp4_b200*.sh; until 2025-11-10 with --enable-ep-moe whatever the row says',
  },
  {
    when: (row) => inferenceX(row, 'sglang', /R1-0528/) && row.weights !== 'nvfp4' && !ofHopper(row),
    run: (row) => ({
      scenario: {kvCache: 'fp8', maxNumBatchedTokens: row.tp === 8 ? 32_768 : 8192, gpuMemoryUtilization: row.tp === 8 ? 0.82 : 0.95},
      admission: seldom(row),
      cold: row.measured < WARM_UP_SINCE,
    }),
    because: 'dsr1_fp8_b200*.sh of 2025-11-18 and 2026-03-25',
  },
  {
    when: (row) => inferenceX(row, 'sglang', /R1-0528/) && ofHopper(row),
    run: () => ({scenario: {maxNumBatchedTokens: 32_768, gpuMemoryUtilization: 0.82}}),
    because: 'dsr1_fp8_h200.sh of 2026-03-25',
  },
  {
    when: (row) => inferenceX(row, 'trtllm', /R1-0528/),
    run: (row) => ({scenario: {kvCache: 'fp8', gpuMemoryUtilization: ofHopper(row) ? 0.75 : 0.8, ...deepSeekLayout(row)}, admission: deepSeekWait(row)}),
    because: 'dsr1_{fp4,fp8}_{b200,h200}_trt*.sh; in 2025-11 they chose expert parallelism and data-parallel attention by lengths and concurrency',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /Kimi-K2\.5/),
    run: (row) => ({
      scenario: {
        gpuMemoryUtilization: row.weights === 'nvfp4' ? 0.9 : 0.95,
        maxNumSeqs: row.concurrency,
        ep: 1,
        dpAttention: false,
        ...(row.measured >= '2026-04-20' ? {kvCache: 'fp8', maxNumBatchedTokens: 2 * row.inputTokens} : {}),
      },
    }),
    because: 'kimik2.5_{fp4,int4}_{b200,h200}.sh pass the tensor parallel size only, whatever the row says',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /MiniMax-M2\.5/) && !ofHopper(row) && row.measured < '2026-04',
    run: (row) => ({scenario: {gpuMemoryUtilization: 0.95, ep: row.tp, dpAttention: false}}),
    because: 'minimaxm2.5_fp8_b200.sh of 2026-03 switches expert parallelism on for every row (EP_SIZE -ge 1)',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /MiniMax-M2\.5/) && !ofHopper(row) && row.measured >= '2026-04',
    run: (row) => ({
      scenario: {
        kvCache: 'fp8',
        maxNumBatchedTokens: 2 * row.inputTokens,
        gpuMemoryUtilization: 0.9,
        ...(row.weights !== 'nvfp4' && row.dpAttention ? {dpAttention: false, ep: row.tp} : {}),
      },
    }),
    because: 'minimaxm2.5_{fp4,fp8}_b200.sh of 2026-04; the one for fp8 knows no data parallelism',
  },
  {
    when: (row) => inferenceX(row, 'vllm', /MiniMax-M2\.5/) && ofHopper(row),
    run: (row) => ({
      scenario: {
        gpuMemoryUtilization: row.gpu.startsWith('h100') ? 0.9 : 0.95,
        maxNumSeqs: row.gpu.startsWith('h100') ? 256 : undefined,
        ...(row.dpAttention ? {dpAttention: false, ep: row.tp} : {}),
      },
    }),
    because: 'minimaxm2.5_fp8_{h100,h200}.sh of 2026-03: no data parallelism',
  },
  {
    when: (row) => inferenceX(row, 'sglang', /Qwen3\.5-397B/),
    run: (row) => ({
      scenario: {
        kvCache: row.weights === 'bf16' ? undefined : 'fp8',
        maxNumBatchedTokens: ofHopper(row) ? 16_384 : 32_768,
        gpuMemoryUtilization: ofHopper(row) ? 0.8 : row.weights === 'nvfp4' ? 0.85 : 0.82,
      },
      admission: ofHopper(row) ? undefined : seldom(row),
      stateElementBytes: row.weights === 'bf16' ? undefined : 2,
    }),
    because: 'qwen3.5_{bf16,fp8,fp4}_b200.sh, qwen3.5_fp8_h200.sh of 2026-02 to 2026-04',
  },
]

function deepSeekLayout(row: MeasuredRow): Partial<Scenario> {
  const tokens = roomForPrompt(row)
  if (row.measured >= '2026') return {maxNumBatchedTokens: Math.max(8192, tokens)}
  if (row.measured >= '2025-12') return {maxNumBatchedTokens: tokens}
  const {concurrency, inputTokens, outputTokens, tp} = row
  const longPrompts = inputTokens > outputTokens
  const even = inputTokens === outputTokens
  if (row.weights !== 'nvfp4') {
    const most = ofHopper(row) ? (longPrompts ? 32 : 64) : even ? 32 : 64
    return {maxNumBatchedTokens: tokens, ep: tp, dpAttention: concurrency > most}
  }
  const most = longPrompts || tp === 4 ? 32 : even ? 8 : 16
  return {maxNumBatchedTokens: tokens, ep: concurrency > most ? tp : 1, dpAttention: longPrompts ? concurrency > most : concurrency >= 256}
}

const deepSeekWait = (row: MeasuredRow): Admission | undefined =>
  row.weights !== 'nvfp4' && !ofHopper(row) && row.measured >= '2026' && row.outputTokens === 1024 && row.inputTokens === 1024 && row.concurrency >= 64
    ? {waitSteps: 40}
    : undefined

/** Measurements that are of something else than their row says and that cannot be put right. */
export const EXCLUDED: {when: (row: MeasuredRow) => boolean; because: string}[] = [
  {
    when: (row) =>
      inferenceX(row, 'sglang', /R1-0528/) && row.weights !== 'nvfp4' && !ofHopper(row) && row.measured >= '2026' && row.id.startsWith('2026_03_25'),
    because:
      'drafts were on: of the two launches of that day only dsr1_fp8_b200_mtp.sh goes beyond 128 in flight (nvidia-master.yaml), and rows of this table do; the other has its own table',
  },
  {
    when: (row) => inferenceX(row, 'sglang', /Qwen3\.5-397B/) && row.weights === 'fp8-block' && !ofHopper(row) && row.tp === 4 && row.ep === 1,
    because: 'drafts were on: nvidia-master.yaml has this layout in qwen3.5-fp8-b200-sglang-mtp only',
  },
]

/** The scenario that ran with what scenarios do not hold, or why the row is left out. Rows of other origin come back as they are. */
export function asRun(raw: Record<string, unknown>): ({raw: Record<string, unknown>} & Omit<Launch, 'scenario'>) | {excluded: string} {
  const row = measuredRow(raw)
  const excluded = EXCLUDED.find((rule) => rule.when(row))
  if (excluded) return {excluded: excluded.because}
  const launch = LAUNCHES.find((rule) => rule.when(row))?.run(row)
  if (!launch) return {raw}
  const flags = Object.fromEntries(Object.entries(launch.scenario).filter(([, value]) => value !== undefined))
  const {scenario: _, ...rest} = launch
  return {raw: {...raw, ...flags}, ...rest}
}
