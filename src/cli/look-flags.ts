import * as Flags from '@oclif/core/flags'

/** How text is shown, of commands that print tables. */
export const lookFlags = {
  wide: Flags.boolean({description: 'show every column of tables, however narrow the terminal'}),
}
