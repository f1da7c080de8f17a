import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'
import {answer} from '../planner/answer/index.ts'
import {ScenarioSchema} from '../planner/scenario/schema.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {Task} from './task.ts'

/** Within this share of the best measured, a choice counts as right. */
const WITHIN = 0.05
const BAR = 0.85

interface Line extends Scenario {
  gpu: string
  observed: {ttftMs?: number | null; tpotMs?: number | null; outputTokensPerSecond?: number | null}
}

interface Layout {
  name: string
  gpus: number
  line: Line
  measured: number[]
}

/** Output tokens a second: as measured, or by Little's law from the times of a closed loop. */
function throughputOf({observed, workload}: Line): number | undefined {
  const {ttftMs, tpotMs, outputTokensPerSecond} = observed
  if (outputTokensPerSecond != null) return outputTokensPerSecond
  if (ttftMs == null || tpotMs == null || typeof workload?.concurrency !== 'number') return undefined
  return (workload.concurrency * workload.outputTokens * 1000) / (ttftMs + tpotMs * (workload.outputTokens - 1))
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Lines that measured the same model on the same kind of GPU with the same engine, release and load, by layout. */
function groupsOf(text: string): Map<string, Layout[]> {
  const groups = new Map<string, Layout[]>()
  for (const line of text
    .split('\n')
    .filter(Boolean)
    .map((json) => JSON.parse(json) as Line)) {
    const throughput = throughputOf(line)
    const [count, ...gpu] = line.gpu.split('x')
    if (throughput === undefined || line.workload === undefined) continue
    const key = [line.model, gpu.join('x'), line.engine, line.engineVersion, line.weights, line.kvCache, JSON.stringify(line.workload)].join(' | ')
    const name = `${count} GPUs: tp ${line.tp} pp ${line.pp ?? 1} dp ${line.dp ?? 1} ep ${line.ep ?? 1}${line.dpAttention ? ' attn-dp' : ''}`
    const layouts = groups.get(key) ?? []
    const known = layouts.find((layout) => layout.name === name)
    if (known) known.measured.push(throughput)
    else layouts.push({name, gpus: Number(count), line, measured: [throughput]})
    groups.set(key, layouts)
  }
  return groups
}

interface Tally {
  groups: number
  right: number
  lost: number[]
  worst: {key: string; chosen: string; best: string; lost: number}[]
}

/**
 * Where several layouts were measured at the same load: would the one that plan ranks first (by the cautious end of throughput, in all or for
 * each GPU) have been within 5% of the best measured? `node src/build/run.mjs check-plans FILE`.
 */
export async function main({root, args}: Task): Promise<number> {
  const [file] = args
  if (file === undefined) {
    console.error('usage: check-plans FILE (JSON Lines: scenarios with observed)')
    return 2
  }
  const context = realContext(openCatalogue(join(root, 'dist', 'data')), {offline: true})
  const fields = Object.keys(ScenarioSchema.shape)
  const speeds = new Map<Layout, number>()
  const speedOf = async (layout: Layout): Promise<number> => {
    const known = speeds.get(layout)
    if (known !== undefined) return known
    const raw = layout.line as unknown as Record<string, unknown>
    const scenario = ScenarioSchema.parse(Object.fromEntries(fields.filter((field) => raw[field] != null).map((field) => [field, raw[field]]))) as Scenario
    const {best} = await answer(context, scenario)
    const speed = best.performance?.outputTokensPerSecond.low ?? 0
    speeds.set(layout, speed)
    return speed
  }
  const tallies: Record<string, Tally> = {'same number of GPUs': fresh(), 'any number, for each GPU': fresh(), 'any number, in all': fresh()}
  for (const [key, layouts] of groupsOf(readFileSync(file, 'utf8'))) {
    const byCount = new Map<number, Layout[]>()
    for (const layout of layouts) byCount.set(layout.gpus, [...(byCount.get(layout.gpus) ?? []), layout])
    for (const group of byCount.values()) if (group.length > 1) await judge(tallies['same number of GPUs']!, key, group, speedOf, () => 1)
    if (byCount.size > 1) {
      await judge(tallies['any number, for each GPU']!, key, layouts, speedOf, ({gpus}) => gpus)
      await judge(tallies['any number, in all']!, key, layouts, speedOf, () => 1)
    }
  }
  let [groups, right] = [0, 0]
  for (const [name, tally] of Object.entries(tallies)) {
    groups += tally.groups
    right += tally.right
    console.log(
      `${name.padEnd(26)} ${String(tally.groups).padStart(4)} groups  ${percent(tally.right, tally.groups)} within ${WITHIN * 100}% of the best measured, ${tally.groups > 0 ? (mean(tally.lost) * 100).toFixed(1) : '-'}% lost on average`,
    )
  }
  console.log(`${'all'.padEnd(26)} ${String(groups).padStart(4)} groups  ${percent(right, groups)}  (bar: ${BAR * 100}%)`)
  const worst = Object.entries(tallies)
    .flatMap(([name, {worst: list}]) => list.map((entry) => ({name, ...entry})))
    .sort((a, b) => b.lost - a.lost)
    .slice(0, 12)
  for (const {name, key, chosen, best, lost} of worst) console.log(`  -${(lost * 100).toFixed(0)}% (${name}) chose ${chosen}, best was ${best}: ${key}`)
  return groups > 0 && right / groups >= BAR ? 0 : 1
}

const fresh = (): Tally => ({groups: 0, right: 0, lost: [], worst: []})

const percent = (part: number, whole: number): string => (whole === 0 ? '  -   ' : `${((part / whole) * 100).toFixed(1)}%`)

async function judge(
  tally: Tally,
  key: string,
  layouts: readonly Layout[],
  speedOf: (layout: Layout) => Promise<number>,
  share: (layout: Layout) => number,
): Promise<void> {
  let chosen: {layout: Layout; speed: number} | undefined
  for (const layout of layouts) {
    const speed = (await speedOf(layout)) / share(layout)
    if (!chosen || speed > chosen.speed) chosen = {layout, speed}
  }
  const measured = (layout: Layout) => mean(layout.measured) / share(layout)
  const best = layouts.reduce((a, b) => (measured(b) > measured(a) ? b : a))
  const lost = 1 - measured(chosen!.layout) / measured(best)
  tally.groups += 1
  tally.lost.push(lost)
  if (lost <= WITHIN) tally.right += 1
  else tally.worst.push({key, chosen: chosen!.layout.name, best: best.name, lost})
}
