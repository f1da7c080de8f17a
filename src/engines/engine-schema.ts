/** Shapes of the files under `data/engines/`. For the build and the tests only: a run reads compiled JSON. */
import * as z from 'zod'
import {problemsOf} from '../catalogue/zod-problems.ts'
import {ATTENTION_KINDS} from './attention.ts'
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
    /** The last release whose sources were read, where the newest are known by name only; and why no further. */
    rulesRead: z.strictObject({until: version, because: text}).optional(),
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
          digests: z.record(text, z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected a digest such as sha256:0f1e...')).optional(),
          nonRoot: z.strictObject({since: version, user: z.int().positive(), group: z.int().nonnegative(), home: path}).optional(),
        }),
      )
      .min(1),
    port: z.int().min(1).max(65535),
    defaultHost: text.optional(),
    healthPath: path,
    metricsPath: path.optional(),
    configFile: z.strictObject({flag: text, format: z.literal('yaml'), keys: z.enum(['hyphen', 'field'])}),
    compileCaches: z
      .array(z.strictObject({folder: z.string().regex(/^\.[a-z_./]+$/, 'expected a folder below the home folder'), until: version.optional()}))
      .min(1)
      .optional(),
    drain: z.union([z.strictObject({always: z.literal(true)}), z.strictObject({flag: z.string().startsWith('--'), since: version})]).optional(),
  })
  .refine((file) => file.versions.at(-1)?.version === file.newestVersion, {path: ['newestVersion'], message: 'expected the last of `versions`'})
  .refine(({rulesRead, versions}) => rulesRead === undefined || versions.some(({version: own}) => own === rulesRead.until), {
    path: ['rulesRead'],
    message: 'expected one of `versions`',
  })
  .refine((file) => file.versions.every(({version: own}, index) => index === 0 || compareVersions(file.versions[index - 1]?.version ?? '', own) < 0), {
    path: ['versions'],
    message: 'expected releases in rising order, each once',
  })

const flagType = z.enum(['int', 'float', 'bool', 'enum', 'json', 'str', 'list', 'object'])

const flagRow = z.strictObject({
  name: text,
  aliases: z.array(text).min(1).optional(),
  type: flagType.optional(),
  choices: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .optional(),
  default: z.unknown().optional(),
  since: version.optional(),
  until: version.optional(),
  choicesSince: z.record(text, version).optional(),
  choicesUntil: z.record(text, version).optional(),
  spellings: z.record(text, version).optional(),
  spellingsUntil: z.record(text, version).optional(),
  open: z.boolean().optional(),
  deprecated: z.boolean().optional(),
  instead: text.optional(),
  gone: text.optional(),
  earlier: z
    .array(
      z.strictObject({
        until: version,
        type: flagType,
        default: z.unknown().optional(),
        open: z.boolean().optional(),
        deprecated: z.boolean().optional(),
        instead: text.optional(),
        choices: z.array(z.union([z.string(), z.number()])).optional(),
      }),
    )
    .min(1)
    .optional(),
  source: text.optional(),
})

const flagsFile = z
  .strictObject({
    engine: text,
    repository: text,
    release: version.optional(),
    commit: z
      .string()
      .regex(/^[0-9a-f]{40}$/, 'expected a full commit')
      .optional(),
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
  amdBecause: text.optional(),
  widenedTo: text.optional(),
  since: version.optional(),
  until: version.optional(),
  plugin: text.optional(),
  pluginSince: version.optional(),
  value: text.optional(),
  needs: z.record(text, text).optional(),
  source: text,
})

/** One rule, or one for each stretch of releases, the first first and none over another. */
const formatRules = z.record(
  text,
  z.record(
    text,
    z.union([
      z.literal(false),
      formatRule,
      z.array(formatRule).min(2).refine(inOrder, 'expected releases in order: each rule begins after the one before it ends'),
    ]),
  ),
)

function inOrder(rules: {since?: string | undefined; until?: string | undefined}[]): boolean {
  return rules.every(({since}, index) => {
    const before = rules[index - 1]
    return before === undefined || (since !== undefined && before.until !== undefined && compareVersions(before.until, since) < 0)
  })
}

const architectureRule = z.union([versionOrAny, z.strictObject({since: version.optional(), until: version.optional(), plugin: text.optional()})])

const supportFile = z
  .strictObject({
    formats: formatRules,
    cacheFormats: formatRules,
    architectures: z.record(text, z.object({sameAs: text.optional()}).catchall(architectureRule)),
  })
  .superRefine((file, context) => {
    for (const [name, entry] of Object.entries(file.architectures)) {
      if (entry.sameAs !== undefined && !(entry.sameAs in file.architectures))
        context.addIssue({code: 'custom', path: ['architectures', name], message: `no class "${entry.sameAs}"`})
    }
  })

const gfx = z.string().startsWith('gfx')
/** `13`, `12.9`. */
const toolkit = z.string().regex(/^\d{1,2}(?:\.\d{1,2})?$/)

const buildRule = z
  .strictObject({
    since: version.optional(),
    until: version.optional(),
    variant: text.optional(),
    cuda: toolkit.optional(),
    rocm: toolkit.optional(),
    capability: z.array(range).min(1).optional(),
    gfx: z.array(gfx).min(1).optional(),
    notInWheel: z.array(range).min(1).optional(),
    source: text,
  })
  .refine(({capability, gfx: targets}) => (capability === undefined) !== (targets === undefined), 'expected capability (NVIDIA) or gfx (AMD)')

