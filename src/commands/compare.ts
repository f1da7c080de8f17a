import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {documents} from '../cli/answer-asked.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {withProgress} from '../cli/progress.ts'
import {commandWords} from '../cli/command-words.ts'
import {replaceFlag, reportFlags, wantsReport} from '../cli/report-flags.ts'
import {askedScenario, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {type CompareReport, compared, compareReport, figuresOf} from '../library/compare.ts'
import type {AskedScenario} from '../library/question.ts'
import {isYes} from '../planner/answer/index.ts'
import type {Figure} from '../planner/quality/index.ts'
import {renderCompare} from '../render/compare.ts'
import {machineTitle} from '../render/hardware.ts'
import {quoteWord} from '../render/launch/shell-quote.ts'
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
    ...lookFlags,
    explain: Flags.boolean({description: 'list the measurements behind the figures of quality, with their sources'}),
    ...reportFlags,
    ...replaceFlag,
  }

  async run(): Promise<CompareReport> {
    const {argv, flags} = await this.parse(Compare)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const models = argv as string[]
    const {gpu: gpus = [], machine: machines = []} = flags
    const asked = await askedScenario(models[0], {...flags, gpu: gpus[0], machine: flags.gpu ? undefined : machines[0]})
    const found = await compared(context, {...asked, workload: asked.workload!} as AskedScenario, {models, gpus, machines}, documents, (work) =>
      withProgress('comparing checkpoints', work),
    )
    const {rows} = found
    if (!rows.some(({result}) => isYes(result))) this.answerNo()
    const figures = flags.explain || this.jsonEnabled() ? figuresOf(this.catalogue, found) : new Map<string, Figure[]>()
    if (!this.jsonEnabled() && !flags.markdown) {
      const title = `${harmless(found.models.map(({model}) => model.name).join(', '))} on ${found.machines.map(machineTitle).join(', ')}`
      process.stdout.write(renderCompare(rows, title, {...this.look, ...(flags.explain && {figures})}))
    }
    if (wantsReport(flags)) {
      const {compareDocument, compareTitle, handOn} = await import('../web/report/index.ts')
      await handOn(
        compareDocument(rows, compareTitle(found), [commandWords(models[0] ?? asked.model, flags, Compare.flags), ...models.slice(1).map(quoteWord)].join(' ')),
        flags,
        this.config.version,
      )
    }
    return compareReport(this.catalogue, found, figures)
  }
}
