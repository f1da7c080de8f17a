import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {deploymentFlags, machineFlags, scenarioFrom, workloadFlags} from '../cli/flags.ts'
import {realContext} from '../cli/world.ts'
import {machineOf} from '../planner/answer.ts'
import {compare, type ComparisonRow} from '../planner/compare.ts'
import {modelOf} from '../planner/models.ts'
import {renderCompare} from '../render/compare.ts'
import {machineTitle} from '../render/hardware.ts'

const {weights: _weights, ...choices} = deploymentFlags

export default class Compare extends ServefitCommand {
  static override summary = 'BF16, FP8, AWQ, NVFP4: what each published checkpoint costs in memory and speed here'
  static override description = 'One row for each published checkpoint and cache format, best first. Give several models, or --gpu more than once, to compare those too.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --users 8',
    '<%= config.bin %> <%= command.id %> qwen3-32b gpt-oss-120b --gpu 1xh100-sxm --gpu 2xrtx-5090',
  ]
  static override strict = false
  static override args = {model: Args.string({required: true, description: 'one or more names, repositories or paths'})}
  static override flags = {
    ...machineFlags,
    gpu: Flags.string({description: 'GPUs to judge, as COUNTxGPU; more than once for several machines', helpValue: 'COUNTxGPU', multiple: true, exclusive: ['machine']}),
    ...workloadFlags,
    ...choices,
  }

  async run(): Promise<{rows: ComparisonRow[]}> {
    const {argv, flags} = await this.parse(Compare)
    const context = realContext(this.catalogue)
    const names = argv as string[]
    const {model: _model, gpu: _gpu, machine: _machine, nodes, engine, workload, ...request} = scenarioFrom(names[0]!, {...flags, gpu: undefined})
    const specs: (string | undefined)[] = flags.gpu ?? [undefined]
    const machines = []
    for (const gpu of specs) machines.push(await machineOf(context, {model: names[0]!, gpu, machine: flags.machine, nodes}))
    const models = []
    for (const name of names) models.push(await modelOf(context, name))
    const rows = compare(context, {models, machines, engine, request, workload: workload!})
    if (!rows.some(({result}) => result.verdict === 'fits' || result.verdict === 'tight')) this.answerNo()
    if (!this.jsonEnabled()) {
      const title = `${models.map(({model}) => model.name).join(', ')} on ${machines.map(machineTitle).join(', ')}`
      process.stdout.write(renderCompare(rows, title, {columns: this.columns, colour: this.colour}))
    }
    return {rows}
  }
}
