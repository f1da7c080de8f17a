import {ServefitCommand} from '../cli/base.ts'
import type {Accelerator} from '../core/accelerator.ts'
import {gpusTable} from '../render/tables.ts'

export default class Gpus extends ServefitCommand {
  static override summary = 'The GPUs that are known, with memory, bandwidth and rates'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<{gpus: Accelerator[]}> {
    await this.parse(Gpus)
    const gpus = [...this.catalogue.gpus]
    if (!this.jsonEnabled()) process.stdout.write(gpusTable(gpus, this.columns))
    return {gpus}
  }
}
