import {existsSync} from 'node:fs'
import {dirname} from 'node:path'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {commandWords} from '../cli/command-words.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {withProgress} from '../cli/progress.ts'
import {parseCount, parseNumber, parseShare} from '../cli/quantities.ts'
import {reportFlags, wantsReport} from '../cli/report-flags.ts'
import {areLengthsAssumed} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {findModel} from '../catalogue/find-model.ts'
import {stamped} from '../library/stamp.ts'
import type {Capacity as Found, CapacityReport} from '../planner/capacity/index.ts'

const LOAD = 'LOAD'
const number = (name: string, description: string, helpValue: string, range: {min: number; max: number}, helpGroup?: string) =>
  Flags.custom<number>({description, helpValue, helpGroup, parse: async (text) => parseNumber(text, name, range)})()
const {concurrency: _concurrency, ...lengthFlags} = workloadFlags

export default class Capacity extends ServefitCommand {
  static override summary = 'How many machines your users or requests need, now and as they grow'
  static override description =
    `For each kind of machine servefit finds the deployment that carries the most within the latency limits, and how many machines that takes; beside it stands the number that is safe even at the slow end of the speed intervals. Without limits the interactive ones apply: the first token within 2 s, and 20 tok/s for each user (--slo none: no limits). Without --gpu and --machine the machines of the catalogue that can be bought or rented today are searched, and the best are shown; --machine here asks about this computer.

People who pause (--think-seconds) send their next request only after reading the last answer, so a longer pause never takes more machines. Requests that arrive at a rate are planned up to a share of saturation. With a percentile, varying lengths or a trace, a simulator checks the limits. Energy is an upper bound from rated power; costs come from the prices that you give.

A file (YAML or JSON) can hold the same, with several models on one fleet:
  machines: [{machine: dgx-h200, price: 98.32/h}, {gpu: 8xh100-sxm}]
  models:
    - model: qwen3-32b
      users: 400
      thinkSeconds: 30
      outputTokens: {p50: 300, p95: 1200}
      slo: {ttftMs: 2000, percentile: 95}
  growth: 5%/month
  months: [0, 6, 12]`
  static override examples = [
    '<%= config.bin %> <%= command.id %> --model qwen3-32b --users 200',
    '<%= config.bin %> <%= command.id %> --model qwen3-32b --users 400 --think-seconds 30 --machine dgx-h100 --machine dgx-h200 --slo-ttft-ms 2000 --slo-tpot-ms 50',
    '<%= config.bin %> <%= command.id %> examples/fleet.yaml --csv',
    '<%= config.bin %> <%= command.id %> --model gpt-oss-120b --trace examples/requests.csv --gpu 8xh100-sxm --price 8xh100-sxm=70/h --growth 5%/month --save ./fleet',
  ]
  static override args = {file: Args.string({description: 'a YAML or JSON file with the fleet and its load, or the name of a model, as with --model'})}
  static override flags = {
    model: Flags.string({description: 'a name, a repository or a path', helpValue: 'MODEL', helpGroup: LOAD}),
    ...lengthFlags,
    users: Flags.custom<number>({
      description: 'people, each with one request in flight, or with a pause between requests',
      helpValue: 'N',
      aliases: ['concurrency'],
      exclusive: ['request-rate', 'trace'],
      helpGroup: LOAD,
      parse: async (text) => parseCount(text, 'users', {min: 1, max: 1e9}),
    })(),
    'request-rate': number('request-rate', 'requests that arrive each second', 'RATE', {min: 1e-6, max: 1e6}, LOAD),
    'think-seconds': number('think-seconds', 'how long a person pauses between an answer and the next request', 'SECONDS', {min: 0, max: 86_400}, LOAD),
    trace: Flags.string({
      description: 'a trace of requests, with their arrival times and lengths, as JSON Lines or CSV',
      helpValue: 'FILE',
      exclusive: ['users', 'request-rate'],
      helpGroup: LOAD,
    }),
    growth: Flags.string({description: 'how the load grows, such as 5%/month or 80%/year', helpValue: 'SHARE/TIME', helpGroup: LOAD}),
    months: Flags.string({description: 'months from now to look at (default: 0; with growth 0,6,12)', helpValue: 'LIST', helpGroup: LOAD}),
    slo: Flags.string({
      description: 'interactive (the default where no limit is given: first token within 2 s, 50 ms per further token), or none',
      helpValue: 'none|interactive',
      options: ['none', 'interactive'],
      exclusive: ['slo-ttft-ms', 'slo-tpot-ms', 'slo-e2e-ms'],
      helpGroup: 'LIMITS',
    }),
    ...sloFlags,
    machine: Flags.string({
      description: 'a machine by name, a file that detect --json printed, or here for this computer; repeat it for several (default: search the catalogue)',
      helpValue: 'NAME|FILE|here',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'FLEET',
    }),
    gpu: Flags.string({
      description: 'the GPUs of one machine, as COUNTxGPU; repeat it for several machines',
      helpValue: 'COUNTxGPU',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'FLEET',
    }),
    nodes: machineFlags.nodes,
    link: machineFlags.link,
    price: Flags.string({
      description: 'price of a machine, such as dgx-h200=98.32/h; repeat it for several',
      helpValue: 'MACHINE=AMOUNT/TIME',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'FLEET',
    }),
    'kwh-price': number('kwh-price', 'price of a kilowatt-hour', 'AMOUNT', {min: 0, max: 1e6}, 'FLEET'),
    spare: Flags.integer({description: 'extra machines beyond what the load needs (default: 0)', helpValue: 'N', min: 0, max: 1000, helpGroup: 'FLEET'}),
    'max-utilisation': Flags.custom<number>({
      description: 'highest share of the saturated rate to plan for, as 0.5 or 50% (default: 85%)',
      helpValue: 'SHARE',
      helpGroup: 'FLEET',
      parse: async (text) => parseShare(text, 'max-utilisation', {min: 0.05, max: 1}),
    })(),
    ...choiceFlags,
    ...deploymentFlags,
    ...sourceFlags,
    ...lookFlags,
    csv: Flags.boolean({description: 'print CSV', exclusive: ['json']}),
    format: Flags.string({
      description: 'a format for --save, as config takes it; repeat it for several (default: kubernetes, or leaderworkerset over nodes)',
      helpValue: 'FORMAT',
      multiple: true,
      multipleNonGreedy: true,
      dependsOn: ['save'],
    }),
    save: Flags.string({description: 'write manifests with replica counts, capacity.json and capacity.csv into this folder', helpValue: 'FOLDER'}),
    ...reportFlags,
    force: Flags.boolean({description: 'replace files that exist already'}),
  }

