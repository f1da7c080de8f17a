/** Shapes of the files under `data/engines/`. For the build and the tests only: a run reads compiled JSON. */
import * as z from 'zod'
import {problemsOf} from '../catalogue/zod-problems.ts'
import type {FlagTable} from './flags.ts'
import type {NeedsTable} from './launch/needs-table.ts'
import type {LoraTable} from './lora-table.ts'
import {platformsFile, type PlatformsFile} from './platforms-schema.ts'
import type {SupportTable} from './support-formats.ts'
import {compareVersions, isVersion} from './versions.ts'

const text = z.string().trim().min(1)
const version = text.refine(isVersion, 'expected a version such as 0.11.0 or 1.3.0rc24')
const versionOrAny = text.refine((value) => value === 'any' || isVersion(value), 'expected a version or `any`')
const isoDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date such as 2026-08-26')
const vendor = z.enum(['nvidia', 'amd'])
const path = z.string().startsWith('/')

const engineFile = z
  .strictObject({
    title: text,
    docsUrl: z.url(),
    newestVersion: version,
    versions: z.array(z.strictObject({version, released: isoDate.optional()})).min(1),
    images: z
      .array(
        z.strictObject({
          vendor,
          repository: text,
          /** `{version}` stands for the release. */
          tag: text.includes('{version}'),
          since: version.optional(),
          gfx: z.array(text).optional(),
          entrypoint: z.array(text).optional(),
        }),
      )
      .min(1),
    port: z.int().min(1).max(65535),
    defaultHost: text.optional(),
    healthPath: path,
    metricsPath: path.optional(),
    configFile: z.strictObject({flag: text, format: z.literal('yaml'), keys: z.enum(['hyphen', 'field'])}),
  })
  .refine((file) => file.versions.at(-1)?.version === file.newestVersion, {path: ['newestVersion'], message: 'expected the last of `versions`'})
  .refine((file) => file.versions.every(({version: own}, index) => index === 0 || compareVersions(file.versions[index - 1]?.version ?? '', own) < 0), {
    path: ['versions'],
    message: 'expected releases in rising order, each once',
  })

const flagRow = z.strictObject({
  name: text,
  aliases: z.array(text).min(1).optional(),
  type: z.enum(['int', 'float', 'bool', 'enum', 'json', 'str', 'list', 'object']).optional(),
  choices: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
  default: z.unknown().optional(),
  since: version.optional(),
  until: version.optional(),
  choicesSince: z.record(text, version).optional(),
  spellings: z.record(text, version).optional(),
  open: z.boolean().optional(),
  deprecated: z.boolean().optional(),
  source: text.optional(),
})

const flagsFile = z
  .strictObject({
    engine: text,
    repository: text,
    commit: z.string().regex(/^[0-9a-f]{40}$/, 'expected a full commit'),
    underscores: z.boolean().optional(),
    dottedKeys: z.boolean().optional(),
    humanIntegers: z.boolean().optional(),
    sources: z.record(text, text),
    flags: z.array(flagRow).min(1),
    fields: z.array(flagRow).optional(),
  })
  .superRefine((file, context) => {
    for (const [list, rows] of [
      ['flags', file.flags],
      ['fields', file.fields ?? []],
    ] as const) {
      const seen = new Set<string>()
      for (const [index, row] of rows.entries()) {
        const at = [list, index]
        if (seen.has(row.name)) context.addIssue({code: 'custom', path: at, message: `${row.name} stands here twice`})
        seen.add(row.name)
        if (row.source !== undefined && !(row.source in file.sources)) context.addIssue({code: 'custom', path: at, message: `no source "${row.source}"`})
        if (row.since !== undefined && row.until !== undefined && compareVersions(row.since, row.until) > 0)
          context.addIssue({code: 'custom', path: at, message: 'since is later than until'})
        if (row.type === 'enum' && !row.choices) context.addIssue({code: 'custom', path: at, message: 'an enum needs choices'})
      }
    }
  })

const range = z.tuple([z.number().min(5), z.number().max(13)]).refine(([from, to]) => from <= to, 'expected [from, to]')

const formatRule = z.strictObject({
  on: z.array(range).min(1).optional(),
  native: z.array(range).min(1).optional(),
  amd: z.union([z.boolean(), z.array(text).min(1)]).optional(),
  since: version.optional(),
  until: version.optional(),
  plugin: text.optional(),
  pluginSince: version.optional(),
  value: text.optional(),
  needs: z.record(text, text).optional(),
  source: text,
})

const buildRule = z
  .strictObject({
    since: version.optional(),
    until: version.optional(),
    capability: range.optional(),
    gfx: z.array(z.string().startsWith('gfx')).min(1).optional(),
    source: text,
  })
  .refine(({capability, gfx}) => (capability === undefined) !== (gfx === undefined), 'expected capability (NVIDIA) or gfx (AMD)')

