import type {Catalogue} from '../../catalogue/catalogue.ts'
import {InputError} from '../../core/input-error.ts'
import type {Answer} from '../../planner/answer/index.ts'
import type {Artifact} from '../../render/launch/artifact.ts'
import {launchReasons} from '../../render/launch/explain.ts'
import {FORMATS, joinArtifacts, placed, writeFormat} from '../../render/launch/formats.ts'
import {startableOf} from '../../render/launch/startable-from.ts'
import {harmless} from '../../render/style.ts'

/** What starts a deployment, in every format, with the reason for each flag. */
export interface StartDocument {
  program: string
  reasons: [string, string][]
  formats: StartFormat[]
}

export interface StartFormat {
  id: string
  summary: string
  files: Artifact[]
  /** All of it as one text. */
  text: string
  /** Why it cannot be written so; there are no files then. */
  problem?: string
}

/** Nothing where the weights are in no repository: there is nothing to start. */
export function startDocument(catalogue: Catalogue, answered: Answer): StartDocument | undefined {
  if (answered.best.checkpoint.hfId === '' || answered.named.missing !== undefined) return undefined
  const startable = startableOf(catalogue, answered)
  const {launch} = placed(startable, 'command')
  return {
    program: harmless(launch.program.join(' ')),
    reasons: launchReasons(launch).map(({option, because}) => [harmless(option), harmless(because)]),
    formats: FORMATS.map(({id, summary}) => {
      try {
        const files = writeFormat(id, startable)
        return {id, summary, files, text: joinArtifacts(files)}
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        return {id, summary, files: [], text: '', problem: error.message}
      }
    }),
  }
}
