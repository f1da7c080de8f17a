import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {answerAsked} from '../cli/answer-asked.ts'
import {partedArgv} from '../cli/argv.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {parseCount} from '../cli/quantities.ts'
import {askedScenario, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {parseSetting} from '../engines/launch/settings.ts'
import {type ConfigResult, startOf, writtenFor} from '../library/config.ts'
import type {Answer, Verdict} from '../planner/answer/index.ts'
import {harmless} from '../render/style.ts'
import {explainLaunch} from '../render/launch/explain.ts'
import {FORMATS, formatOf, startsEach} from '../render/launch/formats.ts'

/** Warnings that whoever starts the file has to know. */
const TOLD_BESIDE = new Set(['slices-separate', 'replicas-separate', 'gpus-idle', 'engine-version-unknown'])
/** Told only where the format starts one of them. */
const OF_ONE = new Set(['slices-separate', 'replicas-separate'])

export default class Config extends ServefitCommand {
  static override summary = 'The command, unit file or manifest that starts vLLM, SGLang or TensorRT-LLM'
  static override description =
    `Prints the file and nothing else. Only options that differ from what the engine does by itself are set; --explain says why each one is there. --out writes the files into a folder, along with a first request and the engine's own benchmark.

Formats: ${FORMATS.map(({id, summary}) => `${id} (${summary})`).join(', ')}.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090',
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090 --format compose --out ./qwen',
    '<%= config.bin %> <%= command.id %> gpt-oss-120b --gpu 1xh100-sxm --engine trtllm --explain',
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 1xh100-sxm --set seed=1 --set served-model-name=qwen',
  ]
  static override args = {model: Args.string({description: 'a name, a repository or a path'})}
  static override flags = {
    ...machineFlags,
    ...scenarioFlags,
    ...workloadFlags,
    ...sloFlags,
    ...choiceFlags,
    ...deploymentFlags,
    ...sourceFlags,
    format: Flags.string({description: FORMATS.map(({id}) => id).join(', '), helpValue: 'FORMAT', default: 'command'}),
    set: Flags.string({
      description: 'an option of the engine, as FLAG=VALUE or FLAG, checked against the options of that version; repeat it for several',
      helpValue: 'FLAG=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    replicas: Flags.custom<number>({
      description: 'number of equal servers, each on GPUs of its own, with a router in front; the GPUs that are named are those of one server',
      helpValue: 'N',
      parse: async (text) => parseCount(text, 'replicas', {min: 1, max: 1024}),
    })(),
    public: Flags.boolean({description: 'let other machines reach the server, with an API key that is read from a file or a Secret of yours'}),
    out: Flags.string({description: 'write files into this folder instead of printing them', helpValue: 'FOLDER'}),
    force: Flags.boolean({description: 'replace files that exist already', dependsOn: ['out']}),
    explain: Flags.boolean({description: 'show each flag with its value and reason instead', exclusive: ['out']}),
  }

  async run(): Promise<ConfigResult> {
    const {own, command} = partedArgv(this.argv)
    const {args, flags} = await this.parse(Config, own)
    formatOf(flags.format)
    for (const setting of flags.set ?? []) parseSetting(setting)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const {answered} = await answerAsked(context, await askedScenario(args.model, flags, {command}))
    const adapters = flags.lora === undefined ? [] : ((await (await import('../cli/lora-flag.ts')).askedAdapters(flags))?.paths ?? [])
    const started = await startOf(context, answered, flags, adapters)
    const {best} = answered
    const {startable, uncounted, result} = started
    const isText = !this.jsonEnabled()
    if (!startable) {
      this.answerNo()
      if (isText) process.stderr.write(refusal(answered))
      return result
    }
    if (isText) {
      // Nothing in the file itself can say that it has to be started several times, or what of the machine it leaves idle.
      for (const {code, message} of best.warnings) if (TOLD_BESIDE.has(code) && (!OF_ONE.has(code) || !startsEach(startable, flags.format))) this.say(message)
      if (uncounted.length > 0) this.say(`${uncounted.join(', ')}: set by hand, and its memory and speed are not counted`)
    }
    if (flags.explain) {
      if (isText) process.stdout.write(explainLaunch(startable.launch, this.columns, formatOf(flags.format).around?.(startable)))
      return result
    }
    const {result: written, files, offer, newer, beside} = await writtenFor(context, {...started, startable})
    if (newer !== undefined && isText) this.say(newer)
    if (offer !== undefined && isText) this.say(offer)
    if (flags.out === undefined) {
      if (isText) process.stdout.write(written.artifact.text)
      return written
    }
    const {writeFiles} = await import('../cli/write-files.ts')
    const paths = await writeFiles(flags.out, [...files, ...beside()], {force: flags.force})
    this.sayWritten(paths)
    return {...written, written: paths}
  }
}

const REFUSED: Partial<Record<Verdict, string>> = {unsupported: 'is not supported like this', 'does-not-fit': 'does not fit', 'too-slow': 'is too slow'}

const refusal = ({best}: Answer): string =>
  `servefit: ${harmless(`${best.model.name} ${REFUSED[best.verdict] ?? ''}: ${best.reasons.map(({message}) => message).join('; ')}`)}\n  servefit check says what would\n`
