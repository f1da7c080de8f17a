import * as Flags from '@oclif/core/flags'
import {ServefitCommand} from '../cli/base.ts'
import {withProgress} from '../cli/progress.ts'
import {examine} from '../cli/world.ts'
import {writeFiles} from '../cli/write-files.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {Recording} from '../detect/recording.ts'
import {renderReport, reportTooLong} from '../render/doctor.ts'
import {harmless} from '../render/style.ts'

export default class Doctor extends ServefitCommand {
  static override summary = 'A report of what was looked at and what was found, to paste into an issue'
  static override description =
    'Serial numbers, identities, bus addresses, host and user names, network addresses and tokens are removed. Nothing is sent anywhere. detect --replay reads the report, or the folder of --out, again.'
  static override examples = ['<%= config.bin %> <%= command.id %> > report.md', '<%= config.bin %> <%= command.id %> --out ./my-machine']
  static override flags = {
    out: Flags.string({description: 'also write the outputs as files into this folder', helpValue: 'FOLDER'}),
    force: Flags.boolean({description: 'replace files that exist already', dependsOn: ['out']}),
  }

  async run(): Promise<{schemaVersion: 2; machine: MachineDocument; recording: Recording; files?: string[]}> {
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
      else process.stdout.write(`${files.length} files in ${harmless(flags.out!)}: report.md is the one to paste\n`)
      const warning = reportTooLong(report)
      if (warning) process.stderr.write(warning)
    }
    return {schemaVersion: 2, machine, recording, ...(files && {files})}
  }

  private describe() {
    return {version: this.config.version, node: process.versions.node, platform: process.platform, arch: process.arch}
  }
}
