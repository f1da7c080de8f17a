import * as z from 'zod'

/** JSON Schema (2020-12) of one of the documents of the contract. */
export async function jsonSchema(what: string): Promise<unknown> {
  switch (what) {
    case 'scenario':
      return z.toJSONSchema((await import('../planner/scenario/schema.ts')).ScenarioLineSchema, {io: 'input'})
    case 'machine':
      return z.toJSONSchema((await import('../detect/machine-schema.ts')).MachineDocumentSchema, {io: 'input', unrepresentable: 'any'})
    case 'model':
      return z.toJSONSchema((await import('../planner/answer/schema.ts')).ModelSchema)
    default:
      return z.toJSONSchema((await import('../planner/answer/schema.ts')).ResultSchema, {io: 'input'})
  }
}
