import * as z from 'zod'
import type {MigTable} from './mig.ts'
import {count, memory, text} from './quantity-schema.ts'
import {withoutAbsent} from './without-absent.ts'
import {problemsOf} from './zod-problems.ts'

/** `3/8`, as the guide writes shares. */
const share = z
  .string()
  .regex(/^[1-8]\/[1-8]$/, 'expected a share such as 3/8')
  .transform((written) => Number(written[0]) / Number(written[2]))
  .refine((value) => value <= 1, 'expected at most the whole')

/** `data/mig.yaml`: profiles by groups of cards that have the same. */
const MigFile = z.strictObject({
  cards: z.array(
    z
      .strictObject({
        gpus: z.array(text).min(1),
        source: text,
        /** Of the figures of `memory`. */
        memorySource: text.optional(),
        profiles: z.record(
          z.string().regex(/^\d{1,2}g\.\d{1,3}gb$/, 'expected a profile such as 2g.20gb'),
          z.strictObject({memory: memory.optional(), memoryShare: share, multiprocessorShare: share, instances: count}),
        ),
      })
      .refine(({memorySource, profiles}) => memorySource !== undefined || Object.values(profiles).every((profile) => profile.memory === undefined), {
        path: ['memorySource'],
        message: 'missing: memory needs a source',
      }),
  ),
})

/** The profiles of every card, or every problem at once. */
export function checkMigFile(path: string, value: unknown, knownGpus: ReadonlySet<string>): {table: MigTable; problems: string[]} {
  const parsed = MigFile.safeParse(value)
  if (!parsed.success) return {table: {}, problems: problemsOf(path, parsed.error)}
  const table: MigTable = {}
  const problems: string[] = []
  for (const {gpus, profiles} of parsed.data.cards)
    for (const gpu of gpus) {
      if (!knownGpus.has(gpu)) problems.push(`${path}: no GPU "${gpu}" in data/gpus`)
      if (table[gpu]) problems.push(`${path}: ${gpu} stands twice`)
      table[gpu] = Object.fromEntries(
        Object.entries(profiles).map(([name, {memory: memoryBytes, memoryShare, multiprocessorShare, instances}]) => [
          name,
          withoutAbsent({memoryBytes, memoryShare, multiprocessorShare, mostOnCard: instances}),
        ]),
      )
    }
  return {table, problems}
}
