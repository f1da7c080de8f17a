import * as Args from '@oclif/core/args'
import {askedGpu} from '../catalogue/asked-gpu.ts'
import {parseGpuSpec} from '../catalogue/gpu-spec.ts'
import {ServefitCommand} from '../cli/base.ts'
import {foundByWords} from '../cli/listing.ts'
import {lookFlags} from '../cli/look-flags.ts'
import type {Accelerator} from '../core/accelerator.ts'
import {renderGpu} from '../render/gpu.ts'
import {gpusTable} from '../render/tables.ts'

export default class Gpus extends ServefitCommand {
  static override summary = 'The GPUs that are known, with memory, bandwidth and rates'
  static override description =
    'One is shown with all that is known of it, a slice (a100-80gb-sxm:2g.20gb) or another memory size (rtx-2080-ti:22gb) as well; a word that is no name lists those that it is found in (blackwell, amd, 24gb).'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> rtx-4090',
    '<%= config.bin %> <%= command.id %> blackwell --json',
  ]
  static override flags = lookFlags
  static override args = {name: Args.string({description: 'a GPU, or a word'})}

  async run(): Promise<{schemaVersion: 2; gpus: Accelerator[]} | {schemaVersion: 2; gpu: Accelerator}> {
    const {args} = await this.parse(Gpus)
    const {gpus} = this.catalogue
    const found = foundByWords(
      gpus,
      args.name,
      (name) => askedGpu(this.catalogue, parseGpuSpec(name)[0]!),
      ({id, name, aliases, nicknames = [], vendor, architecture = ''}) => [id, name, ...aliases, ...nicknames, vendor, architecture],
    )
    if (!this.jsonEnabled()) process.stdout.write('one' in found ? renderGpu(found.one, this.columns) : gpusTable(found.all, this.look.tableColumns))
    return 'one' in found ? {schemaVersion: 2, gpu: found.one} : {schemaVersion: 2, gpus: found.all}
  }
}
