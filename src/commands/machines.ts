import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {type MachinesReport, machinesLike, machinesReport} from '../library/hardware.ts'
import {machinesTable, renderSystem} from '../render/machines.ts'

export default class Machines extends ServefitCommand {
  static override summary = 'The machines that are known by name: servers, workstations, desktops, cloud instances'
  static override description =
    'Each is a name for --machine. One is shown with all that is known of it; a word that is no name lists those that it is found in (h100, desktop, aws).'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> dgx-h200',
    '<%= config.bin %> <%= command.id %> workstation --json',
  ]
  static override flags = lookFlags
  static override args = {name: Args.string({description: 'a machine, or a word'})}

  async run(): Promise<MachinesReport> {
    const {args} = await this.parse(Machines)
    const found = machinesLike(this.catalogue, args.name)
    const gpuOf = (id: string) => this.catalogue.gpu(id)
    if (!this.jsonEnabled()) process.stdout.write('one' in found ? renderSystem(found.one, gpuOf, this.columns) : machinesTable(found.all, gpuOf, this.look))
    return machinesReport(this.catalogue, found)
  }
}
