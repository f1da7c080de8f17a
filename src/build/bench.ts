import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import type {Task} from './task.ts'

const RUNS = 15
/** Of what takes a second. */
const FEW_RUNS = 5

/** What is timed against an empty Node process, and the most times it may take. */
const CASES: {name: string; args: string[]; input?: () => string; bound?: number; boundSeconds?: number}[] = [
  {name: 'check --json', args: ['check', 'qwen3-32b', '--gpu', '8xh100-sxm', '--json'], bound: 2.4},
  {name: 'check', args: ['check', 'qwen3-32b', '--gpu', '2xrtx-4090']},
  {name: 'config', args: ['config', 'qwen3-32b', '--gpu', '2xrtx-4090']},
  {name: 'plan', args: ['plan', 'deepseek-ai/DeepSeek-V3.2', '--machine', 'dgx-h200'], bound: 5},
  {name: 'models --fits', args: ['models', '--fits', '--gpu', '2xrtx-4090'], bound: 8},
  {name: 'batch of 10', args: ['batch', '-'], input: () => scenarios(10), bound: 8},
  {name: 'batch of 1,000', args: ['batch', '-'], input: () => scenarios(1000), bound: 28, boundSeconds: 1.5},
  {name: '1,000 loads', args: ['batch', '-'], input: thousandLoads, bound: 15},
]

/** One model on one machine under loads of which none comes twice. */
function thousandLoads(): string {
  return Array.from({length: 1000}, (_, index) =>
    JSON.stringify({model: 'qwen3-32b', gpu: '2xrtx-4090', workload: {inputTokens: 256 + index, outputTokens: 256, concurrency: 1 + (index % 64)}}),
  ).join('\n')
}

/** Scenarios over models, machines and loads, none twice. */
function scenarios(count: number): string {
  const models = ['qwen3-32b', 'llama-3.1-8b', 'gpt-oss-120b', 'deepseek-v3.2', 'qwen3.6-35b-a3b']
  const gpus = ['1xrtx-4090', '2xrtx-3090', '8xh200-sxm', '4xb200-sxm', '1xgb10']
  return Array.from({length: count}, (_, index) =>
    JSON.stringify({
      id: String(index),
      model: models[index % 5],
      gpu: gpus[Math.floor(index / 5) % 5],
      workload: {inputTokens: 256 + index, outputTokens: 256, concurrency: 1 + (index % 64)},
    }),
  ).join('\n')
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!

function timed(args: string[], cwd: string, input?: string): number {
  const started = process.hrtime.bigint()
  const {error} = spawnSync(process.execPath, args, {cwd, input: input ?? '', maxBuffer: 1 << 30})
  if (error) throw error
  return Number(process.hrtime.bigint() - started) / 1e6
}

/** Start-up beside an empty Node process, in turn with it; exits with 1 when a bound is broken. */
export async function main({root}: Task): Promise<number> {
  const command = join(root, 'bin', 'run.js')
  let broken = 0
  for (const {name, args, input, bound, boundSeconds} of CASES) {
    const text = input?.()
    const runs = name.includes('1,000') ? FEW_RUNS : RUNS
    const empty: number[] = []
    const own: number[] = []
    for (let run = 0; run < runs; run++) {
      empty.push(timed(['-e', '0'], root))
      own.push(timed([command, ...args], root, text))
    }
    const [floor, time] = [median(empty), median(own)]
    const tooSlow = (bound !== undefined && time / floor > bound) || (boundSeconds !== undefined && time > boundSeconds * 1000)
    if (tooSlow) broken += 1
    const limits = [...(bound ? [`at most ${bound}`] : []), ...(boundSeconds ? [`at most ${boundSeconds} s`] : [])].join(', ')
    console.log(
      `${name.padEnd(16)} ${time.toFixed(0).padStart(6)} ms  ${(time / floor).toFixed(2).padStart(5)} x node -e 0 (${floor.toFixed(0)} ms)  ${limits}${tooSlow ? '  BROKEN' : ''}`,
    )
  }
  return broken > 0 ? 1 : 0
}
