import * as z from 'zod'
import {MachineDocumentSchema} from '../../detect/machine-schema.ts'
import {ModelSchema, QualitySchema, ReasonSchema, WarningSchema} from '../answer/schema.ts'

export const SUPPORT_STATUSES = ['native', 'weight-only', 'refused', 'unlisted'] as const

const FitSchema = z.object({
  verdict: z.enum(['fits', 'tight']),
  hfId: z.string(),
  publisher: z.enum(['maker', 'known', 'community']),
  weights: z.string(),
  tp: z.int(),
  pp: z.int(),
  dp: z.int(),
  contextTokens: z.int(),
  maxModelLen: z.int(),
  kvCacheTokens: z.int(),
  outputTokensPerSecondPerUser: z.number().optional(),
  outputTokensPerSecond: z.number().optional(),
  ttftMs: z.number().optional(),
  textsPerSecond: z.number().optional(),
})

const fitting = z.array(ModelSchema.extend({fit: FitSchema}))

/** The output of `models --json`; `fit` with `--fits`. */
export const ModelsSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  models: z.array(ModelSchema.extend({fit: FitSchema.optional()})),
  reasons: z.array(ReasonSchema).optional(),
})

/** The output of `models show --json` and `models import --json`; as version 1 had it, their `model` alone. */
export const ModelDocumentSchema = z.union([
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), model: ModelSchema, warnings: z.array(z.string())}),
  ModelSchema,
])

/** The output of `servefit --json`. The machine is as `detect` prints it. */
export const HereSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  machine: MachineDocumentSchema.optional().describe('as detect --json prints it; absent where another machine was named'),
  models: fitting,
  more: z.boolean().describe('whether others fit too; models has the best'),
  reasons: z.array(ReasonSchema).optional(),
})

/** The output of `engines support --json`. */
export const SupportSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  model: z.string(),
  support: z.array(
    z.object({
      engine: z.string(),
      engineVersion: z.string(),
      weights: z.string(),
      hfId: z.string(),
      gpu: z.string(),
      quality: QualitySchema.optional(),
      status: z.enum(SUPPORT_STATUSES),
      reasons: z.array(ReasonSchema),
      warnings: z.array(WarningSchema),
    }),
  ),
})
