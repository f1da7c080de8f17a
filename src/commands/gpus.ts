import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {type GpusReport, gpusLike, gpusReport} from '../library/hardware.ts'
import {renderGpu} from '../render/gpu.ts'
import {gpusTable} from '../render/tables.ts'

export default class Gpus extends ServefitCommand {
  static override summary = 'The known GPUs, with their memory, bandwidth and compute rates'
  static override description =
    'Name one to see everything that is known about it; a slice (a100-80gb-sxm:2g.20gb) or another memory size (rtx-2080-ti:22gb) works too. Any other word lists the GPUs that it matches (blackwell, amd).'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> rtx-4090',
    '<%= config.bin %> <%= command.id %> blackwell --json',
  ]
  static override flags = lookFlags
  static override args = {name: Args.string({description: 'a GPU, or part of its name, vendor or architecture'})}

  async run(): Promise<GpusReport> {
    const {args} = await this.parse(Gpus)
    const found = gpusLike(this.catalogue, args.name)
    if (!this.jsonEnabled()) process.stdout.write('one' in found ? renderGpu(found.one, this.columns) : gpusTable(found.all, this.look.tableColumns))
    return gpusReport(this.catalogue, found)
  }
}
