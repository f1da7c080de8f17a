import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {withProgress} from '../cli/progress.ts'
import {examine} from '../cli/world.ts'
import {writeFiles} from '../cli/write-files.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {Recording} from '../detect/recording.ts'
import {renderReport, reportTooLong} from '../render/doctor.ts'

export default class Doctor extends ServefitCommand {
  static override summary = 'One report to paste into an issue: what was run, what it printed, what was made of it'
  static override description =
    'Serial numbers, identities, bus addresses, names of host and user, network addresses and tokens are taken out. Nothing is sent anywhere. What --out writes, and the report itself, is read again by detect --replay.'
  static override examples = ['<%= config.bin %> <%= command.id %> > report.md', '<%= config.bin %> <%= command.id %> --out ./my-machine']
  static override flags = {
    out: Flags.string({description: 'write the outputs as files into this directory as well', helpValue: 'DIR'}),
    force: Flags.boolean({description: 'replace files that are there already', dependsOn: ['out']}),
  }

  async run(): Promise<{machine: MachineDocument; recording: Recording; files?: string[]}> {
    const {flags} = await this.parse(Doctor)
    const examination = await withProgress('looking at this machine', () => examine(this.catalogue))
    const {version, node, platform, arch} = this.describe()
    const report = renderReport(examination, {version: `servefit ${version}, Node ${node}, ${platform} ${arch}`})
    const {machine, recording} = examination
    let files: string[] | undefined
    if (flags.out !== undefined) {
      const {replayFiles} = await import('../detect/replay-source.ts')
      files = await writeFiles(flags.out, [...replayFiles(recording), {name: 'report.md', text: report}], {force: flags.force})
    }
    if (!this.jsonEnabled()) {
      if (files === undefined) process.stdout.write(report)
      else process.stdout.write(`${files.length} files in ${flags.out}: report.md is the one to paste\n`)
      const warning = reportTooLong(report)
      if (warning) process.stderr.write(warning)
    }
    return {machine, recording, ...(files && {files})}
  }

  private describe() {
    return {version: this.config.version, node: process.versions.node, platform: process.platform, arch: process.arch}
  }
}
