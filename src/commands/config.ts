import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {answerAsked} from '../cli/answer-asked.ts'
import {partedArgv} from '../cli/argv.ts'
import {ServefitCommand} from '../cli/base.ts'
import {choiceFlags, deploymentFlags, machineFlags, workloadFlags} from '../cli/flags.ts'
import {askedScenario, scenarioFlags} from '../cli/scenario-flag.ts'
import {sloFlags} from '../cli/slo-flags.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {parseSetting} from '../engines/launch/settings.ts'
import {type Answer, isYes, type Result, toResult, type Verdict} from '../planner/answer/index.ts'
import {harmless} from '../render/style.ts'
import type {Artifact} from '../render/launch/artifact.ts'
import {explainLaunch} from '../render/launch/explain.ts'
import {extras} from '../render/launch/extras.ts'
import {FORMATS, formatOf, joinArtifacts, placed, writeFormat} from '../render/launch/formats.ts'
import {startableOf} from '../render/launch/startable-from.ts'

/** What `config --json` prints: the answer with its artifact. */
export interface ConfigResult extends Result {
  artifact?: {format: string; text: string; files: Artifact[]}
  /** Paths of what --out wrote. */
  written?: string[]
}

/** Warnings that whoever starts the file has to know. */
const TOLD_BESIDE = new Set(['slices-separate', 'gpus-idle', 'engine-version-unknown'])

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
    public: Flags.boolean({description: 'let other machines reach the server, with an API key that is read from a file or a Secret of yours'}),
    out: Flags.string({description: 'write files into this folder instead of printing them', helpValue: 'FOLDER'}),
    force: Flags.boolean({description: 'replace files that exist already', dependsOn: ['out']}),
    explain: Flags.boolean({description: 'show each flag with its value and reason instead', exclusive: ['out']}),
  }

  /** What the model's own draft layers would bring at the load that was asked about; nothing where they would not pay. */
  private async draftingOffer({best, question}: Answer): Promise<string | undefined> {
    if (best.model.architecture.draft === undefined || best.workload === undefined) return undefined
    const [{draftingOptions}, {draftingWords}] = await Promise.all([import('../planner/plan/index.ts'), import('../render/drafting.ts')])
    const own = draftingOptions({evaluation: best}, question).find(({speculative: {method, draft}}) => method === 'mtp' && draft === undefined)
    return own && own.gain > 1 ? draftingWords(own) : undefined
  }

  async run(): Promise<ConfigResult> {
    const {own, command} = partedArgv(this.argv)
    const {args, flags} = await this.parse(Config, own)
    formatOf(flags.format)
    const settings = (flags.set ?? []).map(parseSetting)
    const asked = await askedScenario(args.model, flags, {command})
    const {answered} = await answerAsked(realContext(this.catalogue, sourcesFrom(flags)), asked)
    const {scenario} = answered
    const {best} = answered
    const result = toResult(best)
    if (best.checkpoint.hfId === '' || answered.named.missing !== undefined)
      throw new InputError(
        'MODEL_NAMELESS',
        `${answered.named.missing ?? `${scenario.model} does not say which repository it belongs to`}, so there is nothing to start: give a folder with its weights (model.safetensors or its parts beside config.json), or the repository's name`,
      )
    if (!isYes(best)) {
      this.answerNo()
      if (!this.jsonEnabled()) process.stderr.write(refusal(answered))
      return result
    }
    // Nothing in the file itself can say that it has to be started several times, or what of the machine it leaves idle.
    for (const {code, message} of best.warnings) if (TOLD_BESIDE.has(code) && !this.jsonEnabled()) process.stderr.write(`servefit: ${harmless(message)}\n`)
    const adapters = flags.lora === undefined ? [] : ((await (await import('../cli/lora-flag.ts')).askedAdapters(flags))?.paths ?? [])
    const startable = placed(startableOf(this.catalogue, answered, settings, {adapters, isPublic: flags.public}), flags.format)
    if (settings.length > 0) {
      const names = settings.map(({name}) => `--${name.replace(/^-+/, '')}`)
      result.warnings = [...result.warnings, {code: 'not-counted', message: `set by hand and not counted in any number: ${names.join(', ')}`}]
      const {purposeOf} = await import('../engines/launch/read/purposes.ts')
      const uncounted = names.filter((name) => purposeOf(name).matters)
      if (uncounted.length > 0 && !this.jsonEnabled())
        process.stderr.write(`servefit: ${harmless(uncounted.join(', '))}: set by hand, and its memory and speed are not counted\n`)
    }
    if (flags.explain) {
      if (!this.jsonEnabled()) process.stdout.write(explainLaunch(startable.launch, this.columns))
      return result
    }
    const offer = await this.draftingOffer(answered)
    if (offer !== undefined) {
      result.warnings = [...result.warnings, {code: 'drafting-offered', message: offer}]
      if (!this.jsonEnabled()) process.stderr.write(`servefit: ${offer}\n`)
    }
    const files = writeFormat(flags.format, startable)
    const artifact = {format: flags.format, text: joinArtifacts(files), files}
    if (flags.out === undefined) {
      if (!this.jsonEnabled()) process.stdout.write(artifact.text)
      return {...result, artifact}
    }
    const {writeFiles} = await import('../cli/write-files.ts')
    const written = await writeFiles(flags.out, [...files, ...extras(startable, flags.format, offer)], {force: flags.force})
    process.stderr.write(written.map((path) => `wrote ${path}\n`).join(''))
    return {...result, artifact, written}
  }
}

const REFUSED: Partial<Record<Verdict, string>> = {unsupported: 'is not supported like this', 'does-not-fit': 'does not fit', 'too-slow': 'is too slow'}

const refusal = ({best}: Answer): string =>
  `servefit: ${best.model.name} ${REFUSED[best.verdict] ?? ''}: ${best.reasons.map(({message}) => message).join('; ')}\n  servefit check says what would\n`
