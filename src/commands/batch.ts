import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {pipelineFlags, writeReports} from '../cli/pipeline.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import type {GateCase} from '../planner/plan/index.ts'

export default class Batch extends ServefitCommand {
  static override summary = 'Answer many scenarios, one JSON object a line'
  static override description =
    'Reads JSON Lines from a file, or from standard input for -, and writes one result a line as soon as it is ready. A line that cannot be evaluated becomes {"id", "error"} in its place and the exit code is 1; the others still run. servefit schema scenario prints what a line may hold.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/scenarios.jsonl',
    'echo \'{"model": "qwen3-32b", "gpu": "2xrtx-4090"}\' | <%= config.bin %> <%= command.id %> -',
  ]
  static override args = {file: Args.string({required: true, description: 'a JSON Lines file, or -'})}

  static override flags = {offline: sourceFlags.offline, 'no-corrections': sourceFlags['no-corrections'], ...pipelineFlags}

  async run(): Promise<void> {
    const {args, flags} = await this.parse(Batch)
    const [{answerLines, scenarioLines}, {parseFailOn}] = await Promise.all([import('../cli/batch-stream.ts'), import('../planner/plan/index.ts')])
    const lines = await scenarioLines(args.file)
    const conditions = parseFailOn(flags['fail-on'] ?? '')
    const cases: GateCase[] | undefined = flags.junit === undefined && flags.sarif === undefined ? undefined : []
    const gate = {conditions, cases, ...(args.file !== '-' && {file: args.file})}
    const errors = await answerLines(realContext(this.catalogue, sourcesFrom(flags)), lines, process.stdout, gate)
    if (cases) await writeReports(cases, flags, this.config.version)
    if (errors > 0) this.answerNo()
  }
}
