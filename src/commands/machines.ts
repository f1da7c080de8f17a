import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {type MachinesReport, machinesLike, machinesReport} from '../library/hardware.ts'
import {machinesTable, renderSystem} from '../render/machines.ts'

export default class Machines extends ServefitCommand {
  static override summary = 'Servers, workstations, desktops and cloud instances that are known by name'
  static override description =
    'Each name can be given to --machine. Name one to see everything that is known about it; any other word lists the machines that it matches (h100, desktop, aws).'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> dgx-h200',
    '<%= config.bin %> <%= command.id %> workstation --json',
  ]
  static override flags = lookFlags
  static override args = {name: Args.string({description: 'a machine, or part of its name, kind or GPU'})}

  async run(): Promise<MachinesReport> {
    const {args} = await this.parse(Machines)
    const found = machinesLike(this.catalogue, args.name)
    const gpuOf = (id: string) => this.catalogue.gpu(id)
    if (!this.jsonEnabled()) process.stdout.write('one' in found ? renderSystem(found.one, gpuOf, this.columns) : machinesTable(found.all, gpuOf, this.look))
    return machinesReport(this.catalogue, found)
  }
}
