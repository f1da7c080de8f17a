import * as z from 'zod'
import {QualitySchema, ResultSchema} from '../answer/schema.ts'

/** One published comparison of a checkpoint with what it was made from. */
const FigureSchema = z.looseObject({
  weights: z.string(),
  benchmark: z.string(),
  kind: z.string(),
  metric: z.string(),
  baselineWeights: z.string(),
  baseline: z.number(),
  score: z.number(),
  by: z.enum(['maker', 'independent']),
  source: z.string(),
})

/** The output of `compare --json`. */
export const ComparisonSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  rows: z.array(
    z.object({
      model: z.string(),
      hfId: z.string(),
      publisher: z.enum(['maker', 'known', 'community']),
      weights: z.string(),
      kvCache: z.string(),
      gpu: z.string(),
      gpus: z.int().positive(),
      checkpointBytes: z.int(),
      computation: z.enum(['native', 'weight-only', 'emulated', 'unsupported']),
      quality: QualitySchema,
      loss: z.enum(['kept', 'rebuilt', 'small-loss', 'loss']),
      requestsHeld: z.int().optional().describe('requests of the load that the cache holds at once; absent: it does not start'),
      result: ResultSchema,
    }),
  ),
  measured: z.array(z.object({hfId: z.string(), figures: z.array(FigureSchema)})),
})
