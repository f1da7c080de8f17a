import * as z from 'zod'

type Io = 'input' | 'output'

const printed = (schema: z.ZodType, io: Io = 'input'): unknown => z.toJSONSchema(schema, {io, unrepresentable: 'any'})

/** Where the schema of each document lies; loaded for the one that is asked for. */
export const SCHEMAS: Record<string, () => Promise<z.ZodType>> = {
  scenario: async () => (await import('../planner/scenario/schema.ts')).ScenarioLineSchema,
  result: async () => (await import('../planner/answer/schema.ts')).ResultSchema,
  'capacity-file': async () => (await import('../planner/capacity/schema.ts')).CapacityFileSchema,
  machine: async () => (await import('../detect/machine-schema.ts')).MachineDocumentSchema,
  model: async () => z.object({model: (await import('../planner/answer/schema.ts')).ModelSchema, warnings: z.array(z.string())}),
}

/** JSON Schema (2020-12) of one of the documents of the contract. */
export const jsonSchema = async (what: string): Promise<unknown> => printed(await SCHEMAS[what]!())
