/** Shape of `data/engines/platforms.yaml`. For the build and the tests only. */
import * as z from 'zod'
import {isVersion} from './versions.ts'

const text = z.string().trim().min(1)
const version = text.refine(isVersion, 'expected a version such as 0.16.0')
const bytes = z.int().min(0)

const image = z.strictObject({
  repository: text,
  tag: text.includes('{version}'),
  since: version.optional(),
  /** Of the processor that it is built for; absent: of any. */
  architecture: text.optional(),
  entrypoint: z.array(text).optional(),
})

const memory = z.strictObject({
  runtime: z.array(z.strictObject({since: version, bytes})).min(1),
  collectiveBytes: z.array(bytes).min(1).max(4),
  spreadBytes: bytes,
})

/** Shares of what an H100 reaches, and the standard deviation (logarithmic) of what is assumed here. */
const speed = z.strictObject({
  memory: z.number().positive(),
  compute: z.number().positive(),
  latency: z.number().positive(),
  eager: z.number().positive().optional(),
  state: z.number().positive().optional(),
  deviation: z.number().positive(),
  /** Published rates: of one user where there is one, else of all. For the tests. */
  reports: z
    .array(
      z.strictObject({
        model: text,
        weights: text.optional(),
        gpu: text,
        tp: z.int().positive().optional(),
        inputTokens: z.int().positive(),
        outputTokens: z.int().positive(),
        concurrency: z.int().positive(),
        tokensPerSecond: z.number().positive(),
        source: text,
      }),
    )
    .optional(),
})

const format = z.strictObject({native: z.literal(true).optional(), since: version.optional()})

const build = z
  .strictObject({
    name: text,
    url: z.url(),
    modelled: z.boolean(),
    since: version.optional(),
    images: z.array(image).min(1).optional(),
    formats: z.record(text, format).optional(),
    cacheFormats: z.record(text, format).optional(),
    without: z.record(z.enum(['mla', 'sparse-mla']), z.union([z.literal('any'), version])).optional(),
    eager: z.literal(true).optional(),
    validated: z.strictObject({gpus: z.array(text).min(1), says: text}).optional(),
    memory: memory.optional(),
    speed: speed.optional(),
    also: text.optional(),
    source: z.array(text).min(1),
  })
  .refine(({modelled, memory: own, formats, since}) => !modelled || (own && formats && since), 'a modelled build needs since, formats and memory')

export const platformsFile = z.strictObject({
  platforms: z
    .array(
      z.strictObject({
        id: text,
        title: text,
        accelerators: z.strictObject({vendor: text, architectures: z.array(text).min(1).optional()}),
        elsewhere: text.optional(),
        elsewhereSource: z.array(text).min(1).optional(),
        builds: z.record(text, build),
      }),
    )
    .min(1),
  usual: z.array(z.strictObject({gpus: z.array(text).min(1), says: text, source: z.array(text).min(1)})),
})

export type PlatformsFile = z.output<typeof platformsFile>
