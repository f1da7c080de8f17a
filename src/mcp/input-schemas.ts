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

/** `reused`: whether what stands in several places is written once and referred to. Not every client can follow that in what a tool takes. */
async function schemaOf(document: Documented, reused: 'inline' | 'ref' = 'inline'): Promise<ObjectSchema> {
  const {$schema: _dialect, ...schema} = z.toJSONSchema(await SCHEMAS[document](), {io: 'input', unrepresentable: 'any', reused})
  return schema as unknown as ObjectSchema
}

/** Bounds against slips, which the answer names where they are broken: a model that reads them pays for them with every question. */
const BOUNDS = ['minLength', 'maxLength', 'minItems', 'maxItems', 'propertyNames', 'maximum']

/** A schema without some of its words. Names of fields are no words of it. */
function without<S>(schema: S, words: readonly string[]): S {
  if (Array.isArray(schema)) return schema.map((part: unknown) => without(part, words)) as S
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).filter(([word]) => !words.includes(word))
  return Object.fromEntries(
    entries.map(([word, part]) => [
      word,
      word === 'properties' ? Object.fromEntries(Object.entries(part as object).map(([name, field]) => [name, without(field, words)])) : without(part, words),
    ]),
  ) as S
}

function withFields(schema: ObjectSchema, fields: Record<string, object>, left: readonly string[] = []): ObjectSchema {
  const properties = Object.fromEntries(Object.entries({...schema.properties, ...fields}).filter(([name]) => !left.includes(name)))
  return {...schema, type: 'object', properties}
}

/**
 * Settings of one start, down to the pools of its cache: check and config describe them. The other tools take them too, and do not tell: a model reads what every
 * tool takes with every question.
 */
const OF_ONE_START = [
  'id',
  'decodeContextParallel',
  'graphs',
  'prefixCaching',
  'blockTokens',
  'kvCacheBytes',
  'kvCacheTokens',
  'kvCacheBlocks',
  'windowPoolRatio',
  'statePoolRatio',
  'stateSlots',
  'stateFormat',
  'runner',
  'admission',
  'engineFlags',
]

function briefly(schema: ObjectSchema): ObjectSchema {
  const {additionalProperties: _only, ...open} = schema
  return withFields(open as ObjectSchema, {}, OF_ONE_START)
}

/** A question; of its load everything may be left out. */
async function scenarioSchema(): Promise<ObjectSchema> {
  const scenario = without(await schemaOf('scenario'), BOUNDS)
  const workload = scenario.properties!.workload as ObjectSchema
  const described = {
    ...workload,
    required: [],
    description: 'the load; what is left out is assumed: one user (concurrency 1), prompts of 1024 tokens and answers of 512',
  }
  const {model, gpu, machine, slo, command} = scenario.properties as Record<string, object>
  return withFields(scenario, {
    model: {...model, examples: ['qwen3-32b', 'Qwen/Qwen3-32B-AWQ']},
    gpu: {...gpu, examples: ['2xrtx-4090', '8xh200-sxm', '1xrtx-4090,1xrtx-3090']},
    machine: {...machine, examples: ['dgx-h200', './box.txt']},
    workload: {...described, examples: [{inputTokens: 2000, outputTokens: 500, concurrency: 8}]},
    slo: {...slo, examples: [{ttftMs: 1000, tpotMs: 50}]},
    command: {...command, examples: [['vllm', 'serve', 'Qwen/Qwen3-32B-AWQ', '-tp', '2', '--max-model-len', '32k']]},
  })
}

export const checkInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {simulate: {type: 'boolean', description: 'percentiles from the serving simulator beside the means'}, ...EXPLAIN})

export const planInput = async (): Promise<ObjectSchema> =>
  withFields(briefly(await scenarioSchema()), {
    objective: {enum: [...OBJECTIVES], description: 'what is best; absent: throughput'},
    most: {type: 'integer', minimum: 1, maximum: 20, description: 'how many plans are listed; absent: 5'},
    ...EXPLAIN,
  })

export const compareInput = async (): Promise<ObjectSchema> =>
  withFields(briefly(await scenarioSchema()), {
    models: {...strings, description: 'several models, instead of model', examples: [['qwen3-32b', 'gpt-oss-120b']]},
    gpus: {...strings, description: 'several machines by their cards, instead of gpu', examples: [['2xrtx-4090', '1xrtx-pro-6000']]},
    machines: {...strings, description: 'several machines by name, instead of machine'},
    ...EXPLAIN,
  })

