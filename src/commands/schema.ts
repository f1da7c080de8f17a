import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {DOCUMENTS, type Documented} from '../cli/documents.ts'
import {InputError} from '../core/input-error.ts'
import {nearest} from '../core/nearest.ts'
import {padEnd} from '../render/style.ts'

const NAMES = Object.keys(DOCUMENTS) as Documented[]
import {jsonText} from '../render/json-text.ts'

export default class Schema extends ServefitCommand {
  static override summary = 'The JSON Schema of each document that servefit reads or prints'
  static override description = 'Without a name the documents are listed.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> scenario',
    '<%= config.bin %> <%= command.id %> result > result.schema.json',
  ]
  static override args = {what: Args.string({description: NAMES.join(', ')})}

  async run(): Promise<unknown> {
    const {args} = await this.parse(Schema)
    if (args.what === undefined) {
      if (!this.jsonEnabled()) process.stdout.write(NAMES.map((name) => `${padEnd(name, 14)}  ${DOCUMENTS[name]}\n`).join(''))
      return {schemaVersion: 2, documents: NAMES.map((name) => ({name, description: DOCUMENTS[name]}))}
    }
    const name = NAMES.find((known) => known === args.what)
    if (!name)
      throw new InputError('DOCUMENT_UNKNOWN', `No document named "${args.what}": expected ${NAMES.slice(0, -1).join(', ')} or ${NAMES.at(-1)}`, {
        suggestions: nearest(args.what, NAMES),
      })
    const {jsonSchema} = await import('../cli/json-schema.ts')
    const schema = await jsonSchema(name)
    if (!this.jsonEnabled()) process.stdout.write(`${jsonText(schema, 2)}\n`)
    return schema
  }
}
