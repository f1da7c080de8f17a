import * as z from 'zod'
import {EngineOptionFields, ScenarioSchema} from '../scenario/schema.ts'

export const VERDICTS = ['fits', 'tight', 'too-slow', 'does-not-fit', 'unsupported'] as const

const bytes = z.int()
const range = z.object({low: z.int(), high: z.int()})
/** A central 80% interval. */
export const IntervalSchema = z.object({estimate: z.number(), low: z.number(), high: z.number()})
/** At the asked percentile; of an overloaded server they may be without end, and are absent then. */
const latencies = {ttftMs: z.number(), tpotMs: z.number(), endToEndMs: z.number(), shareWithinLimits: z.number()}
const coded = {code: z.string(), message: z.string()}

/** Why it is a no, with what would do. */
export const ReasonSchema = z.object({...coded, remedy: z.string().optional()})
export const WarningSchema = z.object(coded)

/** Limits as documents print them. */
export const ObjectivesSchema = z.object({
  ttftMs: z.number().optional(),
  tpotMs: z.number().optional(),
  endToEndMs: z.number().optional(),
  percentile: z.number().optional(),
})

const loss = z.object({benchmark: z.string(), baseline: z.number(), score: z.number(), recovery: z.number(), withinNoise: z.boolean().optional()})

/** What is known of a checkpoint's loss. Shares of the original's score, 0 to 1 and above by noise. */
const figures = {
  level: z.enum(['original', 'released', 'rebuilt', 'checkpoint', 'model-format', 'format-size', 'format', 'unknown']),
  recovery: z.number().optional(),
  recoveryLow: z.number().optional(),
  recoveryHigh: z.number().optional(),
  perplexityRise: z.number().optional(),
  meanKld: z.number().optional(),
  worst: loss.optional(),
  measurable: z.boolean().optional(),
  apart: z
    .array(z.object({kind: z.enum(['long-reasoning', 'code', 'long-context', 'tools']), rows: z.int(), recovery: z.number(), worst: loss.optional()}))
    .optional(),
  against: z.array(z.string()).optional(),
  format: z.string().optional(),
  size: z.string().optional(),
  rows: z.int(),
  models: z.int(),
  sources: z.array(z.string()),
}
export const QualitySchema = z.object({
  ...figures,
  typical: z.object(figures).optional(),
  kvCache: z.object({...figures, typical: z.object(figures).optional()}).optional(),
})
const accounted = {effect: z.enum(['counted', 'ignored-here', 'wrong']), because: z.string(), uncounted: z.boolean().optional()}

/** What became of an engine's own command: every flag accounted for. */
const CommandSchema = z.object({
  engine: z.string(),
  engineVersion: z.string(),
  image: z.string().optional(),
  flags: z.array(
    z.object({flag: z.string(), value: z.union([z.string(), z.boolean(), z.array(z.string())]), ...accounted, suggestions: z.array(z.string()).optional()}),
  ),
  environment: z.array(z.object({name: z.string(), value: z.string().optional(), ...accounted})),
  replaced: z.array(z.object({field: z.string(), command: z.unknown(), given: z.unknown()})),
  prints: z.array(z.string()),
  risks: z.array(z.string()),
  change: z.object({flags: z.string(), outcome: z.string()}).optional(),
})

const distribution = z.object({mean: z.number(), p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number(), max: z.number()})

/** What `check --simulate` adds. */
const SimulationSchema = z.object({
  seed: z.int(),
  requests: z.int(),
  refused: z.int(),
  ttftMs: distribution.optional(),
  tpotMs: distribution.optional(),
  endToEndMs: distribution.optional(),
  outputTokensPerSecond: z.number(),
  requestsPerSecond: z.number(),
  busyShare: z.number(),
  meanCacheShare: z.number().optional(),
  peakCacheShare: z.number().optional(),
  meanRunning: z.number(),
  meanWaiting: z.number(),
  waitingAtLastArrival: z.number(),
  preemptions: z.int(),
})

/** What a deployment loads, and how it is laid over GPUs. */
export const LAYOUT = {weights: z.string(), kvCache: z.string(), tp: z.int(), pp: z.int(), dp: z.int(), ep: z.int(), dpAttention: z.boolean()}

