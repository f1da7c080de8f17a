import * as z from 'zod'
import {LAYOUT, ObjectivesSchema, ReasonSchema, ResultSchema} from '../answer/schema.ts'
import {OBJECTIVES} from '../scenario/index.ts'

const latencies = {ttftMs: z.number(), tpotMs: z.number(), endToEndMs: z.number()}

/** A plan: the result of `check` for it, with how it stands to the limits. */
const PlannedSchema = ResultSchema.extend({
  excess: z.number().optional().describe('how far beyond the limits, where it does not keep them: 1.2 is a fifth too slow'),
  endToEndMs: z.object({estimate: z.number(), high: z.number()}).optional(),
  alsoKvCache: z.array(z.string()).optional(),
  alsoCheckpoints: z.array(z.string()).optional(),
})

/** The output of `plan --json`. */
export const PlanSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  met: z.boolean(),
  objective: z.enum(OBJECTIVES as [string, ...string[]]),
  slo: ObjectivesSchema.optional(),
  interactive: ObjectivesSchema.optional().describe('neither a load nor limits were given: the usual limits by which loads were chosen'),
  considered: z.int(),
  plans: z.array(PlannedSchema),
  drafting: z
    .array(
      z.object({
        speculative: z.object({method: z.string(), tokens: z.int(), draft: z.string().optional()}),
        gain: z.number(),
        outputTokensPerSecond: z.number(),
        acceptance: z.number(),
        source: z.string(),
        paysUntilConcurrency: z.int().optional(),
      }),
    )
    .optional(),
  mostThroughput: PlannedSchema.optional(),
  passedOver: PlannedSchema.optional(),
  front: z.array(
    z.object({
      outputTokensPerSecondPerUser: z.number(),
      outputTokensPerSecondPerGpu: z.number(),
      engine: z.string(),
      ...LAYOUT,
      concurrency: z.union([z.int(), z.literal('max')]).optional(),
    }),
  ),
  reach: z
    .array(
      z.object({
        change: z.enum(['layout', 'looser-limits', 'fewer-users', 'lower-rate', 'shorter-prompts', 'shorter-answers', 'machine']),
        flags: z.string(),
        outcome: z.string(),
      }),
    )
    .optional(),
  floor: z.object({...latencies, slow: z.object(latencies)}).optional(),
  refusals: z.array(ReasonSchema.extend({examples: z.array(z.string()), count: z.int()})),
  failed: z.array(z.string()).optional().describe('conditions of --fail-on that the best plan breaks'),
  written: z.array(z.string()).optional().describe('paths of what --save wrote'),
})
