import * as z from 'zod'
import {LAYOUT, ReasonSchema, ResultSchema, VERDICTS, WarningSchema} from '../answer/schema.ts'
import {SUPPORT_STATUSES} from '../models/schema.ts'

const value = z.union([z.number(), z.string(), z.boolean()])

const change = z.object({
  key: z.string(),
  before: value.optional(),
  after: value.optional(),
  unit: z.enum(['ms', 'bytes', 'tokens', 'tok/s', 'amount']).optional(),
  relative: z.number().optional().describe('of numbers: 0.1 is a tenth more'),
  effect: z.enum(['worse', 'better', 'changed']),
})

/** The output of `diff --json`. */
export const DiffSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z
    .object({before: z.string().optional(), after: z.string().optional()})
    .optional()
    .describe('hashes of the data that the two were answered from, where they differ'),
  kind: z.enum(['result', 'plan', 'comparison', 'capacity']),
  tolerance: z.number(),
  worse: z.int().describe('figures that are worse beyond the tolerance'),
  changes: z.array(change),
})

/** A value under both releases; absent: that release has none. */
const anyChange = z.object({name: z.string(), before: z.unknown().optional(), after: z.unknown().optional()})
const replaced = z.array(z.object({name: z.string(), instead: z.string().optional()}))
const {weights: _weights, kvCache: _kvCache, ...layout} = LAYOUT

/** The output of `diff --engine-version A B --json`. */
export const UpgradeSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  kind: z.literal('upgrade'),
  engine: z.string(),
  from: z.string(),
  to: z.string(),
  model: z.string(),
  hfId: z.string(),
  gpu: z.string(),
  gpus: z.int().positive(),
  layout: z.object(layout),
  verdict: z.object({before: z.enum(VERDICTS), after: z.enum(VERDICTS)}),
  reasons: z.array(ReasonSchema).describe('why the second release would not do, where it would not'),
  tolerance: z.number(),
  worse: z.int().describe('figures that are worse beyond the tolerance'),
  figures: z.array(change).describe('cache, context, memory by part, speed'),
  defaults: z.array(anyChange).describe('what the engine chooses by itself'),
  start: z.array(anyChange).describe('options of the start command that servefit writes'),
  options: z
    .object({
      gone: replaced,
      came: z.array(z.string()),
      changed: z.array(anyChange.extend({what: z.enum(['default', 'choices'])})),
      deprecated: replaced,
    })
    .describe('options of the engine by name'),
  support: z
    .array(z.object({weights: z.string(), hfId: z.string(), before: z.enum(SUPPORT_STATUSES), after: z.enum(SUPPORT_STATUSES), reason: z.string().optional()}))
    .describe('formats that the second release loads otherwise on this card'),
  warnings: z.object({came: z.array(WarningSchema), gone: z.array(WarningSchema)}).describe('remarks that only one of the two answers has'),
  before: ResultSchema,
  after: ResultSchema,
})
