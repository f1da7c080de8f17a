import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {twoVersions} from '../cli/argv.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {InputError} from '../core/input-error.ts'
import type {DiffReport, Upgrade} from '../planner/diff/index.ts'

const {'engine-version': _release, ...heldFlags} = deploymentFlags

export default class Diff extends ServefitCommand {
  static override summary = 'What changed between two results, for continuous integration; or between two releases of an engine'
  static override description =
    'Takes what check, plan, compare or capacity printed with --json (or --save wrote). With --engine-version A B it takes a model instead, and says what an upgrade from A to B would change for it: cache, speed, defaults, options, formats. Exits with 1 when a figure is worse by more than the tolerance.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/before.json examples/after.json --tolerance 5%',
    '<%= config.bin %> plan --scenario examples/chat.yaml --json > plan.json && <%= config.bin %> <%= command.id %> plan.json plan.json',
    '<%= config.bin %> <%= command.id %> --engine-version 0.28.0 0.33.0 qwen3-32b --gpu 2xrtx-4090 --users 8',
  ]
  static override args = {
    before: Args.string({description: 'a result in JSON; with --engine-version a name, a repository or a path of a model'}),
    after: Args.string({description: 'the same question, answered later'}),
  }
  static override flags = {
    ...lookFlags,
    tolerance: Flags.string({description: 'how much worse a figure may be, as 2% or 0.02', helpValue: 'SHARE', default: '0'}),
    'engine-version': Flags.string({
      description: 'two releases of the engine, of which the second may be an upgrade',
      helpValue: 'FROM TO',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'UPGRADE',
    }),
    ...machineFlags,
    ...workloadFlags,
    ...choiceFlags,
    ...heldFlags,
    ...sourceFlags,
  }

  async run(): Promise<(DiffReport | Upgrade) & {dataVersion?: unknown}> {
    const {args, flags} = await this.parse(Diff, twoVersions(this.argv))
    const {parseTolerance} = await import('../planner/diff/index.ts')
    const tolerance = parseTolerance(flags.tolerance)
    if (flags['engine-version']) return this.upgrade(args, flags, flags['engine-version'], tolerance)
    const {before: first, after: second} = args
    if (first === undefined || second === undefined)
      throw new InputError(
        'ARGUMENT_MISSING',
        `Missing ${first === undefined ? 'BEFORE' : 'AFTER'}: expected two results in JSON, or --engine-version FROM TO MODEL`,
      )
    const [{diffOf}, {readDocument}, {renderDiff}] = await Promise.all([
      import('../planner/diff/index.ts'),
      import('../cli/document.ts'),
      import('../render/diff.ts'),
    ])
    const what = 'a result in JSON'
    const [before, after] = await Promise.all([readDocument(first, what), readDocument(second, what)])
    const report = diffOf({name: first, document: before}, {name: second, document: after}, tolerance)
    if (report.worse > 0) this.answerNo()
    if (!this.jsonEnabled()) process.stdout.write(renderDiff(report, this.look))
    return report
  }

  private async upgrade(
    {before: model, after}: {before?: string; after?: string},
    flags: Record<string, unknown>,
    versions: readonly string[],
    tolerance: number,
  ): Promise<Upgrade & {dataVersion: string}> {
    const [from, to, ...more] = versions
    if (from === undefined || to === undefined || more.length > 0)
      throw new InputError('ENGINE_VERSIONS', `--engine-version ${versions.join(' ')}: expected two releases, as --engine-version 0.28.0 0.33.0`)
    if (model === undefined || after !== undefined)
      throw new InputError(
        'ARGUMENT_MISSING',
        `${model === undefined ? 'Missing MODEL' : `One model is compared, ${model} and ${after} are given`}: expected a name, a repository or a path`,
      )
    const [{upgradeOf}, {realContext}, {scenarioFrom}, {renderUpgrade}, {stamped}, {machineTitle}] = await Promise.all([
      import('../planner/diff/index.ts'),
      import('../cli/world.ts'),
      import('../cli/flags.ts'),
      import('../render/upgrade.ts'),
      import('../library/stamp.ts'),
      import('../render/hardware.ts'),
    ])
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const {machineOf} = await import('../planner/answer/index.ts')
    const scenario = scenarioFrom(model, {...flags, 'engine-version': undefined})
    const upgrade = await upgradeOf(context, scenario, [from, to], tolerance)
    if (upgrade.worse > 0) this.answerNo()
    if (!this.jsonEnabled()) {
      const title = `${upgrade.hfId || upgrade.model} on ${machineTitle(await machineOf(context, scenario))}, ${context.engines.get(upgrade.engine)?.title ?? upgrade.engine} ${upgrade.from} -> ${upgrade.to}`
      process.stdout.write(renderUpgrade(upgrade, title, this.look))
    }
    return stamped(this.catalogue, upgrade)
  }
}
