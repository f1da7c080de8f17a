import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {InputError} from '../../core/input-error.ts'
import {nearest} from '../../core/nearest.ts'
import type {FactsFile} from '../../engines/engine-schema.ts'
import type {FlagTable} from '../../engines/flags.ts'
import {compareVersions, isVersion} from '../../engines/versions.ts'
import {harmless} from '../../render/style.ts'
import type {Task} from '../task.ts'
import {withCatalogue} from '../with-catalogue.ts'
import {architecturesAt, withArchitectures} from './architectures.ts'
import {differences, type Known, reviewList} from './compare-facts.ts'
import {readEngineFile, withReleases} from './engine-file.ts'
import {type Facts, factsIn, READABLE, type ReadableEngine} from './facts.ts'
import {factsAt, factsText, readFactsFile, withFacts} from './facts-file.ts'
import {flagFileWith, readFlagFile} from './flag-file.ts'
import {optionsAt, withRelease} from './flag-rows.ts'
import {fetchedSources, type Learned, PACKAGES, releasesOnIndex} from './package-index.ts'
import {recipeReport, recipesIn} from './recipes.ts'

const USAGE = `usage: npm run learn -- vllm|sglang VERSION [--from FOLDER] [--check] [--only options|architectures|facts]
       npm run learn -- tensorrt-llm VERSION
       npm run learn -- diff vllm|sglang OLDER NEWER
       npm run learn -- recipes vllm VERSION [--from FOLDER]
       npm run learn -- releases vllm|sglang|tensorrt-llm
       npm run learn -- check

docs/keeping-fresh.md says what each does.`

/** Seconds that \`check\` waits for the index: it runs with every change and must not hold one up. */
const PATIENCE_SECONDS = 8

/** Names come out of packages: what a terminal would obey is taken out of them. */
const say = (text: string): void => console.log(text.split('\n').map(harmless).join('\n'))

/** Brings what is known of the engines up to a release, by reading that release's own sources. */
export async function main({root, args}: Task): Promise<number> {
  try {
    return await run(root, args)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    console.error(harmless(error.message))
    return 2
  }
}

async function run(root: string, args: readonly string[]): Promise<number> {
  const {words, options} = split(args)
  const [first, ...rest] = words
  switch (first) {
    case 'check':
      return howFarBehind(root)
    case 'diff':
      return diff(root, readable(rest[0]), version(rest[1]), version(rest[2]))
    case 'recipes':
      return recipes(root, readable(rest[0]), version(rest[1]), options.from)
    case 'releases':
      return releases(root, engine(rest[0]))
    case undefined:
      throw new InputError('USAGE', USAGE)
    default: {
      const named = engine(first)
      return named === 'trtllm' ? stub(root, version(rest[0])) : learn(root, named, version(rest[0]), options)
    }
  }
}

interface Options {
  from?: string
  only?: 'options' | 'architectures' | 'facts'
  isCheck: boolean
}

function split(args: readonly string[]): {words: string[]; options: Options} {
  const words: string[] = []
  const options: Options = {isCheck: false}
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!
    if (word === '--check') options.isCheck = true
    else if (word === '--from' || word === '--only') {
      const value = args[++at]
      if (value === undefined) throw new InputError('USAGE', `${word} expects a value\n\n${USAGE}`)
      if (word === '--from') options.from = value
      else if (value === 'options' || value === 'architectures' || value === 'facts') options.only = value
      else throw new InputError('USAGE', `--only takes options, architectures or facts, not "${value}"`)
    } else if (word.startsWith('-')) throw new InputError('USAGE', `No option ${word}\n\n${USAGE}`)
    else words.push(word)
  }
  return {words, options}
}

function engine(word: string | undefined): Learned {
  const found = (Object.keys(PACKAGES) as Learned[]).find((id) => id === word || PACKAGES[id] === word)
  if (found) return found
  const names = ['vllm', 'sglang', 'tensorrt-llm', 'check', 'diff', 'recipes', 'releases']
  const close =
    word === undefined
      ? []
      : nearest(
          word,
          names.map((name) => ({name, spellings: []})),
          1,
        )
  throw new InputError(
    'USAGE',
    `${word === undefined ? 'No engine was named' : `No engine or task named "${word}"`}${close.length > 0 ? `: did you mean ${close[0]}?` : ''}\n\n${USAGE}`,
  )
}

function readable(word: string | undefined): ReadableEngine {
  const found = engine(word)
  if ((READABLE as readonly string[]).includes(found)) return found as ReadableEngine
  throw new InputError('USAGE', `The package of ${PACKAGES[found]} on the index holds no sources to read`)
}

function version(word: string | undefined): string {
  if (word !== undefined && isVersion(word)) return word.replace(/^v/, '')
  throw new InputError('USAGE', `${word === undefined ? 'A release is missing' : `"${word}" is no release`}: expected one such as 0.33.0\n\n${USAGE}`)
}

const dataPath = (root: string, name: string): string => join(root, 'data', 'engines', `${name}.yaml`)
const dataText = (root: string, name: string): string => readFileSync(dataPath(root, name), 'utf8')

