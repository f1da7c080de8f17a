import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {withProgress} from '../cli/progress.ts'
import {detectDocument} from '../cli/world.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import {renderMachine} from '../render/machine.ts'

export default class Detect extends ServefitCommand {
  static override summary = 'The GPUs, free memory, links and disk of this machine, and any problems with them'
  static override description =
    'Save the JSON and give it to --machine on another computer to plan for this one. --replay reads what doctor wrote on another machine.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json > server.json',
    '<%= config.bin %> doctor > report.md && <%= config.bin %> <%= command.id %> --replay report.md',
  ]
  static override flags = {
    replay: Flags.string({description: 'read a report or folder that doctor wrote, instead of looking at this machine', helpValue: 'DIR|REPORT'}),
  }

  async run(): Promise<MachineDocument> {
    const {flags} = await this.parse(Detect)
    const document = await withProgress('looking at this machine', () => detectDocument(this.catalogue, {replay: flags.replay}))
    if (!this.jsonEnabled()) process.stdout.write(renderMachine(document, {columns: this.columns, colour: this.colour}))
    return document
  }
}
