import {ServefitCommand} from '../cli/base.ts'
import {sourceFlags, sourcesFrom} from '../cli/source-flags.ts'

export default class Mcp extends ServefitCommand {
  static override summary = 'Serves check, plan, compare, config and the rest as tools to an agent (Model Context Protocol over standard input and output)'
  static override description =
    'An agent starts it by itself: give it the command "servefit mcp". It ends when its standard input is closed. Nothing is written to disk, and nothing listens on a network.'
  static override examples = ['<%= config.bin %> <%= command.id %> --offline']
  static override enableJsonFlag = false
  static override flags = sourceFlags

  async run(): Promise<void> {
    const {flags} = await this.parse(Mcp)
    const [{openLocal}, {serve}] = await Promise.all([import('../node/index.ts'), import('../mcp/server.ts')])
    await serve(await openLocal({...sourcesFrom(flags), catalogue: flags.catalogue}), this.config.version)
  }
}
