import * as z from 'zod'

/** A recording that a person hands in. Load it only there. */
const text = z.string()
const count = z.number().nonnegative().optional()
const space = z.object({totalBytes: z.number().nonnegative(), freeBytes: z.number().nonnegative()})

const outcome = z.discriminatedUnion('kind', [
  z.object({kind: z.literal('ended'), exitCode: z.int().nullable(), stdout: text, stderr: text, truncated: z.boolean().optional()}),
  z.object({kind: z.literal('timeout'), stdout: text, stderr: text}),
  z.object({kind: z.literal('missing')}),
  z.object({kind: z.literal('no-permission')}),
  z.object({kind: z.literal('failed'), message: text}),
])

export const RecordingSchema = z.object({
  schemaVersion: z.literal(1),
  system: z
    .object({
      platform: text,
      architecture: text.optional(),
      totalMemoryBytes: count,
      freeMemoryBytes: count,
      cpuModel: text.optional(),
      logicalCpuCount: count,
    })
    .optional(),
  env: z.record(text, text),
  commands: z.array(z.object({line: text, outcome})),
  files: z.record(text, text),
  directories: z.record(text, z.array(text)),
  existing: z.array(text),
  disks: z.record(text, space),
  slow: z
    .object({
      cpu: z.object({name: text.optional(), vendor: text.optional(), physicalCount: count, socketCount: count}).optional(),
      memory: z.object({totalBytes: count, availableBytes: count}).optional(),
    })
    .optional(),
})
