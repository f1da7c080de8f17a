import {parse} from 'yaml'
import type {FactsFile} from '../../engines/engine-schema.ts'
import {compareVersions} from '../../engines/versions.ts'
import type {Builds, Facts} from './facts.ts'
import {repositoryPath} from './flag-rows.ts'
import {flow} from './flow.ts'

type Named = FactsFile['weightFormats'][number]

export const readFactsFile = (text: string): FactsFile => parse(text, {maxAliasCount: 0}) as FactsFile

const isIn = ({since, until}: Named, version: string): boolean =>
  (since === undefined || compareVersions(since, version) <= 0) && (until === undefined || compareVersions(version, until) <= 0)

/** What the file says of a release. A format whose floor changed has a row for each floor. */
export function factsAt(file: FactsFile, version: string): Pick<Facts, 'quantization' | 'speculativeMethods' | 'builds'> {
  const {since: _since, ...builds} = file.builds.findLast(({since}) => compareVersions(since, version) <= 0) ?? file.builds[0]!
  return {
    quantization: file.weightFormats
      .filter((row) => isIn(row, version))
      .map(({name, minCapability}) => ({name, ...(minCapability !== undefined && {minCapability})})),
    ...(file.speculativeMethods && {speculativeMethods: file.speculativeMethods.filter((row) => isIn(row, version)).map(({name}) => name)}),
    builds,
  }
}

/** The file after a release was read; a first one where there is none yet. */
export function withFacts(file: FactsFile | undefined, engine: string, version: string, facts: Facts): FactsFile {
  const before = file?.releases.at(-1) ?? version
  const isNew = file !== undefined && compareVersions(version, before) > 0
  const step = isNew ? {version, before} : undefined
  const formats = facts.quantization.map(({source, ...row}) => ({...row, ...(source !== undefined && {source: repositoryPath(engine, source)})}))
  const methods = facts.speculativeMethods?.map((name): Named => ({name}))
  const speculative = methods ? withNames(file?.speculativeMethods, methods, step) : file?.speculativeMethods
  return {
    engine,
    releases: file === undefined ? [version] : isNew ? [...file.releases, version] : file.releases,
    weightFormats: withNames(file?.weightFormats, formats, step),
    ...(speculative && {speculativeMethods: speculative}),
    builds: withBuilds(file?.builds, facts.builds, version, step),
  }
}

interface Step {
  version: string
  before: string
}

/** A row ends where its name is gone or says something else, and a new one begins. */
function withNames(rows: readonly Named[] | undefined, read: readonly Named[], step: Step | undefined): Named[] {
  if (rows === undefined) return [...read]
  const said = ({name, minCapability}: Named) => `${name} ${minCapability ?? ''}`
  const now = new Map(read.map((row) => [said(row), row]))
  const open = new Set(rows.filter(({until}) => until === undefined).map(said))
  const kept = rows.flatMap((row): Named[] => {
    const {until: _until, source, ...rest} = row
    if (row.until !== undefined) return [row]
    const same = now.get(said(row))
    if (same) return [{...rest, ...(same.source !== undefined && {source: same.source})}]
    return step ? [{...rest, until: step.before, ...(source !== undefined && {source})}] : []
  })
  const added = read
    .filter((row) => !open.has(said(row)))
    .map(
      ({name, minCapability, source}): Named => ({
        name,
        ...(minCapability !== undefined && {minCapability}),
        ...(step && {since: step.version}),
        ...(source !== undefined && {source}),
      }),
    )
  return [...kept, ...added]
}

function withBuilds(list: FactsFile['builds'] | undefined, builds: Builds, version: string, step: Step | undefined): FactsFile['builds'] {
  const last = list?.at(-1)
  if (!list || !last) return [{since: version, ...builds}]
  const {since, ...said} = last
  if (JSON.stringify(ordered(said)) === JSON.stringify(ordered(builds))) return [...list]
  return step ? [...list, {since: version, ...builds}] : [...list.slice(0, -1), {since, ...builds}]
}

const ordered = (builds: Builds): unknown => Object.entries(builds).sort(([left], [right]) => (left < right ? -1 : 1))

/** The file as text. Everything in it was read, so nothing is kept by hand. */
export function factsText(file: FactsFile): string {
  const rows = (list: readonly unknown[]) => list.map((row) => `  - ${flow(row)}`)
  return [
    `# What the releases of ${file.engine} say of themselves besides options and classes: written by \`npm run learn\`, not by hand.`,
    '#',
    '# releases: those that were read, in order; `since` and `until` are the first and the last of them, and without `since` the oldest',
    '# has it already. weightFormats: the least compute capability that the class of a format admits (get_min_capability), absent where',
    '# the sources give no single number; kernels may ask for more. builds: what the sources are compiled for by CUDA release',
    '# (CMakeLists.txt), what the official images are compiled for (docker/), and the packages whose own builds decide. Absent: this',
    '# package does not say it.',
    `engine: ${file.engine}`,
    `releases: ${flow(file.releases)}`,
    'weightFormats:',
    ...rows(file.weightFormats),
    ...(file.speculativeMethods ? ['speculativeMethods:', ...rows(file.speculativeMethods)] : []),
    'builds:',
    ...rows(file.builds),
    '',
  ].join('\n')
}
