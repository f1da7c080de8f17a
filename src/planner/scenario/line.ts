import * as z from 'zod'
import {BoundedMap} from '../../core/bounded-map.ts'
import {ScenarioLineSchema} from './fields.ts'

type ScenarioLine = z.infer<typeof ScenarioLineSchema>

/** Schemas of the fields that lines give, by their names: of a long input most lines give the same. */
const NARROW = new BoundedMap<string, z.ZodType<ScenarioLine>>(100)

/**
 * The checked scenario of a line. A schema looks at each of its fields, given or not, and a line gives few of fifty: it is checked by a schema of those
 * that it gives, and where that finds something by the whole, which says what.
 */
export function checkedLine(value: unknown): z.ZodSafeParseResult<ScenarioLine> {
  const narrow = isNarrow(value) ? narrowSchema(Object.keys(value)).safeParse(value) : undefined
  return narrow?.success ? narrow : ScenarioLineSchema.safeParse(value, {reportInput: true})
}

/** An object with a model: what is asked of it beyond its single fields is kept. */
const isNarrow = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'model') &&
  Object.keys(value).every((name) => Object.hasOwn(ScenarioLineSchema.shape, name))

function narrowSchema(given: readonly string[]): z.ZodType<ScenarioLine> {
  return NARROW.once(given.join(' '), () => {
    const fields = Object.entries(ScenarioLineSchema.shape).filter(([name]) => given.includes(name))
    return z.strictObject(Object.fromEntries(fields)) as z.ZodType<ScenarioLine>
  })
}
