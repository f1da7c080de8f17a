import * as z from 'zod'
import {problemsOf} from '../../catalogue/zod-problems.ts'
import {InputError} from '../../core/input-error.ts'
import {LIMITS} from '../scenario/index.ts'
import {ScenarioSchema, share} from '../scenario/schema.ts'

const {id: _id, command: _command, model, gpu, machine, nodes, workload: _workload, slo, ...request} = ScenarioSchema.shape

const tokens = z.number().min(LIMITS.tokens.min).max(LIMITS.tokens.max)
const lengths = z
  .union([
    z.int().min(LIMITS.tokens.min).max(LIMITS.tokens.max),
    z.strictObject({mean: tokens, deviation: z.number().min(0).max(LIMITS.tokens.max)}),
    z.strictObject({low: tokens, high: tokens}).refine(({low, high}) => low <= high, {message: 'low is above high'}),
    z.strictObject({p50: tokens, p95: tokens}).refine(({p50, p95}) => p50 <= p95, {message: 'p50 is above p95'}),
  ])
  .describe('a mean, or {mean, deviation}, {low, high} or {p50, p95}')

const load = {
  ...request,
  name: z.string().min(1).max(200).optional(),
  inputTokens: lengths.optional(),
  outputTokens: lengths.optional(),
  prefixHitRate: share({min: 0, max: 1}).optional(),
  requestRate: z.number().min(LIMITS.requestRate.min).max(LIMITS.requestRate.max).optional(),
  users: z.number().positive().max(1e9).optional(),
  thinkSeconds: z.number().min(0).max(86_400).optional(),
  trace: z.string().min(1).optional().describe('a file in JSON Lines or CSV'),
  slo: z
    .union([slo, z.enum(['none', 'interactive'])])
    .optional()
    .describe('latency limits, or none; absent: the interactive ones'),
  growth: z.union([z.string(), z.number()]).optional().describe('5%/month or 80%/year'),
}

const kind = z.strictObject({gpu: gpu.optional(), machine: machine.optional(), nodes: nodes.optional(), price: z.string().optional()})

/** What `capacity` reads: a fleet of machine kinds, and the models with what arrives for each. */
export const CapacityFileSchema = z.strictObject({
  description: z.string().optional(),
  machines: z
    .array(z.union([z.string(), kind]))
    .max(64)
    .optional(),
  models: z
    .array(z.strictObject({...load, model}))
    .min(1)
    .max(64)
    .optional(),
  /** One model alone may stand here. */
  model: model.optional(),
  ...load,
  months: z.array(z.int().min(0).max(600)).min(1).max(60).optional(),
  spare: z.int().min(0).max(1000).optional(),
  maxUtilisation: share({min: 0.05, max: 1}).optional(),
  kwhPrice: z.number().min(0).optional(),
})

export type CapacityFile = z.infer<typeof CapacityFileSchema>

/** @throws InputError CAPACITY_INVALID. */
export function checkedCapacity(value: unknown, path: string): CapacityFile {
  const parsed = CapacityFileSchema.safeParse(value)
  if (!parsed.success) throw new InputError('CAPACITY_INVALID', problemsOf(path, parsed.error).slice(0, 4).join('; '))
  return parsed.data
}
