import type {Catalogue} from '../../catalogue/catalogue.ts'
import {ENGINES} from '../../engines/registry.ts'
import {type Context, engineOf} from '../../planner/world/index.ts'
import {gib, parameters} from '../../render/numbers.ts'
import type {Choice, Lists} from './protocol.ts'

/** Everything that a form offers. */
export function listsOf(context: Context): Lists {
  const {catalogue} = context
  return {
    models: modelChoices(catalogue),
    gpus: catalogue.gpus.map(({id, name, memoryBytes, aliases, nicknames = []}) => ({
      value: id,
      title: name,
      note: `${gib(memoryBytes)} GiB`,
      names: [...aliases, ...nicknames],
    })),
    machines: catalogue.systems
      .filter(({gpus}) => gpus.length > 0)
      .map(({id, name, aliases, gpus, nodeCount}) => ({
        value: id,
        title: name,
        note: `${nodeCount > 1 ? `${nodeCount} nodes of ` : ''}${gpus.map((gpu) => `${gpu.count} x ${gpu.id}`).join(' and ')}`,
        names: aliases,
      })),
    engines: Object.keys(ENGINES).map((id) => {
      const {title, versions} = engineOf(context, id)
      return {id, title, versions: [...versions].reverse()}
    }),
    kvCaches: ['auto', 'bf16', 'fp8', 'nvfp4', 'int8', 'int4'],
  }
}

/** Models by name, each with its repositories, and those of which only name and size are known. */
function modelChoices({modelEntries, knownModels}: Catalogue): Choice[] {
  const known = modelEntries.map(({id, name, hfId, names, totalParams, activeParams, checkpointIds}) => ({
    value: id,
    title: name,
    note: sizeWords(totalParams, activeParams),
    names: [hfId, ...names, ...checkpointIds],
  }))
  const builds = modelEntries.flatMap(({name, checkpointIds}) =>
    checkpointIds.map((hfId) => ({value: hfId, title: hfId, note: `a build of ${name}`, names: []})),
  )
  const byName = knownModels.map(({hfId, name, totalParams, activeParams}) => ({
    value: hfId,
    title: name,
    note: `${sizeWords(totalParams, activeParams)}, known by name and size`,
    names: [hfId],
  }))
  return [...known, ...builds, ...byName]
}

const sizeWords = (total: number, active = total): string => (active < 0.9 * total ? `${parameters(total)}, ${parameters(active)} active` : parameters(total))
