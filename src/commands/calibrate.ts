import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {deploymentFlags, machineFlags, scenarioFrom} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {CalibrationDocument} from '../planner/verify/index.ts'

export default class Calibrate extends ServefitCommand {
  static override summary = 'Teach servefit the speed of your machine from your own benchmarks'
  static override description =
    'Fits what matters for this GPU and engine: a factor for memory bandwidth, one for compute, and the time that the host takes for each step. Each needs at least two runs that depend on it. Later answers for that GPU and engine use the fit and name it. The output says which figures got better and which got worse. Reads results of vllm bench serve, sglang.bench_serving and the clients of TensorRT-LLM, as files or as printed text, tables of llama-bench, and scenarios with "observed" as JSON Lines. Exit code 1: nothing came closer to the runs than what ships with servefit.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/runs.jsonl --dry-run',
    '<%= config.bin %> <%= command.id %> examples/benchmark.json --gpu 1xrtx-4090 --dry-run',
  ]
  static override strict = false
  static override args = {file: Args.string({required: true, ignoreStdin: true, description: 'benchmark results, or - for standard input'})}
  static override flags = {
    model: Flags.string({description: 'the model that was measured, if the results do not name its repository', helpValue: 'NAME'}),
    ...lookFlags,
    'dry-run': Flags.boolean({description: 'show the fit without keeping it'}),
    ...machineFlags,
    ...deploymentFlags,
    ...sourceFlags,
  }

  async run(): Promise<CalibrationDocument> {
    const {argv, flags} = await this.parse(Calibrate)
    const files = argv as string[]
    const {model, ...scenario} = scenarioFrom(flags.model ?? '', flags)
    const given: Partial<Scenario> = {...scenario, ...(flags.model !== undefined && {model})}
    const [{resultTexts, today}, {readBench}, {benchRuns}, {groupsOf, localCalibration, refit}] = await Promise.all([
      import('../cli/texts.ts'),
      import('../verify/bench/read-bench.ts'),
      import('../planner/verify/index.ts'),
      import('../planner/verify/index.ts'),
    ])
    const texts = await resultTexts(files)
    // What was learnt before does not stand behind what is learnt now: fits start from what ships.
    const context = realContext(this.catalogue, {...sourcesFrom(flags), corrections: false})
    const {runs, unanswered} = await benchRuns(
      context,
      texts.flatMap((text, index) => readBench(text, files[index]!)),
      given,
    )
    const fits = groupsOf(runs).map((group) => refit(group, this.catalogue.speedCalibration))
    const kept = fits.filter(({better}) => better)
    if (kept.length === 0) this.answerNo()
    const document: CalibrationDocument = {schemaVersion: 2, fits, unanswered}
    if (kept.length > 0 && !flags['dry-run']) {
      const {saveMeasured} = await import('../cli/measured-file.ts')
      const fresh = kept.map((fit) => localCalibration(fit, today()))
      document.savedTo = await saveMeasured(process.env, (measured) => ({
        ...measured,
        calibrations: [...measured.calibrations.filter((old) => !fresh.some(({gpu, engine}) => old.gpu === gpu && old.engine === engine)), ...fresh],
      }))
    }
    if (!this.jsonEnabled()) {
      const {renderCalibration} = await import('../render/calibrate.ts')
      process.stdout.write(renderCalibration(fits, unanswered, document.savedTo, this.look))
    }
    return document
  }
}
