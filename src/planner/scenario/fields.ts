import * as z from 'zod'
import {LIMITS, PREFERENCES, type Preference} from './scenario.ts'
import {parseSpeculation} from './speculation.ts'

const whole = ({min, max}: {min: number; max: number}) => z.int().min(min).max(max)

/** Load of the contract: a closed loop (`concurrency`) or an open one (`requestRate`), one of the two. */
export const WorkloadSchema = z
  .object({
    inputTokens: whole(LIMITS.tokens).describe('mean tokens of a prompt'),
    outputTokens: whole(LIMITS.tokens).describe('mean tokens of an answer'),
    concurrency: z
      .union([whole(LIMITS.concurrency), z.literal('max')])
      .optional()
      .describe('requests in flight, or "max": as many as memory and limits allow'),
    requestRate: z.number().min(LIMITS.requestRate.min).max(LIMITS.requestRate.max).optional().describe('requests per second'),
    prefixHitRate: z.number().min(0).max(1).optional().describe('share of prompt tokens found in the prefix cache'),
  })
  .refine((workload) => workload.concurrency === undefined || workload.requestRate === undefined, {message: 'give concurrency or requestRate, not both'})

/** The input of `batch`, and what the flags of `check` and `config` become. */
export const ScenarioSchema = z.object({
  id: z.string().optional(),
  model: z.string().min(1).max(4096),
  gpu: z.string().min(1).max(4096).optional().describe('COUNTxGPU-ID, comma-separated for mixed cards'),
  machine: z.string().min(1).max(4096).optional().describe('a catalogued system, or a file that detect --json printed'),
  nodes: whole(LIMITS.nodes).optional(),
  prefer: z
    .enum(PREFERENCES as [Preference, ...Preference[]])
    .optional()
    .describe('what the checkpoint is chosen for, among those that keep the load'),
  engine: z.string().min(1).optional(),
  engineVersion: z.string().max(128).optional(),
  weights: z.string().min(1).optional(),
  kvCache: z.string().min(1).optional(),
  tp: whole(LIMITS.parallel).optional(),
  pp: whole(LIMITS.parallel).optional(),
  dp: whole(LIMITS.parallel).optional(),
  ep: whole(LIMITS.parallel).optional(),
  dpAttention: z.boolean().optional(),
  maxModelLen: whole(LIMITS.tokens).optional(),
  maxNumSeqs: whole(LIMITS.sequences).optional(),
  maxNumBatchedTokens: whole(LIMITS.tokens).optional(),
  gpuMemoryUtilization: z.number().min(LIMITS.fraction.min).max(LIMITS.fraction.max).optional(),
  enforceEager: z.boolean().optional(),
  speculative: z
    .union([
      z.object({
        method: z.string().min(1),
        tokens: whole(LIMITS.draftTokens).default(1),
        draft: z.string().min(1).max(256).optional().describe('repository of the draft'),
      }),
      z.string().min(1).max(256),
    ])
    .transform((value) => (typeof value === 'string' ? parseSpeculation(value) : value))
    .optional(),
  acceptance: z
    .number()
    .min(LIMITS.acceptance.min)
    .max(LIMITS.acceptance.max)
    .optional()
    .describe('(mean accepted length - 1) / drafted tokens, 0 to 1; above 1, the mean accepted length of a step'),
  cpuOffloadBytes: whole(LIMITS.bytes).optional(),
  reservedBytesPerGpu: whole(LIMITS.bytes).optional(),
  workload: WorkloadSchema.optional(),
  slo: z
    .object({
      ttftMs: z.number().positive().optional(),
      tpotMs: z.number().positive().optional(),
      e2eMs: z.number().positive().optional().describe('from the arrival of a request to its last token'),
      endToEndMs: z.number().positive().optional().describe('the same, as version 1 called it'),
      percentile: z.number().min(1).max(100).optional().describe('share of requests, in per cent, that must keep the limits; absent: the mean must'),
    })
    .transform(({e2eMs, endToEndMs = e2eMs, ...slo}) => ({...slo, ...(endToEndMs !== undefined && {endToEndMs})}))
    .optional(),
})
