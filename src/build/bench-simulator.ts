import {join} from 'node:path'
import {type Catalogue, openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'
import {simulationQuestion} from '../core/simulator/deployment.ts'
import {benchmarkLengths, type LengthLaw, type Load} from '../core/simulator/load.ts'
import {type SimulationQuestion, simulate} from '../core/simulator/simulate.ts'
import {type PerformanceInput, replicaCount} from '../core/throughput/input.ts'
import {preparedModel} from '../core/throughput/performance.ts'
import {closedLoop} from '../core/throughput/serving.ts'
import {answer, performanceInput} from '../planner/answer/index.ts'
import type {Task} from './task.ts'

/** What the simulator must do at least, in every case. */
const ITERATIONS_PER_SECOND = 200_000
/** Shorter measurements say little. */
const LEAST_MICROSECONDS = 200_000
/** How far throughput and time per token of a steady closed loop may lie from the closed form. */
const AGREEMENT = 0.05

const MODELS: [model: string, gpu: string][] = [
  ['llama-3.1-8b', '1xh100-sxm'],
  ['qwen3-32b', '2xh200-sxm'],
  ['gpt-oss-120b', '1xb200-sxm'],
  ['deepseek-v3.2', '8xh200-sxm'],
]
const ENGINES = ['vllm', 'sglang', 'trtllm']
const LENGTHS: [input: number, output: number][] = [
  [1024, 1024],
  [8192, 1024],
  [1024, 128],
  [128, 2048],
]
const CONCURRENCIES = [1, 8, 64, 256]

async function inputOf(
  catalogue: Catalogue,
  model: string,
  gpu: string,
  engine: string,
  [inputTokens, outputTokens]: [number, number],
  concurrency: number,
): Promise<PerformanceInput | undefined> {
  const {best} = await answer(realContext(catalogue), {model, gpu, engine, workload: {inputTokens, outputTokens, concurrency}})
  return best.performance && performanceInput(best, best.workload!)
}

const lognormal = (mean: number): LengthLaw => ({kind: 'lognormal', mean, deviation: 0.8, most: 16 * mean})
const BASE = {input: benchmarkLengths(1024), output: benchmarkLengths(1024)}

/** From easy to hard: few prompts, many, and prompts of all lengths at a high rate. */
const LOADS: [name: string, load: Load][] = [
  ['closed loop, 64 in flight', {kind: 'closed-loop', concurrency: 64, requestCount: 6400, ...BASE}],
  ['closed loop, 256, short answers', {kind: 'closed-loop', concurrency: 256, requestCount: 25_600, ...BASE, output: benchmarkLengths(128)}],
  ['4 a second, lognormal', {kind: 'poisson', requestsPerSecond: 4, requestCount: 10_000, input: lognormal(1000), output: lognormal(300)}],
]

/** Once to compile the code, then again and again for as long as the clock of the processor needs: what else runs here does not count. Each run starts with empty tables. */
function timed(question: SimulationQuestion): [iterations: number, perSecond: number] {
  const {iterations} = simulate(question)
  const started = process.cpuUsage()
  for (let runs = 1; ; runs++) {
    simulate(question)
    const {user, system} = process.cpuUsage(started)
    if (user + system > LEAST_MICROSECONDS) return [iterations, (runs * iterations * 1e6) / (user + system)]
  }
}

async function speed(catalogue: Catalogue): Promise<number> {
  let broken = 0
  for (const [model, gpu] of MODELS)
    for (const engine of ENGINES)
      for (const [name, load] of LOADS) {
        const input = await inputOf(catalogue, model, gpu, engine, [1024, 1024], 64)
        if (!input) continue
        const question = simulationQuestion(input, catalogue.speedCalibration, {load, seed: 1})
        const [iterations, perSecond] = timed(question)
        const slow = perSecond < ITERATIONS_PER_SECOND
        if (slow) broken += 1
        console.log(
          `${engine.padEnd(7)} ${model.padEnd(14)} ${name.padEnd(32)} ${iterations.toString().padStart(9)} iterations  ${(perSecond / 1e6).toFixed(2).padStart(6)} million a second${slow ? '  TOO SLOW' : ''}`,
        )
      }
  return broken
}

const percent = (a: number, b: number): string => `${((a / b - 1) * 100).toFixed(1)}%`.padStart(8)

/** Steady closed loops beside the closed form. What lies beyond the tolerance is told, and is not an error: either may be right. */
async function agreement(catalogue: Catalogue): Promise<void> {
  let [all, beyond] = [0, 0]
  for (const [model, gpu] of MODELS)
    for (const engine of ENGINES)
      for (const lengths of LENGTHS)
        for (const concurrency of CONCURRENCIES) {
          const input = await inputOf(catalogue, model, gpu, engine, lengths, concurrency)
          if (!input) continue
          const inFlight = Math.max(1, Math.round(concurrency / replicaCount(input)))
          const form = closedLoop(input, preparedModel(input, catalogue.speedCalibration), inFlight, 'steady')
          const [inputTokens, outputTokens] = lengths
          const load: Load = {
            kind: 'closed-loop',
            concurrency: inFlight,
            requestCount: 30 * inFlight,
            input: benchmarkLengths(inputTokens),
            output: benchmarkLengths(outputTokens),
          }
          const alone = {...input, dp: input.dpAttention ? input.dp : 1}
          const result = simulate(simulationQuestion(alone, catalogue.speedCalibration, {load, skipFirst: 10 * inFlight, skipLast: 2 * inFlight, seed: 1}))
          const [rate, tpot, ttft] = [form.requestsPerSecond * outputTokens, form.tpot * 1000, form.ttft * 1000]
          const far = Math.max(Math.abs(result.outputTokensPerSecond / rate - 1), Math.abs(result.tpotMs!.mean / tpot - 1)) > AGREEMENT
          all += 1
          if (far) beyond += 1
          console.log(
            `${engine.padEnd(7)} ${model.padEnd(14)} ${lengths.join('/').padEnd(10)} ${concurrency.toString().padStart(4)}  throughput ${percent(result.outputTokensPerSecond, rate)}  TPOT ${percent(result.tpotMs!.mean, tpot)}  TTFT ${percent(result.ttftMs!.mean, ttft)}${far ? '  FAR' : ''}`,
          )
        }
  console.log(`${all - beyond} of ${all} within ${AGREEMENT * 100}% in throughput and time per token`)
}

/** Speed of the simulator; with `agreement`, how it compares with the closed form instead. Exits with 1 when it is too slow. */
export async function main({root, args}: Task): Promise<number> {
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  if (args[0] === 'agreement') {
    await agreement(catalogue)
    return 0
  }
  return (await speed(catalogue)) > 0 ? 1 : 0
}
