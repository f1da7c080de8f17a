import * as z from 'zod'
import {InputError} from '../../core/input-error.ts'
import {OBJECTIVES, type Scenario} from './scenario.ts'
import {ScenarioSchema} from './fields.ts'
import {scenarioProblems} from './problems.ts'

export type RawScenario = Record<string, unknown>

/** A scenario in a file: that of `batch`, with what `plan` is to look for. The model may come from the command line. */
const ScenarioFileSchema = z.strictObject({
  ...ScenarioSchema.shape,
  model: ScenarioSchema.shape.model.optional(),
  objective: z.enum(OBJECTIVES as [string, ...string[]]).optional(),
  description: z.string().optional(),
})

export interface FileScenario extends Omit<Scenario, 'model'> {
  model?: string
  objective?: string
}

/** Of these pairs one excludes the other: what comes later takes the place of both. */
const EITHER = [['gpu', 'machine']]
const EITHER_LOAD = [['concurrency', 'requestRate']]

const isMapping = (value: unknown): value is RawScenario => typeof value === 'object' && value !== null && !Array.isArray(value)

/** One scenario over another: fields of the upper win, load and limits field by field. */
export function layered(lower: RawScenario, upper: RawScenario): RawScenario {
  const merged = over(lower, upper, EITHER)
  for (const part of ['workload', 'slo']) {
    if (isMapping(lower[part]) && isMapping(upper[part])) merged[part] = over(lower[part], upper[part], EITHER_LOAD)
  }
  return merged
}

function over(lower: RawScenario, upper: RawScenario, either: string[][]): RawScenario {
  const merged: RawScenario = {...lower}
  for (const pair of either) if (pair.some((name) => upper[name] !== undefined)) for (const name of pair) delete merged[name]
  // A link is one of the cards it was said with.
  if (upper.gpu !== undefined || upper.machine !== undefined) delete merged.link
  for (const [name, value] of Object.entries(upper)) if (value !== undefined) merged[name] = value
  return merged
}

/** Checks what a file holds. @throws InputError SCENARIO_INVALID with every problem that matters. */
export function checkedScenario(raw: unknown, path: string, assumed: {inputTokens: number; outputTokens: number}): FileScenario {
  const filled = isMapping(raw) && isMapping(raw.workload) ? {...raw, workload: {...assumed, ...raw.workload}} : raw
  const parsed = ScenarioFileSchema.safeParse(filled, {reportInput: true})
  if (!parsed.success) {
    const {messages, suggestions} = scenarioProblems(ScenarioFileSchema, parsed.error)
    throw new InputError('SCENARIO_INVALID', `${path}: ${messages.slice(0, 4).join('; ')}`, {suggestions})
  }
  const {description: _description, ...scenario} = parsed.data
  return scenario as FileScenario
}
