/** Compiles `data/log-lines/`: where engines' messages stand in their sources. */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'
import * as z from 'zod'
import {problemsOf} from '../catalogue/zod-problems.ts'
import type {EngineFile} from '../engines/engine-schema.ts'
import type {LineTable, ReleaseDays} from '../verify/release-lines.ts'

const place = z.int().min(1).max(100_000)

const LineFile = z.strictObject({
  source: z.string().min(1),
  messages: z
    .array(
      z.strictObject({
        file: z.string().regex(/^[a-z_]+\.py$/),
        text: z.string().min(4),
        lines: z.record(z.string().regex(/^\d+\.\d+\.\d+$/), z.union([place, z.array(place).min(2)])),
      }),
    )
    .min(1),
})

/** Releases of an engine with the days they came out, oldest first: what a log without a version may be of. */
export function compileReleaseDays(engines: ReadonlyMap<string, Pick<EngineFile, 'versions'>>, files: Map<string, unknown>): void {
  for (const [id, {versions}] of engines) {
    const days: ReleaseDays = versions.flatMap(({version, released}) => (released === undefined ? [] : [[version, released]]))
    files.set(`log-lines/days-${id}`, days)
  }
}

export function compileLogLines(root: string, problems: string[], files: Map<string, unknown>): void {
  for (const name of readdirSync(join(root, 'data', 'log-lines')).filter((one) => one.endsWith('.yaml'))) {
    const path = `data/log-lines/${name}`
    const checked = LineFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
    if (!checked.success) problems.push(...problemsOf(path, checked.error))
    else files.set(`log-lines/${name.slice(0, -'.yaml'.length)}`, {messages: checked.data.messages} satisfies LineTable)
  }
}
