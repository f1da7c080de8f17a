import {ServefitCommand} from '../../cli/base.ts'
import {type ModelSummary, summaryOf} from '../../planner/model-summary.ts'
import {modelsTable} from '../../render/tables.ts'

export default class Models extends ServefitCommand {
  static override summary = 'The models that are known'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{models: ModelSummary[]}> {
    await this.parse(Models)
    const {catalogue} = this
    const models = catalogue.modelEntries.map(({id}) => summaryOf(catalogue.model(id)))
    if (!this.jsonEnabled()) process.stdout.write(modelsTable(models, this.columns))
    return {models}
  }
}
