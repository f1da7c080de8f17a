/** What is wrong with a scenario, in words: unknown keys with the one that is meant. Loaded only where there is something to tell. */
import * as z from 'zod'
import {nearest} from '../../core/nearest.ts'
import {dictionary} from '../../core/dictionary.ts'
import {schemaWords} from '../../core/words.ts'

/** Characters of a foreign key or value that are echoed. */
const MOST_ECHOED = 60
const cut = (text: string): string => (text.length > MOST_ECHOED ? `${text.slice(0, MOST_ECHOED)}...` : text)

/** Names that people use for a field of another name, where no spelling is near. */
const OTHER_NAMES: Record<string, string> = dictionary({
  users: 'workload.concurrency',
  input: 'workload.inputTokens',
  output: 'workload.outputTokens',
  rate: 'workload.requestRate',
  gpus: 'gpu',
  card: 'gpu',
  version: 'engineVersion',
  quantization: 'weights',
  dtype: 'weights',
  kvCacheDtype: 'kvCache',
  context: 'maxModelLen',
  contextLength: 'maxModelLen',
  maxSeqLen: 'maxModelLen',
  tensorParallelSize: 'tp',
  pipelineParallelSize: 'pp',
  dataParallelSize: 'dp',
  expertParallelSize: 'ep',
  memFractionStatic: 'gpuMemoryUtilization',
  freeGpuMemoryFraction: 'gpuMemoryUtilization',
  maxRunningRequests: 'maxNumSeqs',
  maxBatchSize: 'maxNumSeqs',
  chunkedPrefillSize: 'maxNumBatchedTokens',
  maxNumTokens: 'maxNumBatchedTokens',
  enableLora: 'lora',
})

interface JsonObject {
  properties?: Record<string, JsonObject>
  anyOf?: JsonObject[]
  allOf?: JsonObject[]
}

const branches = (schema: JsonObject): JsonObject[] => [schema, ...[...(schema.anyOf ?? []), ...(schema.allOf ?? [])].flatMap(branches)]
const propertiesOf = (schema: JsonObject): Record<string, JsonObject> =>
  Object.assign({}, ...branches(schema).map(({properties}) => properties)) as Record<string, JsonObject>

/** Fields by schema: they are looked for once, however many lines are wrong. */
const KNOWN = new WeakMap<z.ZodType, string[]>()

function fieldsOf(schema: z.ZodType): string[] {
  const known = KNOWN.get(schema) ?? pathsOf(z.toJSONSchema(schema, {io: 'input', unrepresentable: 'any'}) as JsonObject)
  KNOWN.set(schema, known)
  return known
}

/** Every field by its dotted path. */
function pathsOf(schema: JsonObject, before = ''): string[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, inner]) => [`${before}${name}`, ...pathsOf(inner, `${before}${name}.`)])
}

/** The field that an unknown key means: one of its neighbours, or one that stands elsewhere; undefined where none is near. */
function meant(key: string, place: string, paths: readonly string[]): string | undefined {
  const camel = key.replaceAll(/[-_]+([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase()).replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  const known = Object.hasOwn(OTHER_NAMES, camel) ? OTHER_NAMES[camel] : undefined
  if (known !== undefined && known.slice(0, known.lastIndexOf('.') + 1) !== place) return known
  const neighbours = paths.filter((path) => path.startsWith(place) && !path.slice(place.length).includes('.')).map((path) => path.slice(place.length))
  const own = nearest(camel, neighbours, 1)[0]
  if (own !== undefined && own !== camel) return own
  const containing = camel.length >= 3 ? neighbours.find((name) => name.toLowerCase().includes(camel.toLowerCase())) : undefined
  if (containing !== undefined && place !== '') return containing
  const named = (path: string) => path.slice(path.lastIndexOf('.') + 1)
  return own ?? known ?? paths.find((path) => named(path) === camel) ?? paths.find((path) => nearest(camel, [named(path)], 1).length > 0)
}

/** Every problem, each with the field; `paths` are those of unknown keys. */
export function scenarioProblems(schema: z.ZodType, error: z.ZodError): {messages: string[]; suggestions: string[]; path: string} {
  const suggestions: string[] = []
  const messages = error.issues
    .flatMap((issue) => unnested(issue))
    .map((issue) => {
      const place = issue.path.map(String).join('.')
      if (issue.code !== 'unrecognized_keys') return `${place === '' ? '' : `${place}: `}${schemaWords(issue.message)}`
      return issue.keys
        .slice(0, 4)
        .map((key) => {
          const near = key.length > MOST_ECHOED ? undefined : meant(key, place === '' ? '' : `${place}.`, fieldsOf(schema))
          if (near !== undefined) suggestions.push(near)
          return `${place === '' ? '' : `${place}.`}${cut(key)}: unknown${near === undefined ? '' : `; did you mean ${near}?`}`
        })
        .join('; ')
    })
  const [first] = error.issues
  const path = first ? [...first.path.map(String), ...(first.code === 'unrecognized_keys' ? [cut(first.keys[0] ?? '')] : [])].join('.') : ''
  return {messages, suggestions: [...new Set(suggestions)], path}
}

/** Of a union the branch that was meant: the one with the fewest problems that is not simply of another type. */
function unnested(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meantBranch = issue.errors.find((errors) => errors.some(({code}) => code === 'unrecognized_keys'))
  return meantBranch ? meantBranch.map((inner) => ({...inner, path: [...issue.path, ...inner.path]}) as z.core.$ZodIssue) : [issue]
}
