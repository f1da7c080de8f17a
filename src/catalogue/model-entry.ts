import type {Model} from '../core/model.ts'
import {countParameters} from '../core/tensors.ts'
import type {ModelEntry} from './catalogue.ts'

/** A model's line in the index. */
export function entryOf(model: Model): ModelEntry {
  const {total, active} = countParameters(model.architecture)
  return {
    id: model.id,
    hfId: model.hfId,
    name: model.name,
    names: model.aliases ?? [],
    checkpointIds: model.checkpoints.flatMap(({hfId, aliases = []}) => [hfId, ...aliases]),
    totalParams: total,
    activeParams: active,
    ...(model.pooling && {pooling: true as const}),
  }
}
