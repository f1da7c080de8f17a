import type {EngineId} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import type {HardwareNeed, ModelNeed, NeedEntry, NeedsTable, ParserReleases} from './needs-table.ts'

const NO_NEED: ModelNeed = {}

const lastPart = (repository: string): string =>
  (
    repository
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? repository
  ).toLowerCase()

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function fits(pattern: string, name: string): boolean {
  const expression = pattern.toLowerCase().split('*').map(escaped).join('.*')
  return new RegExp(`^${expression}$`, 's').test(name)
}

/** The entry with the longest pattern that fits the name. */
function byName(table: NeedsTable, name: string): NeedEntry | undefined {
  let best: {entry: NeedEntry; length: number} | undefined
  for (const entry of table.models) {
    for (const pattern of entry.match) {
      if (fits(pattern, name) && pattern.length > (best?.length ?? 0)) best = {entry, length: pattern.length}
    }
  }
  return best?.entry
}

/** The entry of a model: by its checkpoint's name, its own, then its architecture class. */
export function needEntry(table: NeedsTable, subject: Subject): NeedEntry | undefined {
  const {model, checkpoint} = subject
  const {className} = model.architecture
  return (
    byName(table, lastPart(checkpoint.hfId)) ??
    byName(table, lastPart(model.hfId)) ??
    (className === undefined ? undefined : table.models.find((entry) => entry.architectures?.includes(className)))
  )
}

/** What the cards want with this model; undefined: nothing. */
function hardwareNeed(
  {hardware = []}: NeedsTable,
  engine: EngineId,
  {model, checkpoint, gpu}: Subject,
): Pick<ModelNeed, 'environment' | 'options'> | undefined {
  const {gfxTarget, computeCapability} = gpu.accelerator
  const names = [lastPart(checkpoint.hfId), lastPart(model.hfId)]
  const isFor = ({gfx, capabilities}: HardwareNeed): boolean =>
    (gfx === undefined && capabilities === undefined) ||
    (gfxTarget !== undefined && gfx?.includes(gfxTarget) === true) ||
    (computeCapability !== undefined && capabilities?.includes(Math.floor(computeCapability)) === true)
  const {className} = model.architecture
  const isMeant = ({checkpoints, architectures, match = []}: HardwareNeed): boolean => {
    if (architectures) return className !== undefined && architectures.includes(className)
    return checkpoints?.some((pattern) => fits(pattern, names[0]!)) ?? match.some((pattern) => names.some((name) => fits(pattern, name)))
  }
  const fitting = hardware.filter((entry) => entry.engine === engine && isFor(entry) && isMeant(entry))
  if (fitting.length === 0) return undefined
  return {environment: Object.assign({}, ...fitting.map(({environment}) => environment)), options: fitting.flatMap(({options = []}) => options)}
}

/** What the model wants from this engine in this version: parsers that the version does not have yet are left out. */
export function modelNeed(table: NeedsTable | undefined, engine: EngineId, version: string, subject: Subject): ModelNeed {
  const {pooling} = subject.model
  // What a model of the same family wants for its answers does not concern one that gives none.
  if (pooling) return pooling.trustRemoteCode ? {trustRemoteCode: true} : NO_NEED
  if (!table) return NO_NEED
  const entry = needEntry(table, subject) as (NeedEntry & Partial<Record<EngineId, ModelNeed>>) | undefined
  const onThisCard = hardwareNeed(table, engine, subject)
  const own = entry?.[engine]
  const need = onThisCard
    ? {...own, environment: {...own?.environment, ...onThisCard.environment}, options: [...(own?.options ?? []), ...(onThisCard.options ?? [])]}
    : own
  if (!need) return NO_NEED
  const exists = (kind: keyof ParserReleases, name: string | undefined): string | undefined => {
    const since = name === undefined ? undefined : table.parsers[engine]?.[kind][name]
    return since !== undefined && (since === 'any' || isAtLeast(version, since)) ? name : undefined
  }
  // What the cards want comes after what the model wants, and an option stands once.
  const options = need.options && [
    ...new Map(need.options.filter(({since}) => since === undefined || isAtLeast(version, since)).map((option) => [option.flag, option])).values(),
  ]
  return {
    ...need,
    toolCallParser: exists('toolCallParser', need.toolCallParser) ?? exists('toolCallParser', need.earlierToolCallParser),
    reasoningParser: exists('reasoningParser', need.reasoningParser),
    ...(options && {options}),
  }
}

/** The newer release of a checkpoint by its maker; undefined where none is known. */
export const newerRevision = ({revisions = []}: NeedsTable, hfId: string): string | undefined =>
  revisions.find(({of}) => of.toLowerCase() === hfId.toLowerCase())?.newer
