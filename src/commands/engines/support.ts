import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../../cli/base.ts'
import {machineFlags} from '../../cli/flags.ts'
import {lookFlags} from '../../cli/look-flags.ts'
import {realContext} from '../../cli/world.ts'
import type {Accelerator} from '../../core/accelerator.ts'
import {ENGINES} from '../../engines/registry.ts'
import {machineOf} from '../../planner/answer/index.ts'
import {engineInRelease, modelOf} from '../../planner/world/index.ts'
import {distinctFormats, GPU_CLASSES, type SupportCell, supportCell} from '../../planner/models/index.ts'
import {renderSupport} from '../../render/support.ts'

export default class EnginesSupport extends ServefitCommand {
  static override summary = 'Which weight formats of a model each engine loads on which GPU, and why others are refused'
  static override description = 'Shows one GPU of each class unless --gpu or --machine names others. Whether the model fits into memory is for check to say.'
  static override examples = ['<%= config.bin %> <%= command.id %> qwen3-32b', '<%= config.bin %> <%= command.id %> gpt-oss-120b --gpu 1xa100-80gb-sxm --json']
  static override args = {model: Args.string({required: true, description: 'a name, a repository or a path'})}
  static override flags = {
    ...lookFlags,
    gpu: machineFlags.gpu,
    machine: machineFlags.machine,
    engine: Flags.string({description: 'only this engine'}),
    'engine-version': Flags.string({description: 'release of that engine (default: the newest known)', dependsOn: ['engine']}),
  }

  async run(): Promise<{schemaVersion: 2; model: string; support: SupportCell[]}> {
    const {args, flags} = await this.parse(EnginesSupport)
    const context = realContext(this.catalogue)
    const {model, checkpoint} = await modelOf(context, args.model)
    const gpus = await this.gpus(flags)
    const engines = (flags.engine === undefined ? Object.keys(ENGINES) : [flags.engine]).map((id) => engineInRelease(context, id, flags['engine-version']))
    const checkpoints = checkpoint ? [checkpoint] : distinctFormats(model)
    const support = checkpoints.flatMap((own) => engines.flatMap((engine) => gpus.map((gpu) => supportCell(engine, flags['engine-version'], model, own, gpu))))
    if (!this.jsonEnabled()) process.stdout.write(renderSupport(model.name, support, this.look))
    return {schemaVersion: 2, model: model.id, support}
  }

  /** Kinds of GPU of the machine that was named, or one of each class. */
  private async gpus({gpu, machine}: {gpu?: string; machine?: string}): Promise<Accelerator[]> {
    if (gpu === undefined && machine === undefined) return GPU_CLASSES.flatMap((id) => this.catalogue.gpus.find((known) => known.id === id) ?? [])
    const named = await machineOf(realContext(this.catalogue), {model: '', gpu, machine})
    return [...new Map(named.gpus.map(({accelerator}) => [accelerator.id, accelerator])).values()]
  }
}
