import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {documents} from '../cli/answer-asked.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {commandWords} from '../cli/command-words.ts'
import {flagNamed} from '../cli/flag-names.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {pipelineFlags, writeReports} from '../cli/pipeline.ts'
import {withProgress} from '../cli/progress.ts'
import {reportFlags, wantsReport} from '../cli/report-flags.ts'
import {areLengthsAssumed, askedScenario, flagsOf, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import type {Machine} from '../core/accelerator.ts'
import type {Deployment, Workload} from '../core/deployment.ts'
import {planAsked, planReport} from '../library/plan.ts'
import {toResult} from '../planner/answer/index.ts'
import {holding, parseFailOn, plan, planCase, type Plan as Planned, type PlanReport} from '../planner/plan/index.ts'
import {OBJECTIVES, type Objective} from '../planner/scenario/index.ts'
import {machineTitle} from '../render/hardware.ts'
import {harmless} from '../render/style.ts'
import {count} from '../render/numbers.ts'
import {renderPlan} from '../render/plan.ts'
import {dictionary} from '../core/dictionary.ts'

/** `plan --json`: the report with what --fail-on and --save came to. */
export interface PlanOutput extends PlanReport {
  /** Conditions of --fail-on that the best plan breaks. */
  failed?: string[]
  /** Paths of what --save wrote. */
  written?: string[]
}

export default class Plan extends ServefitCommand {
  static override summary = 'The best engine, checkpoint, layout and load for a model on a machine, within latency limits'
  static override description =
    'Judges every possible deployment at every load and ranks them by the low end of their intervals. Without --users, loads from 1 to 512 requests in flight are tried. Exits with 1 when no plan keeps the limits, and says what would.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> deepseek-ai/DeepSeek-V3.2 --machine dgx-h200 --input 4k --output 1k --slo-tpot-ms 50',
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --objective per-user',
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 4xh100-sxm --slo-ttft-ms 1000 --slo-percentile 95 --save ./plan',
    "<%= config.bin %> <%= command.id %> --scenario examples/chat.yaml --fail-on 'tight,outputTokensPerSecond<500'",
  ]
  static override args = {model: Args.string({description: 'a name, a repository or a path'})}
  static override flags = {
    ...machineFlags,
    ...scenarioFlags,
    ...workloadFlags,
    ...sloFlags,
    objective: Flags.string({description: 'what to rank by (default: throughput)', options: [...OBJECTIVES], helpGroup: 'LIMITS'}),
    ...choiceFlags,
    ...deploymentFlags,
    ...sourceFlags,
    ...lookFlags,
    ...pipelineFlags,
    save: Flags.string({description: 'write plan.json and the start files of the best plan into this folder', helpValue: 'FOLDER'}),
    format: Flags.string({
      description: 'a format for --save, as config takes it; repeat it for several',
      helpValue: 'FORMAT',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['save'],
    }),
    ...reportFlags,
    svg: Flags.string({description: 'draw the front of throughput against speed into this file', helpValue: 'FILE', helpGroup: 'REPORTS'}),
    force: Flags.boolean({description: 'replace files that exist already'}),
  }

  async run(): Promise<PlanOutput> {
    const {args, flags} = await this.parse(Plan)
    const conditions = parseFailOn(flags['fail-on'] ?? '')
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const given = await askedScenario(args.model, flags, {oneUser: false})
    const asked = await planAsked(
      context,
      {...given, workload: given.workload!, objective: (flags.objective ?? given.objective) as Objective | undefined},
      documents,
    )
    const {scenario, machine, objectives, objective} = asked
    const {workload} = scenario
    const planned = await withProgress('searching engines, checkpoints, layouts and loads', () => plan(context, asked))
    const [best] = planned.ranking
    const failed = best ? holding(conditions, toResult(best.evaluation)) : []
    if (flags.junit !== undefined || flags.sarif !== undefined)
      await writeReports([planCase(planReport(this.catalogue, planned), conditions, scenario.model, flags.scenario)], flags, this.config.version)
    if (!planned.met || failed.length > 0) this.answerNo()
    const spelled = flagsOf({...scenario, workload}, flags)
    const json = this.jsonEnabled()
    if (!json && !flags.markdown) {
      const next = nextCommand(planned, {...spelled, ...loadOf(best?.evaluation.workload)}, scenario.model)
      const title = `${harmless(planned.model.name)} on ${machineTitle(machine)}, prompts of ${count(workload.inputTokens)} and answers of ${count(workload.outputTokens)} tokens${areLengthsAssumed(flags) ? ' (assumed: --input, --output)' : ''}`
      const {concurrency, requestRate} = planned.question.workload
      const fixedLoad = concurrency !== undefined || requestRate !== undefined
      process.stdout.write(renderPlan({...planned, title, objectives, objective, fixedLoad, next}, this.look))
      if (failed.length > 0) this.say(`the best plan fails on ${failed.join(', ')}`)
    }
    if (wantsReport(flags) || flags.svg !== undefined) {
      const {handOn, planDocument, planTitle} = await import('../web/report/index.ts')
      const words = commandWords(scenario.model, {...spelled, objective: flags.objective}, Plan.flags)
      await handOn(planDocument(this.catalogue, planned, {...asked, title: planTitle(planned, asked), words}), flags, this.config.version)
    }
    const written = flags.save !== undefined && planned.met ? await this.saved(planned, machine, flags.save, flags.format, flags.force) : undefined
    if (!json) {
      this.sayWritten(written ?? [])
      // Nobody reads it.
      return undefined as unknown as PlanOutput
    }
    return {...planReport(this.catalogue, planned), ...(failed.length > 0 && {failed}), ...(written && {written})}
  }

  /** The best plan as start files, and the whole report for a later `diff`. */
  private async saved(planned: Planned, machine: Machine, folder: string, formats: string[] | undefined, force: boolean): Promise<string[]> {
    const [{artifactsOf}, {writeFiles}] = await Promise.all([import('../cli/save-plan.ts'), import('../cli/write-files.ts')])
    const {evaluation} = planned.ranking[0]!
    const files = artifactsOf(this.catalogue, {best: evaluation, machine, left: machine.gpus.filter((gpu) => !evaluation.machine.gpus.includes(gpu))}, formats)
    return writeFiles(folder, [...files, {name: 'plan.json', text: `${JSON.stringify(planReport(this.catalogue, planned), undefined, 2)}\n`}], {force})
  }
}