interface Shipped {
  table: FlagTable
  support: string
  facts?: FactsFile
  /** The release that the options were read from. */
  release: string
}

function shipped(root: string, engine: ReadableEngine): Shipped {
  const table = readFlagFile(dataText(root, `${engine}-flags`))
  const facts = existsSync(dataPath(root, `${engine}-facts`)) ? readFactsFile(dataText(root, `${engine}-facts`)) : undefined
  return {
    table,
    support: dataText(root, 'support'),
    ...(facts && {facts}),
    release: table.release ?? readEngineFile(dataText(root, engine)).newestVersion,
  }
}

/** What the shipped data says of a release, in the shape of its sources. */
function knownAt({table, support, facts}: Shipped, engine: ReadableEngine, release: string, read: Facts): Known {
  const isOlder = facts === undefined || compareVersions(release, facts.releases[0]!) < 0
  return {
    options: optionsAt(table, release),
    ...architecturesAt(support, engine, release),
    // Where the facts begin later than the release there is nothing to compare with.
    ...(isOlder
      ? {quantization: read.quantization, builds: read.builds, ...(read.speculativeMethods && {speculativeMethods: read.speculativeMethods})}
      : factsAt(facts, release)),
  }
}

function sourcesOf(root: string, engine: ReadableEngine, release: string, from: string | undefined): Facts {
  if (from !== undefined && !existsSync(from)) throw new InputError('SOURCES_UNREADABLE', `No folder ${from}`)
  const facts = factsIn(root, engine, from ?? fetchedSources(root, engine, release))
  if (facts.version !== null && compareVersions(facts.version, release) !== 0)
    throw new InputError('SOURCES_UNREADABLE', `${from ?? 'The package'} holds ${engine} ${facts.version}, not ${release}`)
  return facts
}

function learn(root: string, engine: ReadableEngine, release: string, {from, only, isCheck}: Options): number {
  const before = shipped(root, engine)
  const facts = sourcesOf(root, engine, release, from)
  const own = only === 'facts' ? (before.facts?.releases.at(-1) ?? release) : before.release
  const isOlder = compareVersions(release, own) < 0
  if (isCheck || isOlder) return check(engine, release, before, facts, isOlder && !isCheck ? own : undefined)
  const found = differences(knownAt(before, engine, own, facts), facts).filter(({kind}) => only === undefined || belongs(kind, only))
  if (only === undefined || only === 'options')
    writeFileSync(dataPath(root, `${engine}-flags`), flagFileWith(dataText(root, `${engine}-flags`), withRelease(before.table, release, facts.options)))
  if (only === undefined || only === 'architectures')
    writeFileSync(dataPath(root, 'support'), withArchitectures(before.support, engine, release, before.release, facts))
  if (only === undefined || only === 'facts') writeFileSync(dataPath(root, `${engine}-facts`), factsText(withFacts(before.facts, engine, release, facts)))
  say(`${engine} ${release}, after ${own}: ${count(found.length, 'difference')} to review.\n`)
  if (found.length > 0) say(`${reviewList(found)}\n`)
  tellUnread(facts)
  if (only === undefined) say(`Then: npm run learn -- releases ${PACKAGES[engine]}, the rules in src/engines/${engine}, and the tests.`)
  return 0
}

const FACT_KINDS = new Set(['capability floors of weight formats', 'speculative methods', 'builds'])
const CLASS_KINDS = new Set(['architectures', 'classes that a package serves'])

function belongs(kind: string, only: NonNullable<Options['only']>): boolean {
  const own = FACT_KINDS.has(kind) ? 'facts' : CLASS_KINDS.has(kind) ? 'architectures' : 'options'
  return own === only
}

/** Says whether the shipped data tells of a release what its sources say. */
function check(engine: ReadableEngine, release: string, before: Shipped, facts: Facts, newer: string | undefined): number {
  const found = differences(knownAt(before, engine, release, facts), facts)
  if (newer !== undefined) say(`The data is of ${engine} ${newer} already: nothing is written for ${release}, it is only compared.`)
  if (found.length === 0) {
    say(`The shipped data says of ${engine} ${release} what its sources say: ${facts.options.length} options, ${facts.architectures.length} classes.`)
    return 0
  }
  say(`The shipped data and the sources of ${engine} ${release} differ in ${count(found.length, 'place')} (data -> sources):\n\n${reviewList(found)}`)
  return newer === undefined ? 1 : 0
}

function tellUnread({unread}: Facts): void {
  if (unread.length === 0) return
  say(`Not read, to look at by hand (${unread.length})\n${unread.map(({what, where, why}) => `  ${what}: ${where}: ${why}`).join('\n')}\n`)
}