/** The output of `check --json` and of each line of `batch`. */
export const ResultSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional().describe('hash of the compiled data that was answered from'),
  id: z.string().optional(),
  model: z.object({id: z.string(), hfId: z.string(), totalParams: z.int(), activeParams: z.int(), publisher: z.enum(['maker', 'known', 'community'])}),
  hardware: z.object({
    gpu: z.string(),
    gpus: z.int().positive(),
    nodes: z.int().positive(),
    cards: z.array(z.object({gpu: z.string(), count: z.int().positive()})).optional(),
  }),
  deployment: z.object({
    engine: z.string(),
    engineVersion: z.string(),
    ...LAYOUT,
    maxModelLen: z.int(),
    maxNumSeqs: z.int(),
    maxNumBatchedTokens: z.int(),
    gpuMemoryUtilization: z.number().optional().describe('absent where the engine would leave itself none, and refuses'),
    enforceEager: z.boolean(),
    speculative: z.object({method: z.string(), tokens: z.int(), draft: z.string().optional()}).optional(),
    acceptance: z.number().optional(),
    cpuOffloadBytes: bytes,
    reservedBytesPerGpu: bytes,
    ...EngineOptionFields,
    replaced: z
      .array(
        z.object({field: z.enum(['maxNumSeqs', 'gpuMemoryUtilization', 'maxModelLen']), engineDefault: z.number(), value: z.number(), because: z.string()}),
      )
      .optional(),
  }),
  workload: ScenarioSchema.shape.workload,
  quality: QualitySchema.optional(),
  verdict: z.enum(VERDICTS),
  reasons: z.array(ReasonSchema),
  memory: z.object({
    perGpu: z.object({
      totalBytes: bytes,
      budgetBytes: bytes,
      weightsBytes: bytes,
      activationBytes: bytes,
      cudaGraphBytes: bytes,
      runtimeBytes: bytes,
      kvCacheBytes: bytes,
      stateBytes: bytes.optional(),
      freeBytes: bytes,
    }),
    kvBytesPerToken: bytes,
    stateBytesPerSequence: bytes.optional(),
    kvCacheTokens: z.int(),
    maxConcurrencyAtMaxModelLen: z.number(),
    largestMaxModelLen: z.int(),
    largestMaxNumSeqs: z.int().optional(),
    interval: z
      .object({kvCacheTokens: range, largestMaxModelLen: range})
      .optional()
      .describe('about four in five starts lie within; wider where no log of the release, the kind of layers or the platform is known'),
    hostBytes: bytes.optional(),
    terms: z.array(z.object({name: z.string(), bytes, kind: z.enum(['exact', 'derived', 'measured', 'assumed']), because: z.string()})),
  }),
  performance: z
    .object({
      ttftMs: IntervalSchema,
      tpotMs: IntervalSchema,
      outputTokensPerSecond: IntervalSchema,
      outputTokensPerSecondPerUser: z.number(),
      outputTokensPerSecondPerGpu: z.number(),
      totalTokensPerSecond: z.number(),
      boundBy: z.enum(['memory-bandwidth', 'compute', 'interconnect', 'overhead', 'kv-capacity']),
      breakdown: z.array(z.object({phase: z.enum(['prefill', 'decode']), name: z.string(), ms: z.number(), because: z.string()})),
      basis: z.object({calibration: z.string(), ownRuns: z.string().optional(), extrapolated: z.array(z.enum(['hardware', 'model', 'engine']))}),
      speculation: z.object({acceptance: z.number(), source: z.string(), paysUntilConcurrency: z.int()}).optional(),
    })
    .optional(),
  pooling: z
    .object({
      task: z.enum(['embed', 'rerank']),
      leastGpuMemoryUtilization: z.number().optional(),
      batchTokens: z.int(),
      batchTexts: z.int(),
      latencyMs: IntervalSchema.optional(),
      inputTokensPerSecond: IntervalSchema.optional(),
      textsPerSecond: IntervalSchema.optional(),
    })
    .optional(),
  tail: z.object({...latencies, slow: z.object(latencies)}).optional(),
  warnings: z.array(WarningSchema),
  command: CommandSchema.optional(),
  simulation: SimulationSchema.optional().describe('of check --simulate'),
  artifact: z
    .object({
      format: z.string(),
      text: z.string(),
      files: z.array(z.looseObject({name: z.string(), text: z.string()})),
      options: z.array(z.looseObject({option: z.string(), because: z.string()})),
    })
    .optional()
    .describe('of config: the start files'),
  written: z.array(z.string()).optional().describe('of config --out: the paths of what was written'),
})

/** A row of `models --json`; `models show --json` has more fields. */
export const ModelSchema = z.looseObject({
  id: z.string(),
  hfId: z.string(),
  name: z.string(),
  family: z.string(),
  totalParams: z.int(),
  activeParams: z.int(),
  contextTokens: z.int().optional().describe('absent where only name and size are known'),
  licence: z.string().optional(),
  checkpoints: z.array(
    z.object({hfId: z.string(), weights: z.string(), bytes: bytes.optional(), contextTokens: z.int().optional(), quality: QualitySchema.optional()}),
  ),
  layers: z.array(z.object({count: z.int(), name: z.string(), attention: z.string(), feedForward: z.string()})).optional(),
  kvBytesPerToken: z.object({bf16: z.int(), fp8: z.int()}).optional(),
  sequenceBytes: z.array(z.object({tokens: z.int(), bf16: z.int()})).optional(),
  stateBytesPerSequence: z.int().optional(),
  draftParams: z.int().optional(),
  encoderParams: z.int().optional(),
  extendedContextTokens: z.int().optional(),
  aliases: z.array(z.string()).optional(),
  released: z.string().optional(),
  modality: z.array(z.string()).optional(),
})
