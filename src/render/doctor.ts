import type {Examination} from '../detect/doctor.ts'
import {statusOf, writeReport} from '../detect/report.ts'
import {shortened} from '../detect/shorten.ts'
import {renderMachine} from './machine.ts'
import {harmless, padEnd, wrap} from './style.ts'

/** What GitHub takes in the body of an issue, in characters. */
const ISSUE_LIMIT = 65_000

export interface DoctorFacts {
  /** servefit's own version and the platform. */
  version: string
}

/**
 * One report for an issue: what was seen, what was run, and the raw outputs, all cleaned. `detect --replay` reads it again.
 * Long parts that no parser reads are left out; the files of `--out` have them.
 */
export function renderReport(examination: Examination, {version}: DoctorFacts): string {
  const {machine, recording, faithful, tookMs} = examination
  const {commands} = recording
  const there = commands.filter(({outcome}) => outcome.kind !== 'missing')
  const absent = [...new Set(commands.filter(({outcome}) => outcome.kind === 'missing').map(({line}) => programOf(line)))]
  const width = Math.max(0, ...there.map(({line}) => Math.min(line.length, 56)))
  const ran = there.map(({line, outcome}) => `${padEnd(short(line, 56), width)}  ${statusOf(outcome)}${sizeOf(outcome)}`)
  return [
    '## servefit doctor',
    '',
    `${version}; detection took ${tookMs} ms`,
    'Serial numbers, identities, bus addresses, host and user names, network addresses and tokens have been removed.',
    'Please look through it before you post it. `servefit detect --replay FILE` reads it again.',
    ...(faithful ? [] : ['', '**Removing names has changed what the parsers read: this is not an exact copy of the machine.**']),
    '',
    '### The machine',
    '',
    '```text',
    renderMachine(machine, {columns: 80, colour: false, next: false}).trimEnd(),
    '```',
    '',
    '### What was run',
    '',
    '```text',
    ...ran.map(harmless),
    ...(absent.length > 0 ? [wrap(harmless(`Not installed: ${absent.join(', ')}`), 78)] : []),
    '```',
    '',
    '### Raw outputs',
    '',
    '<details><summary>for replay</summary>',
    '',
    writeReport(shortened(recording)),
    '</details>',
    '',
  ].join('\n')
}

/** A word for standard error where the report will not fit into an issue. */
export function reportTooLong(report: string): string | undefined {
  return report.length > ISSUE_LIMIT
    ? `The report has ${report.length} characters, but an issue takes only ${ISSUE_LIMIT}: attach it as a file (servefit doctor > report.md).\n`
    : undefined
}

/** The program of a line, in whatever folder it stands. */
const programOf = (line: string) => /([^\\/]+?)(?:\.exe)?$/i.exec(/^.*?\.exe(?= |$)/i.exec(line)?.[0] ?? line.split(' ')[0] ?? '')?.[1] ?? line

const short = (line: string, width: number) => (line.length > width ? `${line.slice(0, width - 3)}...` : line)

function sizeOf(outcome: Examination['recording']['commands'][number]['outcome']): string {
  const length = 'stdout' in outcome ? outcome.stdout.length + outcome.stderr.length : 0
  return length > 0 ? `, ${length} characters` : ''
}
