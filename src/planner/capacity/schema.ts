import * as z from 'zod'
import {problemsOf} from '../../catalogue/zod-problems.ts'
import {InputError} from '../../core/input-error.ts'
import {IntervalSchema, ObjectivesSchema, ResultSchema} from '../answer/schema.ts'
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
  name: z.string().min(1).max(200).optional().describe('what the answer calls this load'),
  inputTokens: lengths.optional().describe('tokens of a prompt: a mean, or {mean, deviation}, {low, high} or {p50, p95}'),
  outputTokens: lengths.optional().describe('tokens of an answer, in the same ways'),
  prefixHitRate: share({min: 0, max: 1}).optional().describe('share of prompt tokens found in the prefix cache'),
  requestRate: z
    .number()
    .min(LIMITS.requestRate.min)
    .max(LIMITS.requestRate.max)
    .optional()
    .describe('requests per second, in the busy hour; or users, or trace'),
  users: z.number().positive().max(1e9).optional().describe('people at the same time, each with one request in flight or a pause'),
  thinkSeconds: z.number().min(0).max(86_400).optional().describe('pause of a user between an answer and the next request, in seconds'),
  trace: z.string().min(1).optional().describe('a file in JSON Lines or CSV'),
  slo: z
    .union([slo, z.enum(['none', 'interactive'])])
    .optional()
    .describe('latency limits, or none; absent: the interactive ones'),
  growth: z.union([z.string(), z.number()]).optional().describe('5%/month or 80%/year'),
}

const kind = z.strictObject({
  gpu: gpu.optional(),
  machine: machine.optional(),
  nodes: nodes.optional(),
  price: z.string().optional().describe('AMOUNT/TIME in any currency: 98.32/h, 70000/month, 250000/year'),
})

/** What `capacity` reads: a fleet of machine kinds, and the models with what arrives for each. */
export const CapacityFileSchema = z.strictObject({
  description: z.string().optional(),
  machines: z
    .array(z.union([z.string(), kind]))
    .max(64)
    .optional()
    .describe('kinds of machines that may be had, by name or cards; absent: the catalogue is searched'),
  models: z
    .array(z.strictObject({...load, model}))
    .min(1)
    .max(64)
    .optional(),
  /** One model alone may stand here. */
  model: model.optional(),
  ...load,
  months: z.array(z.int().min(0).max(600)).min(1).max(60).optional().describe('months from now that are answered for: [0, 12, 24]'),
  spare: z.int().min(0).max(1000).optional().describe('machines beyond those that carry the load'),
  maxUtilisation: share({min: 0.05, max: 1}).optional().describe('most of its capacity that a machine is planned to carry, as a share'),
  kwhPrice: z.number().min(0).optional().describe('price of a kilowatt-hour, in the currency of the machines'),
})

export type CapacityFile = z.infer<typeof CapacityFileSchema>

/** @throws InputError CAPACITY_INVALID. */
export function checkedCapacity(value: unknown, path: string): CapacityFile {
  const parsed = CapacityFileSchema.safeParse(value)
  if (!parsed.success) throw new InputError('CAPACITY_INVALID', problemsOf(path, parsed.error).slice(0, 4).join('; '))
  return parsed.data
}

const limits = z.array(z.object({name: z.enum(['ttftMs', 'tpotMs', 'endToEndMs']), limit: z.number(), estimate: z.number(), high: z.number()}))
const inFlight = z.object({mean: z.number(), busy: z.number()})
const limitedBy = z.enum(['limits', 'percentile', 'utilisation', 'cache', 'most-looked-at'])

const period = z.object({
  month: z.int(),
  needed: z.int(),
  machines: z.int(),
  gpus: z.int(),
  units: z.array(z.object({name: z.string(), units: z.number(), demand: z.number(), utilisation: z.number()})),
  utilisation: z.number(),
  utilisationAfterLoss: z.number().optional().describe('above 1 the limits are broken until the lost machine is back; absent: nothing is left of a model'),
  cautious: z.object({needed: z.int(), machines: z.int(), gpus: z.int(), costPerMonth: z.number().optional()}).optional(),
  watts: z.number().optional(),
  kwhPerMonth: z.number().optional(),
  costPerMonth: z.number().optional(),
  energyCostPerMonth: z.number().optional(),
})

const option = z.object({
  machine: z.string(),
  gpu: z.string(),
  gpusPerMachine: z.int(),
  feasible: z.boolean(),
  verdict: z.enum(['fits', 'tight', 'too-slow', 'does-not-fit']),
  problems: z.array(
    z.object({
      name: z.string(),
      code: z.string(),
      message: z.string(),
      remedy: z.string().optional(),
      limits: limits.optional(),
      shareWithinLimits: z.number().optional(),
    }),
  ),
  placements: z.array(
    z.object({
      name: z.string(),
      gpus: z.int(),
      carries: z.number(),
      requestsPerSecond: z.number(),
      limitedBy,
      inFlight: inFlight.optional(),
      shareWithinLimits: z.number().optional(),
      limits: limits.optional(),
      cautious: z.object({carries: z.number(), requestsPerSecond: z.number(), limitedBy}).optional(),
      result: ResultSchema,
      atLoad: z.object({amount: z.number(), inFlight: inFlight.optional(), ttftMs: IntervalSchema, tpotMs: IntervalSchema}).optional(),
    }),
  ),
  powerOf: z.enum(['system', 'gpus']).optional(),
  periods: z.array(period),
})

/** The output of `capacity --json`. */
export const CapacitySchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  feasible: z.boolean(),
  spare: z.int(),
  maxUtilisation: z.number(),
  candidates: z.object({considered: z.int()}).optional(),
  demands: z.array(
    z.object({
      name: z.string(),
      model: z.string(),
      unit: z.enum(['requestsPerSecond', 'users']),
      amount: z.number(),
      thinkSeconds: z.number().optional(),
      inputTokens: z.number(),
      outputTokens: z.number(),
      slo: ObjectivesSchema.optional(),
      sloAssumed: z.boolean().optional(),
      growthPerMonth: z.number(),
      trace: z.looseObject({requests: z.int(), peakRequestsPerSecond: z.number(), busiestRequests: z.int().optional()}).optional(),
    }),
  ),
  options: z.array(option),
  written: z.array(z.string()).optional().describe('paths of what --save wrote'),
})