const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`

function diff(root: string, engine: ReadableEngine, older: string, newer: string): number {
  const [before, after] = [sourcesOf(root, engine, older, undefined), sourcesOf(root, engine, newer, undefined)]
  const found = differences(before, after)
  say(`${engine} ${older} -> ${newer}: ${count(found.length, 'difference')}.${found.length > 0 ? `\n\n${reviewList(found)}` : ''}`)
  return 0
}

function recipes(root: string, engine: ReadableEngine, release: string, from: string | undefined): Promise<number> | number {
  if (engine !== 'vllm') throw new InputError('USAGE', 'Only vLLM carries recipes in its releases')
  const {recipes: found, unread} = recipesIn(from ?? fetchedSources(root, engine, release))
  return withCatalogue(root, async (catalogue) => {
    const report = recipeReport(found, unread, catalogue)
    const {answered, byNameOnly, checkpoints} = report
    say(
      `${count(report.recipes, 'recipe')} of vLLM ${release}. Of ${count(checkpoints, 'checkpoint')} of language and vision models ${answered} are in the catalogue, ${byNameOnly} are known by name only, ${checkpoints - answered - byNameOnly} are missing.\n`,
    )
    if (report.models.length > 0) say(`Models without an entry (${report.models.length})\n${report.models.map((line) => `  ${line}`).join('\n')}\n`)
    if (report.missing.length > 0) say(`Checkpoints that an entry lacks (${report.missing.length})\n${report.missing.map((line) => `  ${line}`).join('\n')}\n`)
    if (report.unread.length > 0) say(`Not read (${report.unread.length})\n${report.unread.map((line) => `  ${line}`).join('\n')}`)
    return 0
  })
}

/** Rows and days of the engine's file, from the index. */
function releases(root: string, engine: Learned): number {
  const table = engine === 'trtllm' ? undefined : shipped(root, engine).table
  return writeReleases(root, engine, table?.release)
}

function writeReleases(root: string, engine: Learned, newest: string | undefined): number {
  const listed = releasesOnIndex(root, [engine], PATIENCE_SECONDS * 4).get(engine) ?? []
  if (listed.length === 0) throw new InputError('INDEX_UNAVAILABLE', `The package index did not say which releases of ${PACKAGES[engine]} there are`)
  const text = dataText(root, engine)
  const before = readEngineFile(text)
  const last = newest ?? before.newestVersion
  const made = withReleases(text, listed, compareVersions(last, before.newestVersion) > 0 ? last : before.newestVersion)
  writeFileSync(dataPath(root, engine), made)
  const after = readEngineFile(made)
  const known = new Map(before.versions.map((row) => [row.version, row.released]))
  const added = after.versions.filter((row) => !known.has(row.version))
  const dated = after.versions.filter((row) => known.has(row.version) && known.get(row.version) === undefined && row.released !== undefined)
  const other = before.versions.flatMap(({version: own, released}) => {
    const day = listed.find((release) => release.version === own)?.uploaded
    return released !== undefined && day !== undefined && released !== day ? [`  ${own}: ${released} in the data, uploaded ${day}`] : []
  })
  say(
    `${PACKAGES[engine]}: ${count(added.length, 'release')} added${added.length > 0 ? ` (${added.map((row) => row.version).join(', ')})` : ''}, ${count(dated.length, 'date')} filled in; the newest is ${after.newestVersion}.`,
  )
  if (other.length > 0) say(`Other dates than the index gives, left as they are (${other.length})\n${other.join('\n')}`)
  return 0
}

/** TensorRT-LLM's package on the index is a stub that fetches wheels from elsewhere: there is nothing to read in it. */
function stub(root: string, release: string): number {
  say(
    `The package index holds a stub of tensorrt-llm ${release}, without the engine's sources: its options and rules cannot be read. Only its releases are written; rules stay those of the last release whose sources could be had.`,
  )
  return writeReleases(root, 'trtllm', release)
}

/** Lines that say how far the data is behind the index. Never a failure: a release may come out while a change is tested. */
function howFarBehind(root: string): number {
  const engines = Object.keys(PACKAGES) as Learned[]
  const listed = releasesOnIndex(root, engines, PATIENCE_SECONDS)
  for (const id of engines) {
    const {newestVersion, versions} = readEngineFile(dataText(root, id))
    const listsCandidates = versions.some(({version: own}) => own.includes('rc'))
    const newer = (listed.get(id) ?? []).filter(
      ({version: own}) => isVersion(own) && compareVersions(own, newestVersion) > 0 && (listsCandidates || !/\d(?:a|b|rc|\.dev)\d/.test(own)),
    )
    if ((listed.get(id) ?? []).length === 0)
      say(`${PACKAGES[id]}: the package index did not answer, so it is not known whether ${newestVersion} is still the newest`)
    else if (newer.length === 0) say(`${PACKAGES[id]}: ${newestVersion} is the newest`)
    else
      say(
        `warning: ${PACKAGES[id]} is ${count(newer.length, 'release')} behind: the data ends at ${newestVersion}, the index has ${newer.map(shown).join(', ')}`,
      )
  }
  return 0
}

const shown = ({version: own, uploaded}: {version: string; uploaded?: string}): string => (uploaded === undefined ? own : `${own} (${uploaded})`)
