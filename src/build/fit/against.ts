/** What a change does to the estimates: those of a revision beside those of the tree as it is, and what was measured. */
import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, symlinkSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {kindOf} from './kinds.ts'
import {percent, quantile} from './report.ts'

/** Fields of a scenario in the contract: any revision takes them. */
const SCENARIO_FIELDS = (
  'id model gpu machine nodes engine engineVersion weights kvCache tp pp dp ep dpAttention disaggregated maxModelLen maxNumSeqs maxNumBatchedTokens ' +
  'gpuMemoryUtilization enforceEager speculative cpuOffloadBytes reservedBytesPerGpu workload'
).split(' ')

export type Figures = Partial<Record<Figure, number>>
const FIGURES = ['ttftMs', 'tpotMs', 'outputTokensPerSecond'] as const
type Figure = (typeof FIGURES)[number]
const FIGURE_WORDS: Record<Figure, string> = {ttftMs: 'first token', tpotMs: 'time per token', outputTokensPerSecond: 'output rate'}

export interface Case {
  id: string
  gpu: string
  workload?: {concurrency?: number | 'max'; requestRate?: number}
  observed: {[figure in Figure]?: number | null}
}

export interface Change {
  id: string
  group: string
  figure: Figure
  before: number
  after: number
  observed?: number
}

/** Estimates that both revisions give. */
export function changesOf(cases: readonly Case[], before: ReadonlyMap<string, Figures>, after: ReadonlyMap<string, Figures>): Change[] {
  return cases.flatMap((one) => {
    const [old, now] = [before.get(one.id), after.get(one.id)]
    if (!old || !now || !one.workload) return []
    const group = `${one.gpu.replace(/^\d+x/, '')}, ${kindOf(one.workload)}`
    return FIGURES.flatMap((figure): Change[] => {
      const [a, b] = [old[figure], now[figure]]
      if (a === undefined || b === undefined) return []
      return [{id: one.id, group, figure, before: a, after: b, observed: one.observed[figure] ?? undefined}]
    })
  })
}

/** Changes below are not told. */
const LEAST_CHANGE = 0.005
const MOST_LINES = 20

const moved = ({before, after}: Change): number => Math.abs(Math.log(after / before))
const signed = (ratio: number): string => `${ratio >= 1 ? '+' : ''}${(100 * (ratio - 1)).toFixed(1)}%`
const plain = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))
const errors = (changes: readonly Change[], of: 'before' | 'after'): number[] =>
  changes.flatMap((change) => (change.observed === undefined ? [] : [Math.abs(change[of] / change.observed - 1)]))

/** Group by group how far estimates moved and what that does to their errors; then those that moved most. */
export function changeWords(changes: readonly Change[], ref: string): string {
  const told = changes.filter((change) => moved(change) >= LEAST_CHANGE)
  const lines = [`${told.length} of ${changes.length} estimates differ from ${ref} by more than ${percent(LEAST_CHANGE)}.`]
  if (told.length === 0) return lines[0]!
  lines.push(
    '',
    '| card and question | figure | moved | by, in the median | measured | error before: median | nine in ten within | after: median | nine in ten within |',
  )
  lines.push('|---|---|---:|---:|---:|---:|---:|---:|---:|')
  for (const group of [...new Set(told.map((change) => change.group))].sort())
    for (const figure of FIGURES) {
      const part = changes.filter((change) => change.group === group && change.figure === figure)
      const these = part.filter((change) => moved(change) >= LEAST_CHANGE)
      if (these.length === 0) continue
      const by = Math.exp(
        quantile(
          these.map(({before, after}) => Math.log(after / before)),
          0.5,
        ),
      )
      const [old, now] = [errors(part, 'before'), errors(part, 'after')]
      const cells = [quantile(old, 0.5), quantile(old, 0.9), quantile(now, 0.5), quantile(now, 0.9)].map(percent)
      lines.push(`| ${group} | ${FIGURE_WORDS[figure]} | ${these.length} of ${part.length} | ${signed(by)} | ${old.length} | ${cells.join(' | ')} |`)
    }
  lines.push('', 'Moved most:')
  for (const change of [...told].sort((a, b) => moved(b) - moved(a) || a.id.localeCompare(b.id)).slice(0, MOST_LINES)) {
    const {id, group, figure, before, after, observed} = change
    const measured = observed === undefined ? 'not measured' : `${plain(observed)} measured`
    lines.push(`  ${id} (${group}): ${FIGURE_WORDS[figure]} ${plain(before)} -> ${plain(after)} (${signed(after / before)}), ${measured}`)
  }
  return lines.join('\n')
}

/** A program that could not do what was asked of it, in one line. */
export class RunError extends Error {}

/** Runs a program, or throws with what it printed. */
function run(program: string, args: readonly string[], cwd: string, input?: string, mostStatus = 0): string {
  const {status, stdout, stderr, error} = spawnSync(program, args, {cwd, encoding: 'utf8', maxBuffer: 1 << 30, ...(input !== undefined && {input})})
  if (error || status === null || status > mostStatus)
    throw new RunError(`${program} ${args.join(' ')}: ${error?.message ?? (stderr.trim().split('\n').at(-1) || `exit ${status}`)}`)
  return stdout
}

/** A name that starts with a dash would be an option of git. */
function commitOf(root: string, ref: string): string {
  try {
    return run('git', ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`], root).trim()
  } catch {
    throw new RunError(`No revision named "${ref}" in this repository: expected a branch, a tag or a commit`)
  }
}

/** Answers of the build in a folder. Status 1 of batch: some line could not be answered, the others were. */
function answersIn(folder: string, input: string): Map<string, Figures> {
  run(process.execPath, ['src/build/run.mjs', 'build'], folder)
  const answers = new Map<string, Figures>()
  for (const line of run(process.execPath, ['bin/run.js', 'batch', '-'], folder, input, 1).split('\n').filter(Boolean)) {
    const {id, performance} = JSON.parse(line) as {id: string; performance?: Record<Figure, {estimate: number}>}
    if (performance) answers.set(id, Object.fromEntries(FIGURES.map((figure) => [figure, performance[figure].estimate])))
  }
  return answers
}

/** Builds a revision in a work tree of its own, asks it and the tree as it is what the files ask, and tells what differs. Cleans up behind itself. */
export function against(root: string, ref: string, files: readonly string[]): string {
  const cases = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Case & Record<string, unknown>),
  )
  const input = cases.map((one) => JSON.stringify(Object.fromEntries(SCENARIO_FIELDS.flatMap((key) => (one[key] == null ? [] : [[key, one[key]]]))))).join('\n')
  const commit = commitOf(root, ref)
  const folder = join(mkdtempSync(join(tmpdir(), 'servefit-')), 'tree')
  try {
    run('git', ['worktree', 'add', '--detach', folder, commit], root)
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    return changeWords(changesOf(cases, answersIn(folder, input), answersIn(root, input)), ref)
  } finally {
    spawnSync('git', ['worktree', 'remove', '--force', folder], {cwd: root})
    rmSync(join(folder, '..'), {recursive: true, force: true})
  }
}
