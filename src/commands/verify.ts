import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {deploymentFlags, machineFlags, scenarioFrom} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {stamped} from '../library/stamp.ts'
import type {Context} from '../planner/world/index.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {VerificationDocument} from '../planner/verify/index.ts'

export default class Verify extends ServefitCommand {
  static override summary = 'Was the prediction right? Compares it with the start-up log of an engine, or with a benchmark'
  static override description =
    'Reads what vLLM, SGLang or TensorRT-LLM print when they start: log files, with several ranks in one file or in many, or - for standard input. What the log says wins over flags. Exit code 0: the prediction was within its own margin of error; 1: it was off by more. --save keeps the difference for this GPU, engine and minor release, and later answers use it and say so; a log of another card, model or layout is never kept.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/vllm.log --gpu rtx-4090',
    'docker logs my-server 2>&1 | <%= config.bin %> <%= command.id %> - --gpu rtx-4090',
    '<%= config.bin %> <%= command.id %> --bench examples/benchmark.json --gpu rtx-4090',
  ]
  static override strict = false
  static override args = {log: Args.string({ignoreStdin: true, description: 'start-up logs of one engine, or - for standard input'})}
  static override flags = {
    model: Flags.string({description: 'the model, if the log does not name its repository', helpValue: 'NAME'}),
    bench: Flags.string({
      description:
        'a result of vllm bench serve, sglang.bench_serving, TensorRT-LLM\'s clients or llama-bench, as a file or as they print it, or scenarios with "observed"',
      helpValue: 'FILE',
    }),
    ...lookFlags,
    save: Flags.boolean({description: 'keep the difference as a correction for this GPU, engine and minor release'}),
    force: Flags.boolean({description: 'keep it even if the log seems to be of another card, model, layout or release', dependsOn: ['save']}),
    ...machineFlags,
    ...deploymentFlags,
    ...sourceFlags,
  }

  async run(): Promise<VerificationDocument> {
    const {argv, flags} = await this.parse(Verify)
    const logs = argv as string[]
    if (logs.length === 0 && flags.bench === undefined)
      throw new InputError('ARGUMENT_MISSING', 'Missing LOG: expected start-up logs, - for standard input, or --bench FILE')
    if (flags.save && logs.length === 0)
      throw new InputError('FLAGS_INVALID', '--save keeps what a start-up log says: give one (calibrate keeps what benchmarks say)')
    const {model, ...scenario} = scenarioFrom(flags.model ?? '', flags)
    const given: Partial<Scenario> = {...scenario, ...(flags.model !== undefined && {model})}
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const document: VerificationDocument = {schemaVersion: 2, within: true, warnings: []}
    if (logs.length > 0) await this.verifyLog(context, logs, given, flags, document)
    if (flags.bench !== undefined) await this.verifyBench(context, flags.bench, given, document)
    document.within = document.log?.within !== false && document.bench?.within !== false
    if (!document.within || (flags.save && document.savedTo === undefined)) this.answerNo()
    return stamped(this.catalogue, document)
  }

  private async verifyLog(
    context: Context,
    logs: readonly string[],
    given: Partial<Scenario>,
    {save, force}: {save: boolean; force: boolean},
    document: VerificationDocument,
  ): Promise<void> {
    const [{logTexts, today}, {verifiedLog}, {logDocument}] = await Promise.all([
      import('../cli/texts.ts'),
      import('../library/verify.ts'),
      import('../planner/verify/index.ts'),
    ])
    const verified = await verifiedLog(context, await logTexts(logs), given, today())
    const {correction, mismatches, releaseAssumed} = verified
    if (save && mismatches.length > 0 && !force)
      verified.warnings.push({
        code: 'not-saved',
        message: "nothing was saved: a difference that is not the engine's own would spoil later answers (--force keeps it all the same)",
      })
    else if (save && releaseAssumed && !force)
      verified.warnings.push({
        code: 'not-saved',
        message: 'nothing was saved: the log does not say which release ran (--engine-version does; --force keeps it for the one assumed)',
      })
    else if (save) {
      if (!correction) throw new InputError('NOTHING_TO_SAVE', 'The log says nothing of the cache: there is no difference to save')
      const [{saveMeasured}, {withCorrection}] = await Promise.all([import('../cli/measured-file.ts'), import('../planner/world/index.ts')])
      document.savedTo = await saveMeasured(process.env, (measured) => ({...measured, corrections: withCorrection(measured.corrections, correction)}))
    }
    document.log = logDocument(verified)
    document.warnings.push(...verified.warnings)
    if (this.jsonEnabled()) return
    const {renderVerification} = await import('../render/verify.ts')
    process.stdout.write(renderVerification(verified, document.savedTo, this.look))
  }

  private async verifyBench(context: Context, file: string, given: Partial<Scenario>, document: VerificationDocument): Promise<void> {
    const [{resultTexts}, {verifiedBench}] = await Promise.all([import('../cli/texts.ts'), import('../library/verify.ts')])
    const [content] = await resultTexts([file])
    const bench = await verifiedBench(context, content!, file, given)
    document.bench = bench
    if (this.jsonEnabled()) return
    const {renderBench} = await import('../render/verify.ts')
    process.stdout.write(`${document.log ? '\n' : ''}${renderBench(bench.runs, bench.unanswered, bench.within, this.look)}`)
  }
}
