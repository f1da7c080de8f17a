import {jsonEscape, linesWithoutActing} from '../core/acting-characters.ts'
import type {ExecOutcome} from './probe.ts'
import type {RecordedCommand, Recording} from './recording.ts'

/**
 * A recording as text that can stand in an issue: a heading for each command and file, its text between fences, and the rest
 * as JSON. `readReport` takes it back, whatever stands before the first heading.
 */

const COMMAND = '#### $ '
const FILE = '#### file '
const FACTS = '#### facts'

export function writeReport(recording: Recording): string {
  const {commands, files, schemaVersion: _version, ...facts} = recording
  return [
    `${FACTS}\n\n${fenced(linesWithoutActing(JSON.stringify(facts, undefined, 1), jsonEscape))}`,
    ...commands.filter(({outcome}) => outcome.kind !== 'missing').map(commandSection),
    ...Object.entries(files).map(([path, text]) => `${FILE}${path}\n\n${fenced(text)}`),
  ].join('\n')
}

function commandSection({line, outcome}: RecordedCommand): string {
  const stdout = 'stdout' in outcome && outcome.stdout !== '' ? fenced(outcome.stdout) : ''
  const stderr = 'stderr' in outcome && outcome.stderr !== '' ? `stderr:\n\n${fenced(outcome.stderr)}` : ''
  return [`${COMMAND}${line}\n\n${statusOf(outcome)}\n`, stdout, stderr].filter(Boolean).join('\n')
}

/** What became of a command, in the words that `readReport` knows. */
export function statusOf(outcome: ExecOutcome): string {
  switch (outcome.kind) {
    case 'ended':
      return `${outcome.exitCode === null ? 'killed' : `exit ${outcome.exitCode}`}${outcome.truncated ? ', output cut' : ''}`
    case 'timeout':
      return 'did not answer in time'
    case 'missing':
      return 'not installed'
    case 'no-permission':
      return 'may not be run'
    default:
      return `failed: ${outcome.message.replace(/\s+/g, ' ')}`
  }
}

/** The text between fences that are longer than any in it. */
function fenced(text: string): string {
  const longest = Math.max(3, ...[...text.matchAll(/^~+/gm)].map(([run]) => run.length))
  const fence = '~'.repeat(longest + 1)
  return `${fence}\n${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${fence}\n`
}

/** A recording from a report. Nothing where the text holds none of its headings. Text between fences ends with a newline. */
export function readReport(text: string): Recording | undefined {
  const recording: Recording = {schemaVersion: 1, env: {}, commands: [], files: {}, directories: {}, existing: [], disks: {}}
  const sections = sectionsOf(text)
  if (sections.length === 0) return undefined
  for (const {heading, status, blocks} of sections) {
    const first = blocks[0] ?? ''
    if (heading.startsWith(FACTS)) Object.assign(recording, factsOf(first))
    else if (heading.startsWith(FILE)) recording.files[heading.slice(FILE.length).trim()] = first
    else {
      const named = status.find((line) => line === 'stderr:')
      const [stdout, stderr] = named && blocks.length === 1 ? ['', first] : [first, blocks[1] ?? '']
      recording.commands.push({line: heading.slice(COMMAND.length).trim(), outcome: outcomeOf(status[0] ?? 'exit 0', stdout, stderr)})
    }
  }
  return recording
}

interface Section {
  heading: string
  /** Lines outside fences. */
  status: string[]
  blocks: string[]
}

function sectionsOf(text: string): Section[] {
  const sections: Section[] = []
  let fence: string | undefined
  let block: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const section = sections.at(-1)
    if (fence !== undefined) {
      if (line.trim() === fence) {
        section?.blocks.push(block.map((row) => `${row}\n`).join(''))
        fence = undefined
      } else block.push(line)
    } else if (line.startsWith(COMMAND) || line.startsWith(FILE) || line.trim() === FACTS) sections.push({heading: line, status: [], blocks: []})
    else if (section && /^~{4,}$/.test(line.trim())) {
      fence = line.trim()
      block = []
    } else if (section && line.trim() !== '') section.status.push(line.trim())
  }
  return sections
}

function factsOf(text: string): Partial<Recording> {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Partial<Recording>) : {}
  } catch {
    return {}
  }
}

function outcomeOf(status: string, stdout: string, stderr: string): ExecOutcome {
  if (status.startsWith('did not answer')) return {kind: 'timeout', stdout, stderr}
  if (status === 'not installed') return {kind: 'missing'}
  if (status === 'may not be run') return {kind: 'no-permission'}
  if (status.startsWith('failed: ')) return {kind: 'failed', message: status.slice('failed: '.length)}
  const exitCode = /^exit (\d{1,3})/.exec(status)?.[1]
  return {
    kind: 'ended',
    exitCode: exitCode === undefined ? null : Number(exitCode),
    stdout,
    stderr,
    ...(status.endsWith('output cut') ? {truncated: true} : {}),
  }
}
