import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {inOwnFields} from '../cli/answer-asked.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {withProgress} from '../cli/progress.ts'
import {askedScenario, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import type {Machine} from '../core/accelerator.ts'
import {isYes, machineOf, requireWriting, SCHEMA_VERSION} from '../planner/answer/index.ts'
import {compare, type ComparisonRow} from '../planner/compare/index.ts'
import {type Figure, figuresBehind} from '../planner/quality/index.ts'
import {type Context, modelOf, type NamedModel} from '../planner/world/index.ts'
import {renderCompare} from '../render/compare.ts'
import {machineTitle} from '../render/hardware.ts'
import {harmless} from '../render/style.ts'

export default class Compare extends ServefitCommand {
  static override summary = 'Published checkpoints side by side: memory, context, speed and quality'
  static override description =
    'One row for each published checkpoint and cache format; the first is the one that check would take. Name several models, or repeat --gpu or --machine, to compare those too.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --users 8',
    '<%= config.bin %> <%= command.id %> qwen3-32b gpt-oss-120b --gpu 1xh100-sxm --gpu 2xrtx-5090',
  ]
  static override strict = false
  static override args = {model: Args.string({description: 'one or more names, repositories or paths'})}
  static override flags = {
    ...machineFlags,
    gpu: Flags.string({
      description: 'GPUs to ask about, as COUNTxGPU; repeat it for several machines',
      helpValue: 'COUNTxGPU',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'WHERE',
    }),
    machine: Flags.string({
      description: 'a machine by name (dgx-h200), or a file that detect --json printed; repeat it for several',
      helpValue: 'NAME|FILE',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'WHERE',
    }),
    ...scenarioFlags,
    ...workloadFlags,
    ...sloFlags,
    ...choiceFlags,
    ...deploymentFlags,
    ...sourceFlags,
    explain: Flags.boolean({description: 'list the measurements behind the figures of quality, with their sources'}),
  }

  async run(): Promise<{schemaVersion: typeof SCHEMA_VERSION; rows: ComparisonRow[]; measured: {hfId: string; figures: Figure[]}[]}> {
    const {argv, flags} = await this.parse(Compare)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const given = argv as string[]
    const {
      model,
      gpu,
      machine,
      nodes,
      link,
      engine,
      workload,
      slo,
      objective: _objective,
      id: _id,
      prefer,
      ...request
    } = await inOwnFields(context, await askedScenario(given[0], {...flags, gpu: flags.gpu?.[0], machine: flags.gpu ? undefined : flags.machine?.[0]}))
    const names = given.length > 0 ? given : [model]
    const asked = [...(flags.gpu ?? []).map((spec) => ({gpu: spec})), ...(flags.machine ?? []).map((name) => ({machine: name}))]
    const machines: Machine[] = []
    for (const where of asked.length > 0 ? asked : [{gpu, machine}]) machines.push(await machineOf(context, {model, ...where, nodes, link}))
    const models: NamedModel[] = []
    for (const name of names) models.push(await modelOf(context, name))
    for (const {model} of models) requireWriting(model)
    const rows = await withProgress('comparing checkpoints', async () =>
      compare(context, {models, machines, engine, request, ...(prefer && {prefer}), workload: workload!, slo}),
    )
    if (!rows.some(({result}) => isYes(result))) this.answerNo()
    const figures = flags.explain || this.jsonEnabled() ? figuresOf(context, models, rows) : new Map<string, Figure[]>()
    if (!this.jsonEnabled()) {
      const title = `${harmless(models.map(({model}) => model.name).join(', '))} on ${machines.map(machineTitle).join(', ')}`
      process.stdout.write(renderCompare(rows, title, {columns: this.columns, colour: this.colour, ...(flags.explain && {figures})}))
    }
    return {schemaVersion: SCHEMA_VERSION, rows, measured: [...figures].map(([hfId, own]) => ({hfId, figures: own}))}
  }
}

/** The comparisons behind each row's statement, by repository. */
function figuresOf({catalogue}: Pick<Context, 'catalogue'>, models: readonly NamedModel[], rows: readonly ComparisonRow[]): Map<string, Figure[]> {
  const behind = new Map<string, Figure[]>()
  for (const {model, checkpoint: named} of models)
    for (const {hfId} of rows.filter((row) => row.model === model.id)) {
      const checkpoint = named?.hfId === hfId ? named : model.checkpoints.find((known) => known.hfId === hfId)
      const figures = checkpoint && !behind.has(hfId) ? figuresBehind(catalogue, model, checkpoint) : []
      if (figures.length > 0) behind.set(hfId, figures)
    }
  return behind
}