/** What to go on with: the start files of the best plan, or the smallest change with which there is one. */
function nextCommand({ranking: [best], met, reach}: Planned, spelled: Record<string, unknown>, model: string): string {
  const own = {...machineFlags, ...workloadFlags, ...sloFlags, ...choiceFlags, ...deploymentFlags}
  if (!best && reach.length === 0) return `servefit check ${commandWords(model, spelled, machineFlags)}`
  if (best && met) return `servefit config ${commandWords(best.evaluation.checkpoint.hfId || model, {...spelled, ...pinned(best.evaluation.deployment)}, own)}`
  const changed: Record<string, unknown> = dictionary({...spelled})
  if (reach[0]?.change === 'layout' && reach[0].flags.startsWith('without')) for (const name of LAYOUT) changed[name] = undefined
  for (const [, name, value] of (reach[0]?.flags ?? '').matchAll(/--([\w-]+) (\S+)/g)) {
    if (name === 'gpu') Object.assign(changed, {machine: undefined, nodes: undefined})
    changed[flagNamed(name!)] = value
  }
  return `servefit plan ${commandWords(model, changed, own)}`
}

/** Flags of a layout. */
const LAYOUT = ['tp', 'pp', 'dp', 'ep', 'dp-attention']

/** The load that was found, as flags. */
const loadOf = (workload: Workload | undefined): Record<string, unknown> =>
  workload === undefined
    ? {}
    : {
        'input-tokens': workload.inputTokens,
        'output-tokens': workload.outputTokens,
        ...(workload.concurrency !== undefined && {concurrency: workload.concurrency}),
        ...(workload.requestRate !== undefined && {'request-rate': workload.requestRate}),
      }

/** The flags that lead to exactly this deployment. */
function pinned({engine, tp, pp, dp, ep, dpAttention, kvCache, maxModelLen}: Deployment): Record<string, unknown> {
  return {
    engine,
    tp,
    ...(pp > 1 && {pp}),
    ...(dp > 1 && {dp}),
    ...(ep > 1 && {ep}),
    ...(dpAttention && {'dp-attention': true}),
    'kv-cache': kvCache,
    'max-model-len': maxModelLen,
    weights: undefined,
    prefer: undefined,
  }
}
