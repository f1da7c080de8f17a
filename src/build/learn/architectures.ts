import {parse} from 'yaml'
import {compareVersions} from '../../engines/versions.ts'
import type {Facts, ReadableEngine} from './facts.ts'
import {flow} from './flow.ts'

type Span = {since?: string; until?: string; plugin?: string}
type Written = string | Span
type Entry = {sameAs?: string} & Partial<Record<string, Written>>

const HEADING = 'architectures:'

const spanOf = (written: Written | undefined): Span | undefined =>
  written === undefined ? undefined : typeof written === 'string' ? (written === 'any' ? {} : {since: written}) : written

/** Classes that the table promises for a release, and what it says of those that a package serves. */
export function architecturesAt(text: string, engine: string, version: string): {architectures: string[]; plugins: Record<string, string>} {
  const architectures: string[] = []
  const plugins: Record<string, string> = {}
  for (const [name, entry] of Object.entries((parse(text) as {architectures: Record<string, Entry>}).architectures)) {
    const span = spanOf(entry[engine])
    if (!span) continue
    if (compareVersions(span.since ?? '0', version) > 0) continue
    const isOver = span.until !== undefined && compareVersions(version, span.until) > 0
    if (span.plugin !== undefined && (span.until === undefined || isOver)) plugins[name] = span.plugin
    else if (!isOver) architectures.push(name)
  }
  return {architectures, plugins}
}

/**
 * The support file after a release whose classes were read. `before` is the release read last: what is missing now was
 * last in it. Lines of other engines, and lines that say the same, stay as they are.
 */
export function withArchitectures(text: string, engine: ReadableEngine, version: string, before: string, {architectures, plugins}: Facts): string {
  // A registry that could not be read says nothing of what is gone.
  if (architectures.length === 0) return text
  const lines = text.split('\n')
  const start = lines.indexOf(HEADING)
  if (start < 0) throw new Error(`no line \`${HEADING}\` in the file`)
  const next = lines.findIndex((line, index) => index > start && line !== '' && !line.startsWith(' '))
  const end = next < 0 ? lines.length : next
  const isNew = compareVersions(version, before) > 0
  const has = new Set(architectures)
  const body = lines.slice(start + 1, end)
  const made: string[] = []
  const seen = new Set<string>()
  for (const line of body) {
    const name = /^ {2}([\w.-]+): \{/.exec(line)?.[1]
    if (name === undefined) {
      made.push(line)
      continue
    }
    seen.add(name)
    const entry = (parse(line) as Record<string, Entry>)[name]!
    const span = changedSpan(spanOf(entry[engine]), has.has(name), plugins[name], version, before, isNew)
    made.push(span === undefined || entry.sameAs !== undefined ? line : `  ${name}: ${flow(ordered({...entry, [engine]: written(span)}))}`)
  }
  for (const name of architectures) if (!seen.has(name)) made.splice(placeFor(made, name), 0, `  ${name}: ${flow({[engine]: version})}`)
  for (const [name, plugin] of Object.entries(plugins))
    if (!seen.has(name) && !has.has(name)) made.splice(placeFor(made, name), 0, `  ${name}: ${flow({[engine]: {...(isNew && {since: version}), plugin}})}`)
  return [...lines.slice(0, start + 1), ...made, ...lines.slice(end)].join('\n')
}

/** The span that is true now, or undefined where the line is right already. */
function changedSpan(span: Span | undefined, isThere: boolean, plugin: string | undefined, version: string, before: string, isNew: boolean): Span | undefined {
  const wasThere = span !== undefined && span.plugin === undefined && span.until === undefined && compareVersions(span.since ?? '0', version) <= 0
  if (isThere) {
    if (wasThere) return undefined
    // It was dated later than the release that has it.
    if (span?.since !== undefined && span.until === undefined && span.plugin === undefined) return {since: version}
    if (span?.until !== undefined || span?.plugin !== undefined) return span.since === undefined ? {} : {since: span.since}
    return {since: version}
  }
  if (plugin !== undefined && span?.plugin !== plugin) return {...span, ...(wasThere && {until: before}), plugin}
  return wasThere && isNew ? {...span, until: before} : undefined
}

const written = ({since, until, plugin}: Span): Written =>
  until === undefined && plugin === undefined
    ? (since ?? 'any')
    : {...(since !== undefined && {since}), ...(until !== undefined && {until}), ...(plugin !== undefined && {plugin})}

function ordered(entry: Entry): Entry {
  const engines = ['vllm', 'sglang', 'trtllm']
  return Object.fromEntries(Object.entries(entry).sort(([left], [right]) => engines.indexOf(left) - engines.indexOf(right)))
}

/** Lines stand in the order of their names. */
function placeFor(lines: readonly string[], name: string): number {
  const at = lines.findIndex((line) => (/^ {2}([\w.-]+): \{/.exec(line)?.[1] ?? '') > name)
  if (at >= 0) return at
  const last = lines.findLastIndex((line) => /^ {2}[\w.-]+: \{/.test(line))
  return last + 1
}
