import type {Catalogue} from '../catalogue/catalogue.ts'
import {InputError} from '../core/input-error.ts'
import type {Answer} from '../planner/answer/index.ts'
import type {Artifact} from '../render/launch/artifact.ts'
import {extras} from '../render/launch/extras.ts'
import {formatOf, isInCluster, placed, startsApart, writeFormat} from '../render/launch/formats.ts'
import {startableOf} from '../render/launch/startable-from.ts'

/** Start files of one deployment in these formats, with a first request and the benchmark beside them. `replicas`: machines that run it, which a cluster's format counts. */
export function artifactsOf(
  catalogue: Catalogue,
  answered: Pick<Answer, 'best' | 'machine' | 'left'>,
  formats: readonly string[] = ['command'],
  replicas?: number,
): Artifact[] {
  if (answered.best.checkpoint.hfId === '')
    throw new InputError(
      'MODEL_NAMELESS',
      "the model does not say which repository it belongs to, so there is nothing to start: give a folder with its weights, or the repository's name",
    )
  const files = new Map<string, Artifact>()
  for (const format of formats) {
    formatOf(format)
    const startable = startableOf(catalogue, answered, [], {...(isInCluster(format) && {replicas, inCluster: true}), apart: startsApart(format)})
    for (const file of [...writeFormat(format, startable), ...extras(placed(startable, format), format)]) files.set(file.name, file)
  }
  return [...files.values()]
}
