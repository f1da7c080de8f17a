/** What another release of an engine changes for one deployment: what a result says, what the engine chooses by itself, its options, what it loads. */
import {DEPLOYMENT_FIELDS, type Deployment} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import type {Engine, LaunchFlag} from '../../engines/engine.ts'
import {type FlagTable, legalChoices, optionsAt} from '../../engines/flags.ts'
import {compareVersions} from '../../engines/versions.ts'
import {type Answer, answer, type Evaluation, type Result, SCHEMA_VERSION, subjectOf, toResult, type Verdict} from '../answer/index.ts'
import {distinctFormats, type SupportStatus, supportCell} from '../models/index.ts'
import type {Scenario} from '../scenario/index.ts'
import {type Context, engineInRelease, pacingAccelerator} from '../world/index.ts'
import {type DiffChange, diffOf} from './diff.ts'

/** A value under both releases; absent: that release has none. */
interface Change {
  name: string
  before?: unknown
  after?: unknown
}

/** `diff --engine-version A B --json`. */
export interface Upgrade {
  schemaVersion: typeof SCHEMA_VERSION
  kind: 'upgrade'
  engine: string
  from: string
  to: string
  /** Held the same in both: the checkpoint and the layout that the first release was answered with. */
  model: string
  hfId: string
  gpu: string
  gpus: number
  layout: Pick<Deployment, 'tp' | 'pp' | 'dp' | 'ep' | 'dpAttention'>
  verdict: {before: Verdict; after: Verdict}
  /** Why the second release would not do, where it would not. */
  reasons: Reason[]
  tolerance: number
  /** Figures that are worse beyond the tolerance; a release that no longer does counts too. */
  worse: number
  /** Cache, context, memory by part, speed. */
  figures: DiffChange[]
  /** What the engine chooses by itself. */
  defaults: Change[]
  /** Options of the start command that servefit would write. */
  start: Change[]
  /** Options of the engine by name: gone, with what is said to take their place; come; with another default or other choices. */
  options: {
    gone: {name: string; instead?: string}[]
    came: string[]
    changed: (Change & {what: 'default' | 'choices'})[]
    deprecated: {name: string; instead?: string}[]
  }
  /** Formats that it loads differently on this card. */
  support: {weights: string; hfId: string; before: SupportStatus; after: SupportStatus; reason?: string}[]
  /** Remarks that only one of the two answers has. */
  warnings: {came: Warning[]; gone: Warning[]}
  /** The whole answers. */
  before: Result
  after: Result
}

const sameValue = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Changes between two sets of named values, in the order of the first. */
function changesOf(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [a, b] = [before.get(name), after.get(name)]
    return sameValue(a, b) ? [] : [{name, ...(a !== undefined && {before: a}), ...(b !== undefined && {after: b})}]
  })
}

/** @throws InputError for what cannot be asked about, ENGINE_VERSIONS_EQUAL where nothing can differ. */
export async function upgradeOf(context: Context, scenario: Scenario, [from, to]: readonly [string, string], tolerance: number): Promise<Upgrade> {
  if (compareVersions(from, to) === 0) throw new InputError('ENGINE_VERSIONS_EQUAL', `--engine-version ${from} ${to}: expected two releases`)
  for (const version of [from, to]) engineInRelease(context, scenario.engine, version)
  const first = await answer(context, {...scenario, engineVersion: from})
  const held = heldIn(scenario, first)
  const second = await answer(context, {...held, engineVersion: to})
  const [before, after] = [first.best, second.best]
  const {engine, machine, model, checkpoint} = before
  const results = [toResult(before), toResult(after)] as const
  const figures = figuresBetween(results, tolerance)
  const table = context.catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  const {tp, pp, dp, ep, dpAttention} = before.deployment
  return {
    schemaVersion: SCHEMA_VERSION,
    kind: 'upgrade',
    engine: engine.id,
    from: before.deployment.engineVersion,
    to: after.deployment.engineVersion,
    model: model.id,
    hfId: checkpoint.hfId,
    gpu: pacingAccelerator(machine).id,
    gpus: results[0].hardware.gpus,
    layout: {tp, pp, dp, ep, dpAttention},
    verdict: {before: before.verdict, after: after.verdict},
    reasons: after.reasons,
    tolerance,
    worse: figures.filter(({effect}) => effect === 'worse').length,
    figures,
    defaults: changesOf(defaultsOf(before), defaultsOf(after)),
    start: changesOf(startOf(before), startOf(after)),
    options: optionsBetween(table, before.deployment.engineVersion, after.deployment.engineVersion),
    support: supportBetween(engine, before, [from, to]),
    warnings: {came: unlike(after.warnings, before.warnings), gone: unlike(before.warnings, after.warnings)},
    before: results[0],
    after: results[1],
  }
}

/** The same question about exactly what was chosen: what differs is then the release's doing. */
function heldIn(scenario: Scenario, {best, named}: Answer): Scenario {
  const {deployment, checkpoint} = best
  const {tp, pp, dp, ep, dpAttention} = deployment
  const isPublished = best.model.checkpoints.some(({hfId}) => hfId === checkpoint.hfId)
  const layout = {tp, pp, dp, ...(ep > 1 && {ep}), ...(dpAttention && {dpAttention})}
  return {...scenario, ...(named.checkpoint === undefined && isPublished && {model: checkpoint.hfId, weights: undefined}), ...layout}
}

