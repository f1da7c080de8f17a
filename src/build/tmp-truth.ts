import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {readMeasurements} from './fit/measurements.ts'
import {servingOf, preparedModel} from '../core/throughput/performance.ts'
import {simulationQuestion} from '../core/simulator/deployment.ts'
import {simulate} from '../core/simulator/simulate.ts'
import type {Task} from './task.ts'
export async function main({root, args}: Task): Promise<number> {
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  const cal = catalogue.speedCalibration
  const {measurements} = await readMeasurements([args[0]!], catalogue)
  const rows: any[] = []
  for (const m of measurements) {
    const w = m.input.workload
    if (typeof w.concurrency !== 'number' || m.observed.ttftMs === undefined) continue
    const f = servingOf(m.input, cal)
    const one = (mod: (q: any) => void) => { const q = simulationQuestion(m.input, cal, {seed: 1}); mod(q); const r = simulate(q); const rep = m.input.dpAttention ? 1 : m.input.dp; return {ttft: r.ttftMs!.mean, tpot: r.tpotMs!.mean, x: (w.concurrency as number) * w.outputTokens * 1000 / (r.ttftMs!.mean + r.tpotMs!.mean * (w.outputTokens - 1)), xw: r.outputTokensPerSecond, p: r.preemptionCount} }
    rows.push({id: m.id, e: m.input.engine, c: w.concurrency, i: w.inputTokens, o: w.outputTokens, obs: {ttft: m.observed.ttftMs, tpot: m.observed.tpotMs, x: m.observed.outputTokensPerSecond},
      form: {ttft: f.ttft * 1000, tpot: f.tpot * 1000, x: (w.concurrency as number) * w.outputTokens / (f.ttft + f.tpot * (w.outputTokens - 1))}, sim: one(() => {}), sim0: one((q) => { q.delivery = {...q.delivery, firstTokenSteps: 0, furtherFirstTokenSteps: 0} })})
  }
  const med = (v: number[]) => { const s = [...v].sort((a, b) => a - b); return s[Math.floor(s.length / 2)]! }
  const groups: [string, (r: any) => boolean][] = [['all', () => true], ...['vllm', 'sglang', 'trtllm'].map((e) => [e, (r: any) => r.e === e] as any), ...[[1, 4], [5, 16], [17, 64], [65, 1024]].flatMap(([a, b]) => ['vllm', 'sglang', 'trtllm'].map((e) => [`${e} c${a}-${b}`, (r: any) => r.e === e && r.c >= a && r.c <= b] as any)), ...[1, 8].flatMap((k) => ['vllm', 'sglang', 'trtllm'].map((e) => [`${e} in ${k}k`, (r: any) => r.e === e && Math.round(r.i / 922) === k] as any))]
  for (const [name, is] of groups) {
    const g = rows.filter(is)
    if (!g.length) continue
    console.log(name.padEnd(18), String(g.length).padStart(5), ...['form', 'sim', 'sim0'].map((k) => `${k}: ` + ['ttft', 'tpot', 'x'].map((q) => `${q} ${(med(g.map((r) => Math.abs(r[k][q] / r.obs[q] - 1))) * 100).toFixed(1)} (${((Math.exp(med(g.map((r) => Math.log(r[k][q] / r.obs[q])))) - 1) * 100).toFixed(0)})`).join(' ')))
  }
  const d = rows.map((r) => ({id: r.id, d: Math.log(r.sim.tpot / r.form.tpot), dx: Math.log(r.sim.x / r.form.x)}))
  for (const q of ['d', 'dx'] as const) { const s = d.map((r) => Math.abs(r[q])).sort((a, b) => a - b); console.log(q, 'median', s[s.length >> 1], 'p90', s[Math.floor(s.length * .9)], 'p97', s[Math.floor(s.length * .97)]); for (const r of [...d].sort((a, b) => Math.abs(b[q]) - Math.abs(a[q])).slice(0, 8)) console.log('  ', r.id, r[q].toFixed(3)) }
  for (const r of rows.filter((r) => Math.abs(Math.log(r.sim.x / r.form.x)) > 0.06)) console.log(r.id.slice(-70), r.i, r.o, r.c, JSON.stringify(['obs','form','sim'].map((k) => [r[k].ttft, r[k].tpot, r[k].x].map((v: number) => +v.toPrecision(4)))), r.sim.p)
  return 0
}
