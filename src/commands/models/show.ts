import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../../cli/base.ts'
import {lookFlags} from '../../cli/look-flags.ts'
import {sourceFlags, sourcesFrom} from '../../cli/source-flags.ts'
import {realContext} from '../../cli/world.ts'
import {describedModel, type ModelReport, modelReport} from '../../library/models.ts'
import {renderModel} from '../../render/model.ts'

export default class ModelsShow extends ServefitCommand {
  static override summary = 'The layers, cache and checkpoints of a model'
  static override examples = ['<%= config.bin %> <%= command.id %> deepseek-v4-pro', '<%= config.bin %> <%= command.id %> examples/my-model/config.json --json']
  static override args = {model: Args.string({required: true, description: 'a name, a repository, or the path of a folder, a .gguf or a config.json'})}
  static override flags = {...sourceFlags, ...lookFlags}

  async run(): Promise<ModelReport> {
    const {args, flags} = await this.parse(ModelsShow)
    const context = realContext(this.catalogue, sourcesFrom(flags))
    const described = await describedModel(context, args.model)
    const report = modelReport(context.catalogue, described)
    if (described.model.knownByName) this.answerNo()
    if (!this.jsonEnabled()) process.stdout.write(renderModel(report.model, report.warnings, this.look))
    return report
  }
}
