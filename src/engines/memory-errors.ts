/**
 * How far estimates of memory came out from what engines logged, by release, kind of attention and platform: factors on the margin that
 * is reckoned from what is not known (src/planner/answer/margin.ts). Written by src/build/fit-memory from logs that a fit had not seen.
 */
import type {Accelerator} from '../core/accelerator.ts'
import type {Architecture} from '../core/architecture.ts'
import {compareVersions, isAtLeast} from './versions.ts'

export const ATTENTION_KINDS = ['full', 'window', 'recurrent', 'latent', 'sparse'] as const
export type AttentionKind = (typeof ATTENTION_KINDS)[number]

export interface MemoryErrors {
  /** Cases left out that this is made from. */
  cases: number
  /** Margins, up and down, that hold the share `holds` of the cases left out. */
  margins: number
  holds: number
  /** Share of the cases left out that the intervals did hold. */
  inside: number
  /** Factors for kinds of attention, platforms and ranges of releases (from `since` on) that logs are known of. */
  kinds: Partial<Record<AttentionKind, number>>
  platforms: Record<string, number>
  releases: {since: string; factor: number}[]
  /** Newest release that a log is known of. */
  newest: string
  /** Factors for what no log is known of. */
  unseen: {release: number; kind: number; platform: number}
}

/** What sets the size of a cache: the rarest of the layers' ways to attend. */
export function kindOfAttention({layerKinds}: Pick<Architecture, 'layerKinds'>): AttentionKind {
  const mixers = layerKinds.flatMap((kind) => kind.mixers)
  if (mixers.some((mixer) => mixer.kind === 'compressed' || (mixer.kind === 'mla' && mixer.indexer !== undefined))) return 'sparse'
  if (mixers.some(({kind}) => !['full', 'mla', 'compressed'].includes(kind))) return 'recurrent'
  if (mixers.some(({kind}) => kind === 'mla')) return 'latent'
  return mixers.some((mixer) => mixer.kind === 'full' && mixer.window) ? 'window' : 'full'
}

export const platformOf = ({vendor, unifiedMemory}: Pick<Accelerator, 'vendor' | 'unifiedMemory'>): string =>
  unifiedMemory ? `${vendor}, shared memory` : vendor

export interface ErrorQuestion {
  architecture: Architecture
  accelerator: Accelerator
  version: string
  /** The platform's build has a spread of its own, which is as wide as what is known of it. */
  ownSpread?: boolean
}

export interface ErrorFactor {
  factor: number
  /** What no log is known of, in words. */
  unseen: string[]
}

/** Margins that an interval takes. What nobody logged adds up by its squares. */
export function errorFactor(
  errors: Omit<MemoryErrors, 'inside'> | undefined,
  {architecture, accelerator, version, ownSpread = false}: ErrorQuestion,
): ErrorFactor {
  if (!errors) return {factor: 1, unseen: []}
  const {margins, kinds, platforms, releases, newest, unseen} = errors
  const kind = kinds[kindOfAttention(architecture)]
  const platform = ownSpread ? 1 : platforms[platformOf(accelerator)]
  const range = releases.findLast(({since}) => isAtLeast(version, since))
  const isLater = compareVersions(version, newest) > 0
  const parts: [factor: number, unseen?: string][] = [
    kind === undefined ? [unseen.kind, 'such layers'] : [kind],
    platform === undefined ? [unseen.platform, 'this platform'] : [platform],
    range === undefined || isLater ? [unseen.release, 'this release'] : [range.factor],
  ]
  const seen = parts.reduce((product, [factor, words]) => (words === undefined ? product * factor : product), margins)
  const wider = Math.sqrt(parts.reduce((sum, [factor, words]) => sum + (words === undefined ? 0 : factor ** 2 - 1), 1))
  return {factor: seen * wider, unseen: parts.flatMap(([, words]) => words ?? [])}
}
