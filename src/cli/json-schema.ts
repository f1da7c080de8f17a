import * as z from 'zod'
import type {Documented} from './documents.ts'

type Io = 'input' | 'output'

const printed = (schema: z.ZodType, io: Io = 'input'): unknown => z.toJSONSchema(schema, {io, unrepresentable: 'any'})

/** Where the schema of each document lies; loaded for the one that is asked for. */
export const SCHEMAS: Record<Documented, () => Promise<z.ZodType>> = {
  scenario: async () => (await import('../planner/scenario/schema.ts')).ScenarioLineSchema,
  result: async () => (await import('../planner/answer/schema.ts')).ResultSchema,
  plan: async () => (await import('../planner/plan/schema.ts')).PlanSchema,
  compare: async () => (await import('../planner/compare/schema.ts')).ComparisonSchema,
  capacity: async () => (await import('../planner/capacity/schema.ts')).CapacitySchema,
  'capacity-file': async () => (await import('../planner/capacity/schema.ts')).CapacityFileSchema,
  verify: async () => (await import('../planner/verify/schema.ts')).VerificationSchema,
  calibrate: async () => (await import('../planner/verify/schema.ts')).CalibrationSchema,
  diff: async () => (await import('../planner/diff/schema.ts')).DiffSchema,
  upgrade: async () => (await import('../planner/diff/schema.ts')).UpgradeSchema,
  machine: async () => (await import('../detect/machine-schema.ts')).MachineDocumentSchema,
  doctor: async () => (await import('./listing-schemas.ts')).DoctorSchema,
  here: async () => (await import('../planner/models/schema.ts')).HereSchema,
  models: async () => (await import('../planner/models/schema.ts')).ModelsSchema,
  model: async () => (await import('../planner/models/schema.ts')).ModelDocumentSchema,
  gpus: async () => (await import('./listing-schemas.ts')).GpusSchema,
  machines: async () => (await import('./listing-schemas.ts')).MachinesSchema,
  engines: async () => (await import('./listing-schemas.ts')).EnginesSchema,
  support: async () => (await import('../planner/models/schema.ts')).SupportSchema,
  documents: async () => (await import('./listing-schemas.ts')).DocumentsSchema,
  completion: async () => (await import('./listing-schemas.ts')).CompletionSchema,
  web: async () => (await import('./listing-schemas.ts')).WebSchema,
  error: async () => (await import('./listing-schemas.ts')).ErrorSchema,
}

/** JSON Schema (2020-12) of one of the documents of the contract. */
export const jsonSchema = async (what: Documented): Promise<unknown> => printed(await SCHEMAS[what]())
