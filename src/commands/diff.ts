import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {lookFlags} from '../cli/look-flags.ts'
import type {DiffReport} from '../planner/diff/index.ts'

export default class Diff extends ServefitCommand {
  static override summary = 'What changed between two results, for continuous integration'
  static override description =
    'Takes two documents that check, plan, compare or capacity printed with --json (or wrote with --save). Exits with 1 when a figure is worse by more than the tolerance.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/before.json examples/after.json --tolerance 5%',
    '<%= config.bin %> plan --scenario examples/chat.yaml --json > plan.json && <%= config.bin %> <%= command.id %> plan.json plan.json',
  ]
  static override args = {
    before: Args.string({required: true, description: 'a result in JSON'}),
    after: Args.string({required: true, description: 'the same question, answered later'}),
  }
  static override flags = {
    ...lookFlags,
    tolerance: Flags.string({description: 'how much worse a figure may be, as 2% or 0.02', helpValue: 'SHARE', default: '0'}),
  }

  async run(): Promise<DiffReport> {
    const {args, flags} = await this.parse(Diff)
    const [{diffOf, parseTolerance}, {readDocument}, {renderDiff}] = await Promise.all([
      import('../planner/diff/index.ts'),
      import('../cli/document.ts'),
      import('../render/diff.ts'),
    ])
    const tolerance = parseTolerance(flags.tolerance)
    const what = 'a result in JSON'
    const [before, after] = await Promise.all([readDocument(args.before, what), readDocument(args.after, what)])
    const report = diffOf({name: args.before, document: before}, {name: args.after, document: after}, tolerance)
    if (report.worse > 0) this.answerNo()
    if (!this.jsonEnabled()) process.stdout.write(renderDiff(report, this.look))
    return report
  }
}
