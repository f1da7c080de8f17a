/** What stands beside a question, from programs that have no types: checked where it comes in. Loaded where it is needed, as the schema of questions is. */
import * as z from 'zod'
import {InputError} from '../core/input-error.ts'
import {scenarioProblems} from '../planner/scenario/schema.ts'

const texts = z.array(z.string())
const count = z.number().min(0)

const ASKED = {
  check: z.strictObject({simulate: z.union([z.boolean(), z.strictObject({seed: z.int().min(0)})]).optional()}),
  config: z.strictObject({
    format: z.string().optional(),
    set: texts.optional(),
    public: z.boolean().optional(),
    replicas: z.int().min(1).max(1024).optional(),
  }),
  upgrade: z.strictObject({from: z.string().min(1), to: z.string().min(1), tolerance: z.number().min(0).max(10).optional()}),
  // The rest of these is a scenario, which has a schema of its own.
  compare: z.object({models: texts.optional(), gpus: texts.optional(), machines: texts.optional()}),
  verify: z.object({logs: z.union([z.string(), texts]).optional(), bench: z.string().optional()}),
  models: z.object({
    words: texts.optional(),
    minParams: count.optional(),
    maxParams: count.optional(),
    maxActive: count.optional(),
    licence: z.string().optional(),
    modality: z.enum(['text', 'vision', 'audio', 'video']).optional(),
    minContextTokens: z.int().min(1).optional(),
    family: z.string().optional(),
    weights: z.string().optional(),
    fits: z.boolean().optional(),
    limit: z.int().min(0).optional(),
  }),
  model: z.string(),
}

/** @throws InputError OPTIONS_INVALID. `place`: what it is called in messages. */
export function requireAsked(what: keyof typeof ASKED, value: unknown, place: string): void {
  const parsed = ASKED[what].safeParse(value, {reportInput: true})
  if (parsed.success) return
  const {messages, suggestions} = scenarioProblems(ASKED[what], parsed.error)
  throw new InputError('OPTIONS_INVALID', `${place}: ${messages.slice(0, 4).join('; ')}`, {suggestions})
}