const attentionRule = z.strictObject({
  backend: text,
  serves: z.array(z.enum(ATTENTION_KINDS)).min(1),
  caches: z.array(text).min(1).optional(),
  headDims: z.array(z.int().positive()).min(1).optional(),
  classes: z.array(text).min(1).optional(),
  vendor: z.literal('amd').optional(),
  on: z.array(range).min(1).optional(),
  amd: z.union([z.literal(true), z.array(gfx).min(1)]).optional(),
  since: version.optional(),
  until: version.optional(),
  source: text,
})

const buildsFile = z.strictObject({
  builds: z.record(text, z.array(buildRule).min(1)),
  attention: z.record(text, z.array(attentionRule).min(1)),
})

const environment = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())

const neededOptions = z
  .array(
    z.strictObject({
      flag: z.string().startsWith('--'),
      value: z.union([text, z.number(), z.literal(true)]),
      since: version.optional(),
      inImage: z.literal('nvidia').optional(),
      because: text,
    }),
  )
  .min(1)

const need = z.strictObject({
  toolCallParser: text.optional(),
  earlierToolCallParser: text.optional(),
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
  options: neededOptions.optional(),
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
        z
          .strictObject({
            engine: text,
            gfx: z.array(z.string().startsWith('gfx')).min(1).optional(),
            capabilities: z.array(z.int().min(1)).min(1).optional(),
            match: z.array(text).min(1).optional(),
            checkpoints: z.array(text).min(1).optional(),
            architectures: z.array(text).min(1).optional(),
            environment: environment.optional(),
            options: neededOptions.optional(),
            source: z.array(text).min(1),
          })
          .refine(({gfx, capabilities}) => gfx === undefined || capabilities === undefined, 'says both gfx and capabilities')
          .refine(
            ({match, checkpoints, architectures}) => [match, checkpoints, architectures].filter((names) => names !== undefined).length === 1,
            'expected one of match, checkpoints and architectures',
          ),
      )
      .optional(),
    revisions: z.array(z.strictObject({of: text, newer: text, source: z.array(text).min(1)})).optional(),
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

const learned = z.strictObject({name: text, since: version.optional(), until: version.optional()})

/** What `npm run learn` reads of an engine besides its options and classes: for the build, the tests and people who review; a run does not read it. */
const factsFile = z.strictObject({
  engine: text,
  releases: z.array(version).min(1),
  weightFormats: z.array(learned.extend({minCapability: z.number().min(0).max(13).optional(), source: text.optional()})),
  speculativeMethods: z.array(learned).optional(),
  builds: z
    .array(
      z.strictObject({
        since: version,
        cudaVersion: text.optional(),
        cudaImage: z.array(text).min(1).optional(),
        cudaSources: z.array(z.strictObject({cudaFrom: text.optional(), capabilities: z.array(text).min(1)})).optional(),
        rocmBase: text.optional(),
        rocmImage: z.array(text).min(1).optional(),
        hipSources: z.array(text).min(1).optional(),
        requires: z.record(text, text).optional(),
      }),
    )
    .min(1),
})

const classes = z.array(text).min(1)

const loraFile = z.strictObject({
  vllm: z.strictObject({release: text, without: classes, embeddings: classes, fusedExperts: classes, source: text}),
})

export type EngineFile = z.output<typeof engineFile>
export type FactsFile = z.output<typeof factsFile>

export type EngineFileResult =
  | {kind: 'engine'; value: EngineFile; problems: []}
  | {kind: 'flags'; value: FlagTable; problems: []}
  | {kind: 'support'; value: Pick<SupportTable, 'formats' | 'cacheFormats' | 'architectures'>; problems: []}
  | {kind: 'builds'; value: Pick<SupportTable, 'builds' | 'attention'>; problems: []}
  | {kind: 'needs'; value: NeedsTable; problems: []}
  | {kind: 'lora'; value: LoraTable; problems: []}
  | {kind: 'facts'; value: FactsFile; problems: []}
  | {kind: 'platforms'; value: PlatformsFile; problems: []}
  | {kind: 'invalid'; value?: undefined; problems: string[]}

/** The file's name without folder and ending: `vllm`, `vllm-flags`, `support`, `needs`. */
const stem = (file: string): string => (file.split(/[/\\]/).at(-1) ?? file).replace(/\.ya?ml$/, '')

/**
 * Checks one file of `data/engines/` by its name and returns what a run needs of it, or every problem at once.
 * `needs.yaml`, `support.yaml`, `builds.yaml`, `lora.yaml`, `platforms.yaml`, `<engine>-flags.yaml`, `<engine>-facts.yaml`; any other name is an engine.
 */
export function checkEngineFile(path: string, value: unknown): EngineFileResult {
  const name = stem(path)
  const kind =
    name === 'needs' || name === 'support' || name === 'builds' || name === 'lora' || name === 'platforms'
      ? name
      : name.endsWith('-flags')
        ? 'flags'
        : name.endsWith('-facts')
          ? 'facts'
          : 'engine'
  const schema = {
    facts: factsFile,
    engine: engineFile,
    flags: flagsFile,
    support: supportFile,
    builds: buildsFile,
    needs: needsFile,
    lora: loraFile,
    platforms: platformsFile,
  }[kind]
  const result = schema.safeParse(value)
  if (!result.success) return {kind: 'invalid', problems: problemsOf(path, result.error)}
  if (kind === 'flags' && (result.data as FlagTable).engine !== name.replace(/-flags$/, ''))
    return {kind: 'invalid', problems: [`${path}: engine: expected ${name.replace(/-flags$/, '')}`]}
  return {kind, value: result.data, problems: []} as unknown as EngineFileResult
}
