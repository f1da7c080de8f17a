import {basename} from 'node:path'
import * as Args from '@oclif/core/args'
import {ServefitCommand} from '../cli/base.ts'
import {COMPLETION_SCRIPTS} from '../completion/scripts.ts'
import {InputError} from '../core/input-error.ts'

const SHELLS = Object.keys(COMPLETION_SCRIPTS) as (keyof typeof COMPLETION_SCRIPTS)[]

export default class Completion extends ServefitCommand {
  static override summary = 'The script with which bash, zsh or fish completes commands, flags, models, cards, machines and formats'
  static override description = 'Prints the script for a shell (the one that is in use where none is named); its first lines say where it goes.'
  static override examples = [
    'source <(<%= config.bin %> <%= command.id %> bash)',
    '<%= config.bin %> <%= command.id %> fish | source',
    '<%= config.bin %> <%= command.id %> zsh',
  ]
  static override args = {shell: Args.string({options: SHELLS, description: SHELLS.join(', ')})}

  async run(): Promise<{schemaVersion: 2; shell: string; script: string}> {
    const {args} = await this.parse(Completion)
    const shell = SHELLS.find((known) => known === (args.shell ?? basename(process.env.SHELL ?? '')))
    if (!shell)
      throw new InputError('SHELL_UNKNOWN', `Which shell is in use is not known: expected one of ${SHELLS.join(', ')}, as in servefit completion bash`)
    if (!this.jsonEnabled()) process.stdout.write(COMPLETION_SCRIPTS[shell])
    return {schemaVersion: 2, shell, script: COMPLETION_SCRIPTS[shell]}
  }
}
