import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {ASSUMED_LOAD, deploymentFlags, machineFlags, scenarioFrom, workloadFlags} from '../cli/flags.ts'
import {commandWords} from '../cli/command-words.ts'
import {parseNumber} from '../cli/quantities.ts'
import {realContext} from '../cli/world.ts'
import {machineOf} from '../planner/answer.ts'
import {type PlanReport, plan} from '../planner/plan.ts'
import type {Objective} from '../planner/search.ts'
import {machineTitle} from '../render/hardware.ts'
import {duration, count} from '../render/numbers.ts'
import {renderPlan} from '../render/plan.ts'

const milliseconds = (name: string, description: string) =>
  Flags.custom<number>({description, helpValue: 'MS', helpGroup: 'OBJECTIVES', parse: async (text) => parseNumber(text, name, {min: 0.001, max: 1e9})})()

export default class Plan extends ServefitCommand {
  static override summary = 'The best engine, checkpoint, layout and load for a model on a machine, within latency limits'
  static override description = 'Every legal deployment is judged at every load and ranked by the cautious end of its interval. Without --users all loads from 1 to 512 in flight are tried.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> deepseek-ai/DeepSeek-V3.2 --machine dgx-h200 --input 4k --output 1k --slo-tpot-ms 50',
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --objective per-user',
  ]
  static override args = {model: Args.string({required: true, description: 'a name, a repository or a path to a config.json'})}
  static override flags = {
    ...machineFlags,
    ...workloadFlags,
    'slo-ttft-ms': milliseconds('slo-ttft-ms', 'longest time to the first token'),
    'slo-tpot-ms': milliseconds('slo-tpot-ms', 'longest time for each further token'),
    objective: Flags.string({description: 'what is best', options: ['throughput', 'latency', 'per-user', 'memory', 'quality'], default: 'throughput', helpGroup: 'OBJECTIVES'}),
    ...deploymentFlags,
  }

  async run(): Promise<PlanReport> {
    const {args, flags} = await this.parse(Plan)
    const context = realContext(this.catalogue)
    const {workload: _assumed, ...scenario} = scenarioFrom(args.model, flags)
    const machine = await machineOf(context, scenario)
    const workload = {
      inputTokens: flags['input-tokens'] ?? ASSUMED_LOAD.inputTokens, outputTokens: flags['output-tokens'] ?? ASSUMED_LOAD.outputTokens,
      concurrency: flags.concurrency, requestRate: flags['request-rate'], prefixHitRate: flags['prefix-hit-rate'],
    }
    const objectives = {ttftMs: flags['slo-ttft-ms'], tpotMs: flags['slo-tpot-ms']}
    const {report, picture} = await plan(context, {scenario: {...scenario, workload}, machine, objectives, objective: flags.objective as Objective})
    if (!report.met) this.answerNo()
    if (!this.jsonEnabled()) {
      const limits = [objectives.ttftMs && `first token within ${duration(objectives.ttftMs)}`, objectives.tpotMs && `${duration(objectives.tpotMs)} for each further token`].filter(Boolean).join(' and ')
      const best = picture.ranking[0]
      const next = best ? `servefit config ${commandWords(best.evaluation.checkpoint.hfId || args.model, {...flags, ...pinned(best.evaluation.deployment)}, {...machineFlags, ...deploymentFlags})}` : `servefit check ${commandWords(args.model, flags, machineFlags)}`
      const title = `${picture.model.name} on ${machineTitle(machine)}, prompts of ${count(workload.inputTokens)} and answers of ${count(workload.outputTokens)} tokens`
      process.stdout.write(renderPlan({...picture, title, limits, next}, {columns: this.columns, colour: this.colour}))
    }
    return report
  }
}

/** The flags that lead to exactly this deployment. */
function pinned({engine, tp, pp, dp, ep, dpAttention, kvCache, maxModelLen}: {engine: string; tp: number; pp: number; dp: number; ep: number; dpAttention: boolean; kvCache: string; maxModelLen: number}): Record<string, unknown> {
  return {
    engine, tp, ...(pp > 1 && {pp}), ...(dp > 1 && {dp}), ...(ep > 1 && {ep}), ...(dpAttention && {'dp-attention': true}), 'kv-cache': kvCache, 'max-model-len': maxModelLen, weights: undefined,
  }
}
