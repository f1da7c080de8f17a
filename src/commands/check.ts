import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {answerAsked} from '../cli/answer-asked.ts'
import {engineProgram, markCommand, partedArgv} from '../cli/argv.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {commandWords} from '../cli/command-words.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {pipelineFlags, writeReports} from '../cli/pipeline.ts'
import {replaceFlag, reportFlags, wantsReport} from '../cli/report-flags.ts'
import {askedScenario, flagsOf, isLoadAssumed, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {type Advice, adviseOn, type Answer, isYes, type Simulation, toResult} from '../planner/answer/index.ts'
import {figuresBehind} from '../planner/quality/index.ts'
import {type CheckResult, checkResult} from '../library/check.ts'
import {stamped} from '../library/stamp.ts'
import type {CommandReport} from '../planner/words/index.ts'
import {renderCheck} from '../render/check.ts'

export default class Check extends ServefitCommand {
  static override summary = 'Does a model fit, with how much context and for how many users, and how fast is it?'
  static override description =
    'Without --gpu or --machine the question is about this machine. The name of a model means the published checkpoint that serves the load best without losing quality; a repository means exactly that checkpoint. After -- you can give the command that starts an engine (vllm serve ..., sglang serve ..., trtllm-serve ..., docker run ..., or a compose file): servefit accounts for each of its flags.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --users 8 --input 2k --output 500',
    '<%= config.bin %> <%= command.id %> deepseek-ai/DeepSeek-V3.2 --machine dgx-h200 --json',
    'ssh box nvidia-smi | <%= config.bin %> <%= command.id %> qwen3-32b --machine -',
    '<%= config.bin %> <%= command.id %> examples/my-model --gpu 1xgb10 --explain',
    '<%= config.bin %> <%= command.id %> --gpu 2xrtx-4090 -- vllm serve Qwen/Qwen3-32B-AWQ -tp 2 --max-model-len 32k',
  ]
  static override args = {
    model: Args.string({description: 'a name (qwen3-32b), a repository (Qwen/Qwen3-32B-AWQ), or the path of a folder, a .gguf or a config.json'}),
  }
  static override flags = {
    ...machineFlags,
    ...scenarioFlags,
    ...workloadFlags,
    ...sloFlags,
    ...choiceFlags,
    ...deploymentFlags,
    ...sourceFlags,
    ...pipelineFlags,
    simulate: Flags.boolean({description: 'add percentiles from the serving simulator'}),
    seed: Flags.integer({description: 'seed of the simulator', helpValue: 'N', min: 0, max: 2 ** 31, dependsOn: ['simulate']}),
    ...lookFlags,
    explain: Flags.boolean({description: 'show every term of memory and time, with its rule'}),
    ...reportFlags,
    ...replaceFlag,
  }

  async run(): Promise<CheckResult & {failed?: string[]}> {
    const {own, command: words} = partedArgv(this.argv)
    if (words === undefined && engineProgram(own) !== undefined) throw new InputError('COMMAND_UNMARKED', markCommand(own))
    const {args, flags} = await this.parse(Check, own)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const asked = await askedScenario(args.model, flags, {command: words})
    const {answered, command} = await answerAsked(context, asked)
    const {scenario} = answered
    const failed = await this.gated(answered, flags)
    if (!isYes(answered.best) || failed.length > 0) this.answerNo()
    const isText = !this.jsonEnabled() && !flags.markdown
    if (isText || wantsReport(flags) || (command && !isYes(answered.best))) {
      const spelled = commandWords(scenario.model, flagsOf(scenario, flags, command !== undefined), Check.flags)
      const advice = adviseOn(context, answered, spelled)
      const figures = flags.explain ? figuresBehind(this.catalogue, answered.best.model, answered.best.checkpoint) : undefined
      const aside = command && !flags.markdown ? await this.reported(command, advice) : undefined
      if (isText)
        process.stdout.write(
          renderCheck(answered, advice, {...this.look, explain: flags.explain, loadAssumed: isLoadAssumed(flags), aside, ...(figures && {figures})}),
        )
      if (wantsReport(flags)) {
        const {checkDocument, handOn} = await import('../web/report/index.ts')
        await handOn(checkDocument(this.catalogue, answered, advice, spelled), flags, this.config.version)
      }
    }
    const simulation = flags.simulate && answered.best.performance ? await this.simulated(answered, flags.seed) : undefined
    if (isText && failed.length > 0) this.say(`this fails on ${failed.join(', ')}`)
    return {...checkResult(this.catalogue, {answered, command}, simulation), ...(failed.length > 0 && {failed})}
  }

  /** Conditions of --fail-on that hold; the reports that were asked for are written. */
  private async gated({best}: Answer, flags: {'fail-on'?: string; junit?: string; sarif?: string; scenario?: string}): Promise<string[]> {
    if (flags['fail-on'] === undefined && flags.junit === undefined && flags.sarif === undefined) return []
    const {gateCase, holding, parseFailOn} = await import('../planner/plan/index.ts')
    const conditions = parseFailOn(flags['fail-on'] ?? '')
    const result = stamped(this.catalogue, toResult(best))
    await writeReports([gateCase(result, conditions, {isGate: true, file: flags.scenario})], flags, this.config.version)
    return holding(conditions, result)
  }

  /** What became of the engine's own command: part of the answer, and of the result. */
  private async reported(command: CommandReport, {changes}: Advice): Promise<string> {
    const [{inEngineWords}, {renderCommand}] = await Promise.all([import('../planner/words/index.ts'), import('../render/command.ts')])
    const [change] = changes
    if (change) command.change = {flags: inEngineWords(command.engine, change.flags), outcome: change.outcome}
    return renderCommand(command, {columns: this.columns})
  }

  /** What the averages hide: printed below the answer, and part of the result. */
  private async simulated({best}: Answer, seed: number | undefined): Promise<Simulation> {
    const [{simulationOf}, {renderSimulation}, {withProgress}] = await Promise.all([
      import('../planner/answer/index.ts'),
      import('../render/simulation.ts'),
      import('../cli/progress.ts'),
    ])
    const simulation = await withProgress('simulating the load', async () => simulationOf(best, this.catalogue.speedCalibration, seed))
    if (!this.jsonEnabled()) process.stdout.write(renderSimulation(simulation, best, this.look))
    return simulation
  }
}
