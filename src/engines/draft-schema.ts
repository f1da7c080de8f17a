/** Shapes of the files under `data/drafts/`. For the build and the tests only. */
import * as z from 'zod'
import type {Draft} from '../core/model.ts'
import type {AcceptanceRow, SpeculationMethods} from './speculation/table.ts'
import {isVersion} from './versions.ts'
import {count, id, text} from '../catalogue/quantity-schema.ts'
import {withoutAbsent} from '../catalogue/without-absent.ts'
import {problemsOf} from '../catalogue/zod-problems.ts'

const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected a repository such as RedHatAI/Qwen3-32B-speculator.eagle3')
const engine = z.enum(['vllm', 'sglang', 'trtllm'])
/** Decimal, as the hub prints the sizes of files. Out: bytes. */
const fileSize = z
  .string()
  .regex(/^\d+(\.\d+)? [MG]B$/, 'expected a size such as 2.81 GB')
  .transform((size) => Math.round(Number.parseFloat(size) * (size.endsWith('GB') ? 1e9 : 1e6)))

const shape = z.strictObject({
  layerCount: count,
  hiddenSize: count,
  intermediateSize: count,
  queryHeadCount: count,
  kvHeadCount: count,
  headDim: count,
  vocabularySize: count.optional(),
})

const draftsFile = z.strictObject({
  drafts: z
    .array(
      z
        .strictObject({
          target: id,
          hfId: repository,
          method: z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected a method such as eagle3'),
          engines: z.array(engine).min(1).optional(),
          parameters: z.number().positive().optional(),
          bytes: fileSize.optional(),
          layerCount: count.optional(),
          shape: shape.optional(),
          source: z.array(text).min(1),
        })
        .refine(({layerCount, shape: whole}) => layerCount === undefined || whole === undefined, 'layerCount belongs in the shape, where there is one'),
    )
    .min(1),
})

/** A draft and the id of the model that it drafts for. */
export interface DraftEntry {
  target: string
  draft: Draft
}

/** Checks one file of drafts. */
export function checkDraftFile(path: string, value: unknown): {entries: DraftEntry[]; problems: string[]} {
  const parsed = draftsFile.safeParse(value)
  if (!parsed.success) return {entries: [], problems: problemsOf(path, parsed.error)}
  return {entries: parsed.data.drafts.map(({target, ...draft}) => ({target, draft: withoutAbsent(draft) as Draft})), problems: []}
}

const version = text.refine(isVersion, 'expected a version such as 0.11.0 or 1.3.0rc24')
const rule = z.union([
  z.literal(false),
  z.strictObject({since: version.optional(), until: version.optional(), ownLayers: z.literal(true).optional(), source: text}),
])

const methodsFile = z.strictObject({
  methods: z.record(
    z.string().regex(/^[a-z][a-z0-9_]*$/),
    z.strictObject({
      title: text,
      needs: z.enum(['nothing', 'layers', 'draft']),
      aliases: z.array(z.string().regex(/^[a-z][a-z0-9_-]*$/)).optional(),
      vllm: rule,
      sglang: rule,
      trtllm: rule,
    }),
  ),
})

/** Checks the table of methods: no word means two of them. */
export function checkMethodsFile(path: string, value: unknown): {methods: SpeculationMethods; problems: string[]} {
  const parsed = methodsFile.safeParse(value)
  if (!parsed.success) return {methods: {}, problems: problemsOf(path, parsed.error)}
  const owners = new Map<string, string>()
  const problems: string[] = []
  for (const [name, {aliases = []}] of Object.entries(parsed.data.methods))
    for (const word of [name, ...aliases]) {
      const owner = owners.get(word)
      if (owner !== undefined) problems.push(`${path}: methods: "${word}" means ${owner} and ${name}`)
      owners.set(word, name)
    }
  const methods = Object.fromEntries(
    Object.entries(parsed.data.methods).map(([name, {title, needs, aliases, ...engines}]) => [name, withoutAbsent({title, needs, aliases, engines})]),
  )
  return {methods: methods as SpeculationMethods, problems}
}

const acceptanceFile = z.strictObject({
  rows: z
    .array(
      z
        .strictObject({
          method: z.string().regex(/^[a-z][a-z0-9_]*$/),
          model: id.optional(),
          draft: repository.optional(),
          about: text,
          lengths: z.record(z.string().regex(/^[1-9]\d?$/, 'expected a number of drafted tokens'), z.number().min(1)).optional(),
          chance: z.number().gt(0).lt(1).optional(),
          source: text,
        })
        .refine(({lengths, chance}) => (lengths === undefined) !== (chance === undefined), 'expected lengths or chance, one of the two')
        .refine(
          ({lengths = {}}) => Object.entries(lengths).every(([tokens, length]) => length <= Number(tokens) + 1),
          'a step yields at most one token more than were drafted',
        ),
    )
    .min(1),
})

/** Checks the published accepted lengths. */
export function checkAcceptanceFile(path: string, value: unknown): {rows: AcceptanceRow[]; problems: string[]} {
  const parsed = acceptanceFile.safeParse(value)
  return parsed.success
    ? {rows: parsed.data.rows.map((row) => withoutAbsent(row) as AcceptanceRow), problems: []}
    : {rows: [], problems: problemsOf(path, parsed.error)}
}
