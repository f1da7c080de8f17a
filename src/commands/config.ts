import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {deploymentFlags, machineFlags, scenarioFrom, workloadFlags} from '../cli/flags.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {answer} from '../planner/answer.ts'
import {subjectOf} from '../planner/evaluate.ts'
import {type Result, toResult} from '../planner/result.ts'
import {explainLaunch} from '../render/launch/explain.ts'
import {shellText} from '../render/launch/shell.ts'

/** What `config --json` prints: the answer with its artifact. */
export interface ConfigResult extends Result {
  artifact?: {format: string; text: string}
}

export default class Config extends ServefitCommand {
  static override summary = 'The command that starts it: vLLM, SGLang or TensorRT-LLM'
  static override description = 'Prints a shell command and nothing else. Every flag differs from what the engine would do by itself; --explain says why each is there.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> qwen3-32b --gpu 2xrtx-4090',
    '<%= config.bin %> <%= command.id %> gpt-oss-120b --gpu 1xh100-sxm --engine trtllm --explain',
  ]
  static override args = {model: Args.string({required: true, description: 'a name, a repository or a path to a config.json'})}
  static override flags = {
    ...machineFlags,
    ...workloadFlags,
    ...deploymentFlags,
    format: Flags.string({description: 'command (a shell command)', options: ['command'], default: 'command'}),
    explain: Flags.boolean({description: 'show a table of flag, value and reason instead'}),
  }

  async run(): Promise<ConfigResult> {
    const {args, flags} = await this.parse(Config)
    const answered = await answer(realContext(this.catalogue), scenarioFrom(args.model, flags))
    const {best} = answered
    const result = toResult(best)
    if (best.checkpoint.hfId === '') throw new InputError('MODEL_NAMELESS', `${args.model} does not say which repository it belongs to, so there is nothing to start: give the repository's name`)
    if (best.verdict !== 'fits' && best.verdict !== 'tight') {
      this.answerNo()
      if (!this.jsonEnabled()) process.stderr.write(`servefit: ${best.model.name} ${best.verdict === 'unsupported' ? 'cannot be served so' : 'does not fit'}: ${best.reasons.map(({message}) => message).join('; ')}\n  servefit check says what would\n`)
      return result
    }
    const launch = best.engine.launch(subjectOf(best), best.deployment)
    const text = shellText(launch)
    if (!this.jsonEnabled()) process.stdout.write(flags.explain ? explainLaunch(launch, this.columns) : text)
    return {...result, artifact: {format: flags.format, text}}
  }
}
