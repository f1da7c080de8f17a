import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'
import {answer} from '../planner/answer.ts'
import {performanceInput} from '../planner/evaluate.ts'
import {preparedModel} from '../core/throughput/performance.ts'
import {closedLoop} from '../core/throughput/serving.ts'
import {simulationQuestion} from '../core/simulator/deployment.ts'
import {recordsOf} from '../core/simulator/simulate.ts'
import type {Task} from './task.ts'
export async function main({root, args}: Task): Promise<number> {
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  const context = realContext(catalogue)
  const cal = catalogue.speedCalibration
  const [engine, model, gpu, i, o, c] = args as any
  const {best} = await answer(context, {model, gpu, engine, workload: {inputTokens: +i, outputTokens: +o, concurrency: +c}})
  const input = performanceInput(best, best.workload!)
  console.log(input.maxNumBatchedTokens, input.maxNumSeqs, input.kvCacheTokens)
  const form = closedLoop(input, cal, preparedModel(input, cal), +c, true)
  console.log(form)
  const r = recordsOf(simulationQuestion(input, cal, {seed: 1}))
  for (let g = 0; g < 10; g++) { let s = 0, w=0; for (let k = 0; k < +c; k++) { const id = g * +c + k; s += r.firstTokenMs[id]! - r.arrivalMs[id]!; w += r.startMs[id]! - r.arrivalMs[id]! } console.log(g, (s / +c).toFixed(1), (w/+c).toFixed(1)) }
  return 0
}
