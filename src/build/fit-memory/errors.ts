/**
 * How far estimates come out from logs that the fit had not seen, as factors on the margin that an answer reckons: one for the engine, and on
 * it one for each kind of attention, platform and range of releases.
 */
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {requestBytes} from '../../core/memory.ts'
import {type AttentionKind, errorFactor, type ErrorQuestion, kindOfAttention, type MemoryErrors, platformOf} from '../../engines/memory-errors.ts'
import type {OverheadParameters} from '../../engines/overheads.ts'
import {compareVersions, isAtLeast} from '../../engines/versions.ts'
import {evaluate, marginOf, subjectOf} from '../../planner/answer/index.ts'
import {type Case, cacheRatio} from './cases.ts'
import {createEngine} from './engine.ts'

/** Parts that the logs are left out in, each publisher whole. */
const PARTS = 5
/** Share of the cases left out that an interval holds: logs never seen err more than those that rules were read beside, and four in five of them are to be inside. */
const HOLDS = 0.85
/** Cases as many as this stand for "no wider and no narrower than all" beside those of a group. */
const DOUBT = 8
/** Least factor of a group. */
const LEAST = 0.7
/** Share that an interval holds of logs that name no release, which may be of older ones than they are judged by: what a release that no log is of is widened by. */
const HOLDS_UNNAMED = 0.67
/** First releases of the ranges that errors are told by: where the trial run or the count of tokens changed. */
const RANGES: Record<string, string[]> = {
  vllm: ['0.8.0', '0.15.0', '0.20.0', '0.25.0'],
  sglang: ['0.4.6', '0.5.9', '0.5.16'],
  trtllm: ['1.0.0'],
}

interface LeftOut {
  weight: number
  /** Distance between estimate and log in margins, unsigned. */
  distance: number
  kind: AttentionKind
  platform: string
  version: string
  /** The log names its release: the others are judged by the newest, which no log is of. */
  isNamed: boolean
  question: ErrorQuestion
}

/** Before it is tried on the cases. */
type Reckoned = Omit<MemoryErrors, 'inside'>

type Refit = (cases: readonly Case[]) => OverheadParameters

/** Distances of an engine's cases, each judged by parameters that were fitted without its publisher. */
function leftOut(id: string, cases: readonly Case[], refit: Refit, catalogue: Catalogue): LeftOut[] {
  const publishers = [...new Set(cases.map(({publisher}) => publisher))].sort()
  const partOf = ({publisher}: Case) => publishers.indexOf(publisher) % PARTS
  return Array.from({length: PARTS}, (_, part) => part).flatMap((part) => {
    const judged = cases.filter((one) => partOf(one) === part)
    if (judged.length === 0) return []
    const {errors: _errors, ...parameters} = refit(cases.filter((one) => partOf(one) !== part))
    const engine = createEngine(catalogue, id, parameters)
    return judged.flatMap((one): LeftOut[] => {
      const held = evaluate({...one.question, engine, workload: undefined})
      const ratio = cacheRatio(one, held.memory)
      if (ratio === undefined || one.observed.outcome !== 'started') return []
      const offBytes = requestBytes(held.memory) * (1 - 1 / ratio)
      const {bytes} = marginOf(subjectOf(held), held.deployment, held.memory, engine)
      return [
        {
          // Many logs of one publisher resemble each other.
          weight: 1 / Math.sqrt(cases.filter(({publisher}) => publisher === one.publisher).length),
          distance: Math.abs(offBytes) / bytes,
          kind: kindOfAttention(held.model.architecture),
          platform: platformOf(held.machine.gpus[0]!.accelerator),
          version: held.deployment.engineVersion,
          isNamed: one.versioned,
          question: {architecture: held.model.architecture, accelerator: held.machine.gpus[0]!.accelerator, version: held.deployment.engineVersion},
        },
      ]
    })
  })
}

/** The distance that holds this share of the weight. */
function holding(rows: readonly {weight: number; distance: number}[], share = HOLDS): number {
  const sorted = [...rows].sort((a, b) => a.distance - b.distance)
  const all = sorted.reduce((sum, {weight}) => sum + weight, 0)
  let sum = 0
  for (const {weight, distance} of sorted) {
    sum += weight
    if (sum >= share * all) return distance
  }
  return 1
}

const figure = (value: number): number => Number(value.toPrecision(3))

