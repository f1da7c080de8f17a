import type {NvidiaDevice} from './nvidia-device.ts'
import {uuidOf} from './nvidia-xml.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {known} from './quantity.ts'

/** `nvidia-smi -L`, the only short output that names the profiles of MIG slices. */
export function runNvidiaList(exec: Exec, command: string): Promise<ExecOutcome> {
  return exec(command, ['-L'])
}

export interface ListedSlice {
  parentIndex: number
  device: number
  profile: string
  uuid?: string
}

/** Slices with their profile and identity. */
export function parseNvidiaList(text: string): ListedSlice[] {
  if (!isList(text)) return []
  const slices: ListedSlice[] = []
  let parentIndex: number | undefined
  for (const line of text.split(/\r?\n/)) {
    const card = /^GPU (\d{1,3}):/.exec(line)
    if (card) parentIndex = Number(card[1])
    const slice = /^\s+MIG\s+(\S{1,24})\s+Device\s+(\d{1,3}):/.exec(line)
    if (slice?.[1] && parentIndex !== undefined) slices.push({parentIndex, device: Number(slice[2]), profile: slice[1], ...identityIn(line)})
  }
  return slices
}

/** Quick, for texts of megabytes that are something else. */
const isList = (text: string): boolean => /^GPU \d{1,3}:/m.test(text)

export interface ListedCard {
  index: number
  name?: string
  uuid?: string
}

/** Names and identities of the cards in the same list. */
export function parseNvidiaCards(text: string): ListedCard[] {
  if (!isList(text)) return []
  const cards = text.split(/\r?\n/).flatMap((line) => {
    const card = /^GPU (\d{1,3}): (.{1,120}?)(?: \(UUID:.*)?$/.exec(line)
    return card ? [{index: Number(card[1]), name: known(card[2]), ...identityIn(line)}] : []
  })
  return [...new Map(cards.toReversed().map((card) => [card.index, card])).values()].sort((a, b) => a.index - b.index)
}

function identityIn(line: string): {uuid?: string} {
  const uuid = uuidOf(/\(UUID:\s*([^)]+)\)/.exec(line)?.[1])
  return uuid ? {uuid} : {}
}

/** Adds profiles to the slices of each card, and slices that only the list shows, without memory. */
export function withProfiles(devices: NvidiaDevice[], listed: ListedSlice[]): NvidiaDevice[] {
  return devices.map((device) => {
    const mine = listed.filter(({parentIndex}) => parentIndex === device.index)
    if (mine.length === 0) return device
    const known = device.slices.map((slice) => ({
      ...slice,
      profile: slice.profile ?? mine.find(({device: number}) => number === slice.device)?.profile,
      uuid: slice.uuid ?? mine.find(({device: number}) => number === slice.device)?.uuid,
    }))
    const added = mine
      .filter(({device: number}) => !device.slices.some((slice) => slice.device === number))
      .map(({device: number, profile, uuid}) => ({device: number, profile, uuid}))
    return {...device, slices: [...known, ...added]}
  })
}

/** Share of the card's compute units: 3 of 7 for `3g.40gb`. Nothing for profiles of another form. */
export function computeShareOf(profile: string | undefined): number | undefined {
  const slices = Number(/^([1-7])g\./.exec(profile ?? '')?.[1] ?? 0)
  return slices > 0 ? slices / 7 : undefined
}

/**
 * Share of the card's memory bandwidth, in eighths. NVIDIA's MIG guide: a memory slice is "roughly one eighth of the total
 * GPU memory resources, including both capacity and bandwidth" (docs.nvidia.com/datacenter/tesla/mig-user-guide, Concepts).
 */
export function bandwidthShareOf(sliceBytes: number, parentBytes: number): number | undefined {
  const eighths = Math.round((8 * sliceBytes) / parentBytes)
  return eighths >= 1 && eighths <= 8 ? eighths / 8 : undefined
}