export const configInput = async (): Promise<ObjectSchema> =>
  withFields(await scenarioSchema(), {
    format: {enum: FORMATS.map(({id}) => id), description: FORMATS.map(({id, summary}) => `${id}: ${summary}`).join('; ')},
    set: {...strings, description: "options of the engine set by hand, as FLAG=VALUE or FLAG, checked against that release's options", examples: [['seed=7']]},
    public: {type: 'boolean', description: 'others than this machine reach it, with an API key'},
    replicas: {type: 'integer', minimum: 1, description: 'number of identical servers, with a router in front; absent: 1'},
    ...EXPLAIN,
  })

/** Of several models each has the fields that stand beside one alone: they are described there. */
export async function capacityInput(): Promise<ObjectSchema> {
  const file = briefly(without(await schemaOf('capacity-file'), BOUNDS))
  const {machines, models, ...own} = file.properties as Record<string, ObjectSchema>
  return withFields(file, {
    ...own,
    machines: {...machines, examples: [['dgx-h200', '8xh100-sxm', {gpu: '4xl40s', price: '6.40/h'}]]},
    models: {
      ...without(models, ['description']),
      items: briefly(without(models!.items as ObjectSchema, ['description'])),
      description: 'several models on the same machines, each with its load, in the fields that stand here for one',
    },
    ...EXPLAIN,
  })
}

export const upgradeInput = async (): Promise<ObjectSchema> => {
  const scenario = withFields(
    briefly(await scenarioSchema()),
    {
      from: {type: 'string', description: 'the release of the engine that runs now', examples: ['0.28.0']},
      to: {type: 'string', description: 'the release that may take its place', examples: ['0.33.0']},
      tolerance: {type: 'number', minimum: 0, description: 'how much worse a figure may be before it counts, as a share: 0.05; absent: 0'},
    },
    ['engineVersion'],
  )
  return {...scenario, required: ['from', 'to']}
}

export const verifyInput = async (): Promise<ObjectSchema> =>
  withFields(
    briefly(await scenarioSchema()),
    {
      files: {...strings, description: 'paths of start-up logs of one engine, one or one for each rank'},
      logs: {...strings, description: 'the same as texts'},
      benchFile: {type: 'string', description: 'path of the result of a benchmark (vllm bench serve, sglang.bench_serving, ...)'},
      bench: {type: 'string', description: 'the same as text'},
    },
    ['workload', 'slo', 'command', 'id', 'prefer'],
  )

export async function modelsInput(): Promise<ObjectSchema> {
  const {gpu, machine, engine, workload} = (await scenarioSchema()).properties as Record<string, object>
  return {
    type: 'object',
    properties: {
      words: {
        ...strings,
        description: 'words that a model must fit, all of them: names, publishers, licences, tasks (coding, vision), sizes (small, 7b), formats',
        examples: [['coding', 'small', 'apache']],
      },
      minParams: {type: 'number', description: 'least total parameters, as a count: 7000000000'},
      maxParams: {type: 'number', description: 'most total parameters, as a count'},
      maxActive: {type: 'number', description: 'most parameters read for each token, as a count'},
      licence: {type: 'string', description: "part of the licence's name: apache, mit"},
      modality: {enum: ['text', 'vision', 'audio', 'video'], description: 'what it takes beside text'},
      minContextTokens: {type: 'integer', description: 'context that it must reach, in tokens'},
      family: {type: 'string', description: 'the beginning of the name of its family: qwen3'},
      weights: {type: 'string', description: 'a format that a published checkpoint has: fp8, awq-int4, nvfp4'},
      fits: {type: 'boolean', description: 'only what fits the machine of gpu or machine, or this one, best first'},
      gpu: gpu!,
      machine: machine!,
      engine: {...engine, description: 'vllm, sglang or trtllm: only what that engine serves; absent: vllm'},
      prefer: {enum: [...PREFERENCES], description: 'what the checkpoint of each model is chosen for'},
      workload: workload!,
      limit: {type: 'integer', minimum: 0, description: 'how many are listed; absent: 20; 0: all'},
    },
    additionalProperties: false,
  }
}

export const modelInput = async (): Promise<ObjectSchema> => ({
  type: 'object',
  properties: {name: {type: 'string', description: 'a name, a repository or a path'}},
  required: ['name'],
  additionalProperties: false,
})

export const nameInput = async (what: string): Promise<ObjectSchema> => ({
  type: 'object',
  properties: {name: {type: 'string', description: `${what} by its name; or a word, which lists those that it is found in. Absent: all, a long list`}},
  additionalProperties: false,
})

export const noInput = async (): Promise<ObjectSchema> => ({type: 'object', properties: {}, additionalProperties: false})

/** What a tool answers with. The protocol wants an object, also where it is one of several. */
export const outputOf = async (document: Documented): Promise<ObjectSchema> => ({...(await schemaOf(document, 'ref')), type: 'object'})