/** A group's factor beside all: few cases say little, and none that it is half as wide. */
const factorOf = (rows: readonly LeftOut[], share = HOLDS): number =>
  figure(Math.max(LEAST, Math.exp((rows.length * Math.log(Math.max(LEAST / 2, holding(rows, share)))) / (rows.length + DOUBT))))

function factorsBy<Key extends string>(rows: readonly LeftOut[], key: (row: LeftOut) => Key): Partial<Record<Key, number>> {
  const keys = [...new Set(rows.map(key))].sort()
  return Object.fromEntries(keys.map((one) => [one, factorOf(rows.filter((row) => key(row) === one))])) as Partial<Record<Key, number>>
}

const divided = (rows: readonly LeftOut[], by: (row: LeftOut) => number): LeftOut[] => rows.map((row) => ({...row, distance: row.distance / by(row)}))

/** Errors of an engine. @param unnamed what a release that no log is of is widened by. */
function memoryErrors(id: string, rows: readonly LeftOut[], margins: number, unnamed: number): Reckoned {
  const named = rows.filter(({isNamed}) => isNamed)
  const byEngine = divided(rows, ({isNamed}) => margins * (isNamed ? 1 : unnamed))
  const kinds = factorsBy(byEngine, ({kind}) => kind)
  const byKind = divided(byEngine, ({kind}) => kinds[kind]!)
  const platforms = factorsBy(byKind, ({platform}) => platform) as Record<string, number>
  const byPlatform = divided(byKind, ({platform}) => platforms[platform]!)
  const ranges = RANGES[id] ?? []
  const rangeOf = (version: string) => ranges.findLast((since) => isAtLeast(version, since)) ?? ranges[0]!
  const releases = ranges.flatMap((since) => {
    const own = byPlatform.filter(({version, isNamed}) => isNamed && rangeOf(version) === since)
    return own.length === 0 ? [] : [{since, factor: factorOf(own)}]
  })
  return {
    cases: rows.length,
    margins: figure(margins),
    holds: HOLDS,
    kinds,
    platforms,
    releases,
    newest: named
      .map(({version}) => version)
      .sort(compareVersions)
      .at(-1)!,
    unseen: {release: unnamed, kind: 1, platform: 1},
  }
}

/** Kinds and platforms that no log is known of are as wide as the widest that is known of any engine, and as a release that none is of. */
function withUnseen(each: Record<string, Reckoned>): Record<string, Reckoned> {
  const all = Object.values(each)
  const widest = (of: (errors: Reckoned) => Record<string, number>) =>
    Math.max(...all.flatMap((errors) => [errors.unseen.release, ...Object.values(of(errors))]))
  const [kind, platform] = [widest(({kinds}) => kinds), widest(({platforms}) => platforms)]
  return Object.fromEntries(Object.entries(each).map(([id, errors]) => [id, {...errors, unseen: {...errors.unseen, kind, platform}}]))
}

/** Share of the cases left out that the intervals hold, each case counted once. */
function insideOf(rows: readonly LeftOut[], errors: Reckoned): number {
  const inside = rows.filter(({distance, question}) => distance <= errorFactor(errors, question).factor)
  return figure(inside.length / rows.length)
}

export interface Fitted {
  id: string
  cases: readonly Case[]
  refit: Refit
}

/** Errors of every engine, from its own cases and what all of them say together. */
export function errorsOfAll(engines: readonly Fitted[], catalogue: Catalogue): Record<string, MemoryErrors> {
  const each = engines.map(({id, cases, refit}) => ({id, rows: leftOut(id, cases, refit, catalogue)}))
  const all = holding(each.flatMap(({rows}) => rows.filter(({isNamed}) => isNamed)))
  const byEngine = each.map((one) => ({
    ...one,
    margins:
      all *
      factorOf(
        divided(
          one.rows.filter(({isNamed}) => isNamed),
          () => all,
        ),
      ),
  }))
  const unnamed = byEngine.flatMap(({rows, margins}) =>
    divided(
      rows.filter(({isNamed}) => !isNamed),
      () => margins,
    ),
  )
  const release = Math.max(1, factorOf(unnamed, HOLDS_UNNAMED))
  const reckoned = withUnseen(Object.fromEntries(byEngine.map(({id, rows, margins}) => [id, memoryErrors(id, rows, margins, release)])))
  return Object.fromEntries(each.map(({id, rows}) => [id, {...reckoned[id]!, inside: insideOf(rows, reckoned[id]!)}]))
}
