import {constants} from 'node:fs'
import {open, readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {InputError} from '../core/input-error.ts'
import type {ExecOutcome} from './probe.ts'
import type {Recording} from './recording.ts'
import {readReport} from './report.ts'

/** Holds everything of a recording but its texts, which stand in files beside it. */
export const INDEX = 'replay.json'

const MAX_FILE_BYTES = 16 * 2 ** 20

/** A file of a recorded folder: index first, then each output and file as it was read, cleaned. */
export interface ReplayFile {
  name: string
  text: string
}

/** The recording as files: raw outputs under telling names, and the index that joins them. */
export function replayFiles(recording: Recording): ReplayFile[] {
  const taken = new Set([INDEX, 'report.md'])
  const texts: ReplayFile[] = []
  const put = (wish: string, text: string): string | undefined => {
    if (text === '') return undefined
    const stem =
      wish
        .replace(/[^\w.=-]+/g, '_')
        .replace(/^[_.]+|[_.]+$/g, '')
        .slice(0, 80) || 'output'
    let name = `${stem}.txt`
    for (let number = 2; taken.has(name); number++) name = `${stem}-${number}.txt`
    taken.add(name)
    texts.push({name, text})
    return name
  }
  const {commands, files, ...facts} = recording
  const index = {
    ...facts,
    commands: commands.map(({line, outcome}) => {
      if (!('stdout' in outcome)) return {line, outcome}
      const {stdout, stderr, ...rest} = outcome
      return {line, outcome: rest, stdout: put(line, stdout), stderr: put(`${line}.stderr`, stderr)}
    }),
    files: Object.entries(files).map(([path, text]) => ({path, file: put(path, text)})),
  }
  return [{name: INDEX, text: `${JSON.stringify(index, undefined, 2)}\n`}, ...texts]
}

/** A recording from a folder that `doctor --out` wrote, or from the text of its report. @throws InputError REPLAY_UNREADABLE */
export async function readReplay(path: string): Promise<Recording> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, `cannot be read (${error.code ?? 'error'})`)
  })
  const recording = found.isDirectory() ? await readFolder(path) : readReport(await textOf(path, path))
  if (!recording) throw unreadable(path, 'holds no recorded outputs')
  const [{RecordingSchema}] = await Promise.all([import('./recording-schema.ts')])
  const parsed = RecordingSchema.safeParse(recording)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw unreadable(path, `is not a recording (${issue?.path.join('.') || 'whole'}: ${issue?.message ?? 'invalid'})`)
  }
  return parsed.data as Recording
}

const unreadable = (path: string, what: string) =>
  new InputError('REPLAY_UNREADABLE', `${path} ${what}: expected a folder that doctor --out wrote, or the text of a report`)

async function textOf(path: string, asked: string): Promise<string> {
  const failed = (error: NodeJS.ErrnoException) => {
    throw unreadable(asked, `cannot be read (${error.code ?? 'error'})`)
  }
  // A pipe or a device may have no end, and a pipe no writer.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(failed)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw unreadable(asked, 'is no file')
    if (found.size > MAX_FILE_BYTES) throw unreadable(asked, `is too large (${Math.round(found.size / 2 ** 20)} MiB)`)
    // Files of the kernel say that they hold nothing.
    return found.size === 0 ? '' : await file.readFile('utf8').catch(failed)
  } finally {
    await file.close()
  }
}

interface Index {
  commands?: {line: string; outcome: Partial<ExecOutcome>; stdout?: string; stderr?: string}[]
  files?: {path: string; file?: string}[]
}

async function readFolder(folder: string): Promise<unknown> {
  const names = await readdir(folder)
  if (!names.includes(INDEX)) {
    const report = names.includes('report.md') ? readReport(await textOf(join(folder, 'report.md'), folder)) : undefined
    if (report) return report
    throw unreadable(folder, `has no ${INDEX}`)
  }
  let index: Index
  try {
    index = JSON.parse(await textOf(join(folder, INDEX), folder)) as Index
  } catch (error) {
    if (error instanceof InputError) throw error
    throw unreadable(folder, `has an ${INDEX} that is not JSON`)
  }
  // A name with a separator could point anywhere.
  const text = async (name: unknown) => (typeof name === 'string' && names.includes(name) ? textOf(join(folder, name), folder) : '')
  const list = <T>(value: T[] | undefined): T[] => (Array.isArray(value) ? value : [])
  const {commands, files, ...facts} = index
  return {
    ...facts,
    commands: await Promise.all(
      list(commands).map(async ({line, outcome, stdout, stderr}) => ({
        line,
        outcome: outcome?.kind === 'ended' || outcome?.kind === 'timeout' ? {...outcome, stdout: await text(stdout), stderr: await text(stderr)} : outcome,
      })),
    ),
    files: Object.fromEntries(await Promise.all(list(files).map(async ({path, file}) => [path, await text(file)] as const))),
  }
}
