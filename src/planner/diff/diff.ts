import {InputError} from '../../core/input-error.ts'
import {type DocumentKind, type Figure, figuresOf} from './figures.ts'

export interface DiffChange {
  key: string
  /** Absent: only the other document has it. */
  before?: Figure['value']
  after?: Figure['value']
  unit?: Figure['unit']
  /** Of numbers: 0.1 is a tenth more. */
  relative?: number
  effect: 'worse' | 'better' | 'changed'
}

/** `diff --json`. */
export interface DiffReport {
  schemaVersion: 2
  kind: DocumentKind
  tolerance: number
  /** Figures that are worse beyond the tolerance. */
  worse: number
  changes: DiffChange[]
  /** The data that the two were answered from, where it differs: figures may have changed with it. */
  dataVersion?: {before?: string; after?: string}
}

const dataVersionOf = (document: unknown): string | undefined => {
  const version = (document as {dataVersion?: unknown}).dataVersion
  return typeof version === 'string' ? version.slice(0, 64) : undefined
}

/** What changed from one document to another of the same kind. @throws InputError for what is no result of ours. */
export function diffOf(before: {name: string; document: unknown}, after: {name: string; document: unknown}, tolerance: number): DiffReport {
  const [a, b] = [before, after].map(({name, document}) => {
    const figures = figuresOf(document)
    if (!figures) throw new InputError('DIFF_UNKNOWN', `${name} is no result of check, plan, compare or capacity with --json`)
    return figures
  }) as [NonNullable<ReturnType<typeof figuresOf>>, NonNullable<ReturnType<typeof figuresOf>>]
  if (a.kind !== b.kind) throw new InputError('DIFF_KINDS', `${before.name} is a ${a.kind}, ${after.name} a ${b.kind}: expected two of a kind`)
  const known = new Map(b.figures.map((figure) => [figure.key, figure]))
  const changes: DiffChange[] = []
  for (const figure of a.figures) {
    const now = known.get(figure.key)
    known.delete(figure.key)
    if (!now) changes.push({key: figure.key, before: figure.value, ...(figure.unit && {unit: figure.unit}), effect: figure.better ? 'worse' : 'changed'})
    else if (!isSame(now.value, figure.value)) changes.push(changeOf(figure, now, tolerance))
  }
  for (const {key, value, unit} of known.values()) changes.push({key, after: value, ...(unit && {unit}), effect: 'changed'})
  const order = {worse: 0, better: 1, changed: 2}
  changes.sort((x, y) => order[x.effect] - order[y.effect])
  const data = {before: dataVersionOf(before.document), after: dataVersionOf(after.document)}
  const worse = changes.filter(({effect}) => effect === 'worse').length
  return {schemaVersion: 2, kind: a.kind, tolerance, worse, changes, ...(data.before !== data.after && {dataVersion: data})}
}

/** Releases of Node differ in the last digits of exponentials and powers: such a difference is nobody's doing. */
const ROUNDING = 1e-9

const isSame = (a: Figure['value'], b: Figure['value']): boolean =>
  a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)))

function changeOf(before: Figure, after: Figure, tolerance: number): DiffChange {
  const {key, better, order, unit} = before
  const base: DiffChange = {key, before: before.value, after: after.value, ...(unit && {unit}), effect: 'changed'}
  if (order && better) {
    const [from, to] = [order.indexOf(String(before.value)), order.indexOf(String(after.value))]
    return {...base, effect: to < from ? 'worse' : 'better'}
  }
  if (typeof before.value !== 'number' || typeof after.value !== 'number') return base
  const difference = after.value - before.value
  const relative = before.value === 0 ? undefined : difference / Math.abs(before.value)
  const beyond = relative === undefined ? true : Math.abs(relative) > tolerance
  const effect = !better || !beyond ? 'changed' : difference > 0 === (better === 'higher') ? 'better' : 'worse'
  return {...base, ...(relative !== undefined && {relative}), effect}
}

/** `2%` or `0.02`. @throws InputError. */
export function parseTolerance(text: string): number {
  const match = /^(\d*\.?\d+)\s*(%?)$/.exec(text.trim())
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN
  if (!(share >= 0 && share <= 10)) throw new InputError('TOLERANCE_INVALID', `--tolerance ${text}: expected a share such as 2% or 0.02`)
  return share
}
