/** What the tools take, made from the schemas of the documents that they stand for. */
import type {Documented} from '../cli/documents.ts'
import {SCHEMAS} from '../cli/json-schema.ts'
import * as z from 'zod'
import {PREFERENCES, OBJECTIVES} from '../planner/scenario/index.ts'
import {FORMATS} from '../render/launch/formats.ts'

/** A JSON Schema of an object, as the protocol wants it of a tool. */
export interface ObjectSchema {
  type: 'object'
  properties?: Record<string, object>
  required?: string[]
  [key: string]: unknown
}

const strings = {type: 'array', items: {type: 'string'}}

/** Only the first plans, and no term by term: what most questions need. */
const EXPLAIN = {explain: {type: 'boolean', description: 'also every term of memory and every part of a step, each with its rule (long)'}}

async function schemaOf(document: Documented): Promise<ObjectSchema> {
  const {$schema: _dialect, ...schema} = z.toJSONSchema(await SCHEMAS[document](), {io: 'input', unrepresentable: 'any'})
  return schema as unknown as ObjectSchema
}

function withFields(schema: ObjectSchema, fields: Record<string, object>, left: readonly string[] = []): ObjectSchema {
  const properties = Object.fromEntries(Object.entries({...schema.properties, ...fields}).filter(([name]) => !left.includes(name)))
  return {...schema, type: 'object', properties}
}

/** A question; of its load everything may be left out. */
async function scenarioSchema(): Promise<ObjectSchema> {
  const scenario = await schemaOf('scenario')
  const workload = scenario.properties!.workload as ObjectSchema
  const described = {
    ...workload,
    required: [],
    description: 'the load; what is left out is assumed: one user (concurrency 1), prompts of 1024 tokens and answers of 512',
  }
  const {model, gpu, machine} = scenario.properties as Record<string, object>
  return withFields(scenario, {
    model: {...model, description: 'a name (qwen3-32b), a repository (Qwen/Qwen3-32B-AWQ) or a path; the models tool lists them'},
    gpu: {...gpu, examples: ['2xrtx-4090', '8xh200-sxm']},
    machine: {...machine, description: 'instead of gpu: a machine by name (dgx-h200), or a file with what detect or nvidia-smi prints; neither: this machine'},
    workload: described,
  })
}

export const checkInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {simulate: {type: 'boolean', description: 'percentiles from the serving simulator beside the means'}, ...EXPLAIN})

export const planInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {
    objective: {enum: [...OBJECTIVES], description: 'what is best; absent: throughput'},
    most: {type: 'integer', minimum: 1, maximum: 20, description: 'how many plans are listed; absent: 5'},
    ...EXPLAIN,
  })

export const compareInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {
    models: {...strings, description: 'several models, instead of model'},
    gpus: {...strings, description: 'several machines by their cards, instead of gpu'},
    machines: {...strings, description: 'several machines by name, instead of machine'},
    ...EXPLAIN,
  })

export const configInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {
    format: {enum: FORMATS.map(({id}) => id), description: FORMATS.map(({id, summary}) => `${id}: ${summary}`).join('; ')},
    set: {...strings, description: "options of the engine set by hand, as FLAG=VALUE or FLAG, checked against that release's options"},
    public: {type: 'boolean', description: 'others than this machine reach it, with an API key'},
    ...EXPLAIN,
  })

export const capacityInput = async (): Promise<ObjectSchema> => withFields(await schemaOf('capacity-file'), EXPLAIN)

export const verifyInput = async (): Promise<ObjectSchema> =>
  withFields(
    await scenarioSchema(),
    {
      files: {...strings, description: 'paths of start-up logs of one engine, one or one for each rank'},
      logs: {...strings, description: 'the same as texts'},
      benchFile: {type: 'string', description: 'path of the result of a benchmark (vllm bench serve, sglang.bench_serving, ...)'},
      bench: {type: 'string', description: 'the same as text'},
    },
    ['workload', 'slo', 'command', 'id', 'prefer'],
  )

export const modelsInput = async (): Promise<ObjectSchema> => ({
  type: 'object',
  properties: {
    words: {
      ...strings,
      description: 'words that a model must fit, all of them: names, publishers, licences, tasks (coding, vision), sizes (small, 7b), formats',
    },
    minParams: {type: 'number', description: 'least total parameters, as a count: 7000000000'},
    maxParams: {type: 'number'},
    maxActive: {type: 'number', description: 'most parameters read for each token'},
    licence: {type: 'string'},
    modality: {enum: ['text', 'vision', 'audio', 'video']},
    minContextTokens: {type: 'integer'},
    family: {type: 'string'},
    weights: {type: 'string', description: 'a format that a published checkpoint has: fp8, awq-int4, nvfp4'},
    fits: {type: 'boolean', description: 'only what fits the machine of gpu or machine, or this one, best first'},
    gpu: {type: 'string', description: 'COUNTxGPU, such as 2xrtx-4090'},
    machine: {type: 'string'},
    engine: {type: 'string'},
    prefer: {enum: [...PREFERENCES]},
    workload: {type: 'object'},
    limit: {type: 'integer', minimum: 0, description: 'how many are listed; absent: 20; 0: all'},
  },
  additionalProperties: false,
})

export const modelInput = async (): Promise<ObjectSchema> => ({
  type: 'object',
  properties: {name: {type: 'string', description: 'a name, a repository or a path'}},
  required: ['name'],
  additionalProperties: false,
})

export const nameInput = async (what: string): Promise<ObjectSchema> => ({
  type: 'object',
  properties: {name: {type: 'string', description: `${what} by its name; or a word, which lists those that it is found in. Absent: all`}},
  additionalProperties: false,
})

export const noInput = async (): Promise<ObjectSchema> => ({type: 'object', properties: {}, additionalProperties: false})

/** What a tool answers with; nothing where the document has no schema of its own. */
export async function outputOf(document: string): Promise<ObjectSchema | undefined> {
  if (!Object.hasOwn(SCHEMAS, document)) return undefined
  const schema = await schemaOf(document as Documented)
  return schema.type === 'object' ? schema : undefined
}