/** What a result tells, and memory by part beside it. */
function figuresBetween(results: readonly [Result, Result], tolerance: number): DiffChange[] {
  const [a, b] = results.map((document) => ({name: 'result', document})) as [{name: string; document: Result}, {name: string; document: Result}]
  const told = diffOf(a, b, tolerance).changes.filter(({key}) => !(DEPLOYMENT_FIELDS as readonly string[]).includes(key) || key === 'maxModelLen')
  const parts = (['budgetBytes', 'activationBytes', 'cudaGraphBytes', 'runtimeBytes', 'stateBytes'] as const).flatMap((key): DiffChange[] => {
    const [before, after] = results.map(({memory}) => memory.perGpu[key]) as [number | undefined, number | undefined]
    if (before === after) return []
    const relative = before !== undefined && after !== undefined && before !== 0 ? (after - before) / before : undefined
    const known = {...(before !== undefined && {before}), ...(after !== undefined && {after}), ...(relative !== undefined && {relative})}
    return [{key, ...known, unit: 'bytes', effect: 'changed'}]
  })
  return [...told, ...parts].filter(({key}) => key !== 'model')
}

/** What the engine would choose for this layout if nothing else was said. */
function defaultsOf({engine, deployment, ...standing}: Evaluation): Map<string, unknown> {
  const {engineVersion, tp, pp, dp, ep, dpAttention} = deployment
  const own = engine.resolve(subjectOf(standing), {engineVersion, tp, pp, dp, ...(ep > 1 && {ep}), ...(dpAttention && {dpAttention})})
  const fields = DEPLOYMENT_FIELDS.filter((name) => !['engine', 'engineVersion', 'weights', 'tp', 'pp', 'dp', 'ep', 'dpAttention'].includes(name))
  return new Map(fields.map((name) => [name, own[name]]))
}

/** Options that a start has, and keys of its file. */
function startOf(evaluation: Evaluation): Map<string, unknown> {
  const {flags, environment, file} = evaluation.engine.launch(subjectOf(evaluation), evaluation.deployment)
  return new Map<string, unknown>([
    ...environment.map(({name, value}) => [name, value] as const),
    ...flags.map(({flag, value}: LaunchFlag) => [flag, value] as const),
    ...Object.entries(file?.content ?? {}).map(([name, value]) => [`${file!.name}: ${name}`, value] as const),
  ])
}

function optionsBetween(table: FlagTable, from: string, to: string): Upgrade['options'] {
  const [before, after] = [withoutOpposites(optionsAt(table, from)), withoutOpposites(optionsAt(table, to))]
  const gone = [...before]
    .filter(([name]) => !after.has(name))
    .map(([name, {instead, name: own}]) => named(name, instead ?? (after.has(own) ? own : undefined)))
  const came = [...after.keys()].filter((name) => !before.has(name))
  const both = [...before].flatMap(([name, row]) => (after.has(name) && row.name === name ? [[name, row, after.get(name)!] as const] : []))
  const changed = both.flatMap(([name, a, b]): Upgrade['options']['changed'] => {
    const choices = [legalChoices(a, from), legalChoices(b, to)]
    return [
      ...(sameValue(a.default, b.default)
        ? []
        : [{name, what: 'default' as const, ...(a.default !== undefined && {before: a.default}), ...(b.default !== undefined && {after: b.default})}]),
      ...(choices[0] && choices[1] && !sameValue([...choices[0]].sort(), [...choices[1]].sort())
        ? [
            {
              name,
              what: 'choices' as const,
              before: choices[0].filter((choice) => !choices[1]!.includes(choice)),
              after: choices[1].filter((choice) => !choices[0]!.includes(choice)),
            },
          ]
        : []),
    ]
  })
  const deprecated = both.filter(([, a, b]) => b.deprecated === true && a.deprecated !== true).map(([name, , {instead}]) => named(name, instead))
  return {gone, came, changed, deprecated}
}

/** A switch and its opposite come and go together. */
const withoutOpposites = <T>(options: ReadonlyMap<string, T>): Map<string, T> =>
  new Map([...options].filter(([name]) => !(name.startsWith('--no-') && options.has(`--${name.slice('--no-'.length)}`))))

const named = (name: string, instead: string | undefined) => ({name, ...(instead !== undefined && {instead})})

function supportBetween(engine: Engine, {model, machine}: Evaluation, [from, to]: readonly [string, string]): Upgrade['support'] {
  const card = pacingAccelerator(machine)
  return distinctFormats(model).flatMap((checkpoint) => {
    const [a, b] = [from, to].map((version) => supportCell(engine, version, model, checkpoint, card)) as [
      ReturnType<typeof supportCell>,
      ReturnType<typeof supportCell>,
    ]
    const reason = (b.status === 'refused' ? b : a).reasons[0]?.message
    return a.status === b.status
      ? []
      : [{weights: checkpoint.weights, hfId: checkpoint.hfId, before: a.status, after: b.status, ...(reason !== undefined && {reason})}]
  })
}

const unlike = (own: readonly Warning[], other: readonly Warning[]): Warning[] =>
  own.filter(({code, message}) => !other.some((known) => known.code === code && known.message === message))