const formatRules = z.record(text, z.record(text, z.union([z.literal(false), formatRule])))

const architectureRule = z.union([versionOrAny, z.strictObject({since: version.optional(), until: version.optional(), plugin: text.optional()})])

const supportFile = z
  .strictObject({
    formats: formatRules,
    cacheFormats: formatRules,
    attention: formatRules,
    builds: z.record(text, z.array(buildRule).min(1)),
    architectures: z.record(text, z.object({sameAs: text.optional()}).catchall(architectureRule)),
  })
  .superRefine((file, context) => {
    for (const [name, entry] of Object.entries(file.architectures)) {
      if (entry.sameAs !== undefined && !(entry.sameAs in file.architectures))
        context.addIssue({code: 'custom', path: ['architectures', name], message: `no class "${entry.sameAs}"`})
    }
  })

const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())

const need = z.strictObject({
  toolCallParser: text.optional(),
  reasoningParser: text.optional(),
  trustRemoteCode: z.literal(true).optional(),
  tokenizerMode: text.optional(),
  customTokenizer: text.optional(),
  configFormat: text.optional(),
  loadFormat: text.optional(),
  kvCacheDtype: text.optional(),
  blockSize: z.int().positive().optional(),
  tokensPerBlock: z.int().positive().optional(),
  environment: environment.optional(),
  options: z
    .array(z.strictObject({flag: z.string().startsWith('--'), value: z.union([text, z.number(), z.literal(true)]), since: version.optional(), because: text}))
    .min(1)
    .optional(),
})

const parserReleases = z.strictObject({toolCallParser: z.record(text, versionOrAny), reasoningParser: z.record(text, versionOrAny)})

const needsFile = z
  .strictObject({
    parsers: z.record(text, parserReleases),
    models: z.array(
      z.strictObject({
        match: z.array(text).min(1),
        architectures: z.array(text).min(1).optional(),
        vllm: need.optional(),
        sglang: need.optional(),
        trtllm: need.optional(),
        source: z.array(text).min(1),
      }),
    ),
    hardware: z
      .array(
        z.strictObject({
          engine: text,
          gfx: z.array(z.string().startsWith('gfx')).min(1),
          match: z.array(text).min(1),
          environment,
          source: z.array(text).min(1),
        }),
      )
      .optional(),
  })
  .superRefine((file, context) => {
    for (const [index, entry] of file.models.entries()) {
      for (const engine of ['vllm', 'sglang', 'trtllm'] as const) {
        for (const kind of ['toolCallParser', 'reasoningParser'] as const) {
          const name = entry[engine]?.[kind]
          if (name !== undefined && !(name in (file.parsers[engine]?.[kind] ?? {})))
            context.addIssue({code: 'custom', path: ['models', index, engine, kind], message: `no release is given for "${name}"`})
        }
      }
    }
  })

const classes = z.array(text).min(1)

const loraFile = z.strictObject({
  vllm: z.strictObject({release: text, without: classes, embeddings: classes, fusedExperts: classes, source: text}),
})

export type EngineFile = z.output<typeof engineFile>

export type EngineFileResult =
  | {kind: 'engine'; value: EngineFile; problems: []}
  | {kind: 'flags'; value: FlagTable; problems: []}
  | {kind: 'support'; value: Omit<SupportTable, 'speculation' | 'lora'>; problems: []}
  | {kind: 'needs'; value: NeedsTable; problems: []}
  | {kind: 'lora'; value: LoraTable; problems: []}
  | {kind: 'platforms'; value: PlatformsFile; problems: []}
  | {kind: 'invalid'; value?: undefined; problems: string[]}

/** The file's name without folder and ending: `vllm`, `vllm-flags`, `support`, `needs`. */
const stem = (file: string): string => (file.split(/[/\\]/).at(-1) ?? file).replace(/\.ya?ml$/, '')

/**
 * Checks one file of `data/engines/` by its name and returns what a run needs of it, or every problem at once.
 * `needs.yaml`, `support.yaml`, `lora.yaml`, `platforms.yaml`, `<engine>-flags.yaml`; any other name is an engine.
 */
export function checkEngineFile(path: string, value: unknown): EngineFileResult {
  const name = stem(path)
  const kind = name === 'needs' || name === 'support' || name === 'lora' || name === 'platforms' ? name : name.endsWith('-flags') ? 'flags' : 'engine'
  const schema = {engine: engineFile, flags: flagsFile, support: supportFile, needs: needsFile, lora: loraFile, platforms: platformsFile}[kind]
  const result = schema.safeParse(value)
  if (!result.success) return {kind: 'invalid', problems: problemsOf(path, result.error)}
  if (kind === 'flags' && (result.data as FlagTable).engine !== name.replace(/-flags$/, ''))
    return {kind: 'invalid', problems: [`${path}: engine: expected ${name.replace(/-flags$/, '')}`]}
  return {kind, value: result.data, problems: []} as unknown as EngineFileResult
}
