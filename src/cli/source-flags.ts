import * as Flags from '@oclif/core/flags'
import type {ModelSources} from './world.ts'

const SOURCE = 'SOURCE'

/** Folders with models of the user's own, for every command that knows models. */
export const catalogueFlag = {
  catalogue: Flags.string({
    description: 'a folder with models that models import --save wrote; searched first, then ~/.config/servefit/models, then the built-in catalogue',
    helpValue: 'FOLDER',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: SOURCE,
  }),
}

/** Where a repository that is not in the catalogue may come from. */
export const sourceFlags = {
  ...catalogueFlag,
  offline: Flags.boolean({description: 'never ask the hub (the same as HF_HUB_OFFLINE=1)', helpGroup: SOURCE, exclusive: ['refresh']}),
  'no-corrections': Flags.boolean({description: 'ignore what verify --save and calibrate learnt on your machines', helpGroup: SOURCE}),
  refresh: Flags.boolean({description: 'read a repository from the hub even if the catalogue or the local cache has it', helpGroup: SOURCE}),
}

export const sourcesFrom = (flags: {offline?: boolean; refresh?: boolean; 'no-corrections'?: boolean}): ModelSources => ({
  offline: flags.offline ?? false,
  refresh: flags.refresh ?? false,
  corrections: !flags['no-corrections'],
})