  async run(): Promise<CapacityReport & {written?: string[]}> {
    const {args, flags} = this.withModel(await this.parse(Capacity))
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const [{capacityFiles, capacityGiven}, {capacityQuestion}, {capacity}] = await Promise.all([
      import('../cli/capacity-flags.ts'),
      import('../library/capacity-question.ts'),
      import('../planner/capacity/index.ts'),
    ])
    const file = args.file === undefined ? undefined : await this.readFile(args.file)
    const asked = await capacityQuestion(context, file, capacityGiven(flags), capacityFiles(args.file === undefined ? '.' : dirname(args.file)))
    const found = await withProgress('looking for what each machine carries', () => capacity(context, asked))
    const report = stamped(this.catalogue, found.report)
    if (!report.feasible) this.answerNo()
    if (!this.jsonEnabled() && !flags.markdown) {
      const {capacityCsv, renderCapacity} = await import('../render/capacity.ts')
      process.stdout.write(
        flags.csv
          ? capacityCsv(report)
          : renderCapacity(report, {...this.look, lengthsAssumed: args.file === undefined && flags.trace === undefined && areLengthsAssumed(flags)}),
      )
    }
    if (wantsReport(flags)) {
      const {capacityDocument, handOn} = await import('../web/report/index.ts')
      const words = commandWords(args.file ?? '', flags, Capacity.flags)
      await handOn(capacityDocument(report, args.file === undefined ? words.slice(words.indexOf(' ') + 1) : words), flags, this.config.version)
    }
    const written = flags.save !== undefined && report.feasible ? await this.saved({...found, report}, flags.save, flags.format, flags.force) : undefined
    if (written && !this.jsonEnabled()) this.sayWritten(written)
    return {...report, ...(written && {written})}
  }

  /** A name where a file is expected is the model, as in every other command. */
  private withModel<A extends {file?: string}, F extends {model?: string}>(parsed: {args: A; flags: F}): {args: A; flags: F} {
    const {args, flags} = parsed
    if (args.file === undefined || flags.model !== undefined || existsSync(args.file) || !findModel(args.file, this.catalogue.modelEntries)) return parsed
    return {args: {...args, file: undefined}, flags: {...flags, model: args.file}}
  }

  private async readFile(path: string) {
    const [{readDocument}, {checkedCapacity}] = await Promise.all([import('../cli/document.ts'), import('../planner/capacity/schema.ts')])
    return checkedCapacity(await readDocument(path, 'a fleet and its load'), path)
  }

  /** Manifests of the first option: a Deployment each, or a LeaderWorkerSet where one takes several nodes; or what formats were asked for. */
  private async saved({report, deployments}: Found, folder: string, formats: string[] | undefined, force: boolean): Promise<string[]> {
    const [{artifactsOf}, {writeFiles}, {capacityCsv}] = await Promise.all([
      import('../cli/save-plan.ts'),
      import('../cli/write-files.ts'),
      import('../render/capacity.ts'),
    ])
    const {labelOf} = await import('../render/launch/startable.ts')
    const files = [
      {name: 'capacity.json', text: `${JSON.stringify(report, undefined, 2)}\n`},
      {name: 'capacity.csv', text: capacityCsv(report)},
    ]
    for (const {name, best, machine, replicas} of deployments) {
      const usual = best.engine.gpuCount(best.deployment) > machine.gpus.length ? 'leaderworkerset' : 'kubernetes'
      const own = artifactsOf(this.catalogue, {best, machine, left: []}, formats ?? [usual], replicas)
      files.push(...(deployments.length > 1 ? own.map((artifact) => ({...artifact, name: `${labelOf(name)}-${artifact.name}`})) : own))
    }
    return writeFiles(folder, files, {force})
  }
}
