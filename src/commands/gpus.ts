import * as Args from '@oclif/core/args'
import {askedGpu} from '../catalogue/asked-gpu.ts'
import {parseGpuSpec} from '../catalogue/gpu-spec.ts'
import {ServefitCommand} from '../cli/base.ts'
import {foundByWords} from '../cli/listing.ts'
import type {Accelerator} from '../core/accelerator.ts'
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
  static override args = {name: Args.string({description: 'a GPU, or part of its name, vendor or architecture'})}

  async run(): Promise<{schemaVersion: 2; gpus: Accelerator[]} | {schemaVersion: 2; gpu: Accelerator}> {
    const {args} = await this.parse(Gpus)
    const {gpus} = this.catalogue
    const found = foundByWords(
      gpus,
      args.name,
      (name) => askedGpu(this.catalogue, parseGpuSpec(name)[0]!),
      ({id, name, aliases, nicknames = [], vendor, architecture = ''}) => [id, name, ...aliases, ...nicknames, vendor, architecture],
    )
    if (!this.jsonEnabled()) process.stdout.write('one' in found ? renderGpu(found.one, this.columns) : gpusTable(found.all, this.columns))
    return 'one' in found ? {schemaVersion: 2, gpu: found.one} : {schemaVersion: 2, gpus: found.all}
  }
}
