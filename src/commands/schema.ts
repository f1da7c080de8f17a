import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {jsonText} from '../render/json-text.ts'

export default class Schema extends ServefitCommand {
  static override summary = 'The JSON Schema of what servefit reads and prints'
  static override examples = ['<%= config.bin %> <%= command.id %> scenario', '<%= config.bin %> <%= command.id %> result > result.schema.json']
  static override args = {
    what: Args.string({required: true, options: ['scenario', 'result', 'machine', 'model'], description: 'scenario, result, machine or model'}),
  }

  async run(): Promise<unknown> {
    const {args} = await this.parse(Schema)
    const {jsonSchema} = await import('../cli/json-schema.ts')
    const schema = await jsonSchema(args.what)
    if (!this.jsonEnabled()) process.stdout.write(`${jsonText(schema, 2)}\n`)
    return schema
  }
}
