import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {withProgress} from '../cli/progress.ts'
import {detectDocument} from '../cli/world.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import {renderMachine} from '../render/machine.ts'

export default class Detect extends ServefitCommand {
  static override summary = 'What is in this machine: GPUs, free memory, links, disk, and what is wrong with it'
  static override description =
    'The JSON form is taken back by check --machine FILE: plan for a server from a laptop. What doctor wrote on another machine is read with --replay.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json > server.json',
    '<%= config.bin %> <%= command.id %> --replay report.md',
  ]
  static override flags = {
    replay: Flags.string({description: 'read what doctor wrote instead of this machine', helpValue: 'DIR|REPORT'}),
  }

  async run(): Promise<MachineDocument> {
    const {flags} = await this.parse(Detect)
    const document = await withProgress('looking at this machine', () => detectDocument(this.catalogue, {replay: flags.replay}))
    if (!this.jsonEnabled()) process.stdout.write(renderMachine(document, {columns: this.columns, colour: this.colour}))
    return document
  }
}
