import type {Accelerator} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'

/** A slice that a card can be cut into (NVIDIA Multi-Instance GPU). */
export interface MigProfile {
  /** What the driver reports for it. Absent: no report was found. */
  memoryBytes?: number
  /** Of the card's memory and of its bandwidth, 0 to 1. */
  memoryShare: number
  /** Of the card's multiprocessors, 0 to 1. */
  multiprocessorShare: number
  /** Most slices of this profile on one card. */
  mostOnCard: number
}

/** Profiles by the id of the card, then by their name. */
export type MigTable = Record<string, Record<string, MigProfile>>

/** `2g.20gb`, and with media engines or graphics `1g.10gb+me`, `1g.24gb.me.all`: memory and multiprocessors are those of the plain profile. */
const PROFILE = /^(?:mig[\s-]*)?(\d{1,2}g\.\d{1,3}gb)((?:[+.-](?:me|gfx|all))*)$/i

/** Whether a text reads as a slice. */
export const namesSlice = (text: string): boolean => PROFILE.test(text)

/** The slice of a card as a card of its own. @throws InputError MIG_UNKNOWN with the profiles that the card has. */
export function sliceOf(card: Accelerator, text: string, table: MigTable): Accelerator {
  const name = PROFILE.exec(text)![1]!.toLowerCase()
  const profiles = Object.hasOwn(table, card.id) ? table[card.id]! : undefined
  if (!profiles)
    throw new InputError('MIG_UNKNOWN', `${card.name} cannot be cut into slices, as far as servefit knows: ${quotedShort(text)} is a profile of other cards`)
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (!profile) {
    const names = Object.keys(profiles)
    throw new InputError('MIG_UNKNOWN', `${card.name} has no slice ${quotedShort(text)}: expected ${names.join(', ')}`, {
      suggestions: nearest(name, names).map((close) => `${card.id}:${close}`),
    })
  }
  return sliced(card, name, profile)
}

const scaled = <T extends Partial<Record<string, number>>>(rates: T, share: number): T =>
  Object.fromEntries(Object.entries(rates).map(([type, rate]) => [type, (rate ?? 0) * share])) as T

/** A slice has its share of everything and no way to other GPUs: peer access and NVLink are off in MIG mode (NVIDIA's guide, Application Considerations). */
function sliced(card: Accelerator, name: string, profile: MigProfile): Accelerator {
  const {memoryShare, multiprocessorShare, mostOnCard} = profile
  const {
    scaleUp: _link,
    unratedScaleUp: _otherLink,
    pciDeviceIds: _ids,
    nicknames: _nicknames,
    sharedAliases: _shared,
    driverReservedBytes: _reserved,
    memoryVariantsBytes: _variants,
    tdpWatts: _watts,
    fp16AccumulateOperationsPerSecond: fp16Accumulate,
    estimatedOperationsPerSecond: estimated,
    ...rest
  } = card
  return {
    ...rest,
    id: `${card.id}:${name}`,
    name: `${card.name} MIG ${name}`,
    aliases: [],
    memoryBytes: profile.memoryBytes ?? Math.round(card.memoryBytes * memoryShare),
    memoryBasis: profile.memoryBytes === undefined ? 'nominal' : 'reported',
    ...(card.memoryBandwidthBytesPerSecond !== undefined && {memoryBandwidthBytesPerSecond: Math.round(card.memoryBandwidthBytesPerSecond * memoryShare)}),
    denseOperationsPerSecond: scaled(card.denseOperationsPerSecond, multiprocessorShare),
    ...(fp16Accumulate && {fp16AccumulateOperationsPerSecond: scaled(fp16Accumulate, multiprocessorShare)}),
    ...(estimated && {estimatedOperationsPerSecond: scaled(estimated, multiprocessorShare)}),
    pciePeerAccess: false,
    slice: {of: card.id, profile: name, mostOnCard},
    ...(profile.memoryBytes === undefined && {
      remarks: [
        `the memory of a ${name} slice is computed as its share of ${card.name}: no report from a driver is known, and drivers report up to a tenth less`,
      ],
    }),
  }
}
