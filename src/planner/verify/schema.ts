import * as z from 'zod'
import {ResultSchema, WarningSchema} from '../answer/schema.ts'
import {WorkloadSchema} from '../scenario/schema.ts'

const METRICS = ['ttftMs', 'tpotMs', 'outputTokensPerSecond'] as const
const PARAMETERS = ['bandwidth', 'compute', 'hostMilliseconds'] as const
const UNITS = ['bytes', 'tokens', 'requests'] as const
const OUTCOMES = ['started', 'kv-too-small', 'out-of-memory', 'memory-taken', 'unsupported', 'unknown'] as const

const unanswered = z.array(z.object({place: z.string(), error: z.object({code: z.string(), message: z.string()})}))

const correction = z.object({
  gpu: z.string(),
  engine: z.string(),
  engineVersion: z.string(),
  date: z.string(),
  overheadBytes: z.int(),
  weightsBytes: z.int().optional(),
  from: z.looseObject({hfId: z.string(), weights: z.string(), tp: z.int(), pp: z.int(), dp: z.int()}),
})

const log = z.object({
  engine: z.string(),
  engineVersion: z.string(),
  model: z.object({id: z.string(), hfId: z.string()}),
  hardware: z.object({gpu: z.string(), gpus: z.int().positive()}),
  deployment: ResultSchema.shape.deployment,
  outcome: z.object({
    reported: z.enum(OUTCOMES),
    predicted: z.enum(['started', 'kv-too-small', 'unsupported']),
    later: z.object({message: z.string(), neededBytes: z.int().optional(), during: z.enum(['wake-up', 'serving'])}).optional(),
  }),
  refusal: z.looseObject({message: z.string()}).optional(),
  ranks: z.int(),
  lines: z.array(
    z.object({
      name: z.string(),
      unit: z.enum(UNITS),
      predicted: z.number(),
      reported: z.number(),
      difference: z.number(),
      relative: z.number().optional(),
      because: z.string().optional(),
    }),
  ),
  worstPart: z.string().optional(),
  decisive: z.object({name: z.string(), unit: z.enum(UNITS), difference: z.number(), differenceBytes: z.number()}).optional(),
  mismatches: z.array(z.object({of: z.enum(['card', 'model', 'layout', 'memory']), message: z.string()})).optional(),
  spreadBytes: z.number(),
  within: z.boolean(),
  changes: z.array(z.object({flag: z.string(), because: z.string()})),
  starts: z.int().optional(),
  correction: correction.optional(),
})

const bench = z.object({
  runs: z.array(
    z.object({
      place: z.string(),
      format: z.string(),
      id: z.string().optional(),
      model: z.string(),
      gpu: z.string(),
      engine: z.string(),
      engineVersion: z.string(),
      workload: WorkloadSchema,
      calibration: z.string(),
      figures: z.array(
        z.object({
          metric: z.enum(METRICS),
          estimate: z.number(),
          low: z.number(),
          high: z.number(),
          reported: z.number(),
          relative: z.number(),
          inside: z.boolean(),
        }),
      ),
    }),
  ),
  unanswered,
  within: z.boolean(),
})

/** The output of `verify --json`. */
export const VerificationSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  within: z.boolean().describe("every part lies within the estimate's own error"),
  log: log.optional(),
  bench: bench.optional(),
  savedTo: z.string().optional(),
  warnings: z.array(WarningSchema),
})

/** The output of `calibrate --json`. */
export const CalibrationSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  fits: z.array(
    z.object({
      gpu: z.string(),
      engine: z.string(),
      runs: z.int(),
      factors: z.object({bandwidth: z.number(), compute: z.number(), hostMilliseconds: z.number()}),
      fitted: z.array(z.enum(PARAMETERS)),
      left: z.array(z.object({parameter: z.enum(PARAMETERS), because: z.string()})),
      residuals: z.array(z.object({place: z.string(), metric: z.enum(METRICS), before: z.number(), after: z.number()})),
      medianErrorBefore: z.number(),
      medianErrorAfter: z.number(),
      metrics: z.array(z.object({metric: z.enum(METRICS), figures: z.int(), before: z.number(), after: z.number()})),
      better: z.boolean(),
    }),
  ),
  unanswered,
  savedTo: z.string().optional(),
})
