import * as z from 'zod'

const value = z.union([z.number(), z.string(), z.boolean()])

/** The output of `diff --json`. */
export const DiffSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  kind: z.enum(['result', 'plan', 'comparison', 'capacity']),
  tolerance: z.number(),
  worse: z.int().describe('figures that are worse beyond the tolerance'),
  changes: z.array(
    z.object({
      key: z.string(),
      before: value.optional(),
      after: value.optional(),
      unit: z.enum(['ms', 'bytes', 'tokens', 'tok/s', 'amount']).optional(),
      relative: z.number().optional(),
      effect: z.enum(['worse', 'better', 'changed']),
    }),
  ),
})
