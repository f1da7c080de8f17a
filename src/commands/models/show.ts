import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../../cli/base.ts'
import {sourceFlags, sourcesFrom} from '../../cli/source-flags.ts'
import {realContext} from '../../cli/world.ts'
import {knownByNameWords} from '../../planner/answer/index.ts'
import {detailsOf, type ModelDetails} from '../../planner/models/index.ts'
import {modelOf} from '../../planner/world/index.ts'
import {renderModel} from '../../render/model.ts'

export default class ModelsShow extends ServefitCommand {
  static override summary = 'The layers, cache and checkpoints of a model'
  static override examples = ['<%= config.bin %> <%= command.id %> deepseek-v4-pro', '<%= config.bin %> <%= command.id %> examples/my-model/config.json --json']
  static override args = {model: Args.string({required: true, description: 'a name, a repository, or the path of a folder, a .gguf or a config.json'})}
  static override flags = sourceFlags

  async run(): Promise<{schemaVersion: 2; model: ModelDetails; warnings: string[]}> {
    const {args, flags} = await this.parse(ModelsShow)
    const {model, warnings: found, notes = []} = await modelOf(realContext(this.catalogue, sourcesFrom(flags)), args.model)
    const unknown = model.knownByName ? [knownByNameWords(model)] : []
    const warnings = [...unknown, ...notes.map(({message}) => message), ...found]
    const details = detailsOf(model)
    if (model.knownByName) this.answerNo()
    if (!this.jsonEnabled()) process.stdout.write(renderModel(details, warnings, this.columns))
    return {schemaVersion: 2, model: details, warnings}
  }
}
