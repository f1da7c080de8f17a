/** Which kernels of attention an engine has for the layers of a model, on a card, with a format of the cache: `data/engines/builds.yaml`. */
import type {Accelerator} from '../core/accelerator.ts'
import type {Architecture, Mixer} from '../core/architecture.ts'
import type {EngineId} from '../core/deployment.ts'
import type {Reason} from '../core/terms.ts'
import {capabilitiesInWords, type CapabilityRange, within} from './capabilities.ts'
import {compareVersions, inRange} from './versions.ts'

/** Kinds of attention that kernels are told apart by. */
export const ATTENTION_KINDS = ['full', 'full-sinks', 'mla', 'sparse-mla', 'compressed', 'own'] as const
export type AttentionKind = (typeof ATTENTION_KINDS)[number]

/** A backend in some releases. */
export interface AttentionRule {
  backend: string
  serves: AttentionKind[]
  /** Formats of the cache, by their short names. Absent: all. */
  caches?: string[]
  /** Widths of a head, of a row in latent attention. Absent: all. */
  headDims?: number[]
  /** Architectures that it is enabled for. Absent: all. */
  classes?: string[]
  /** It is for the GPUs of one maker. */
  vendor?: 'amd'
  /** NVIDIA capabilities. Absent: all. */
  on?: CapabilityRange[]
  /** AMD GPUs: all, or gfx targets by prefix. Absent: none. */
  amd?: true | string[]
  since?: string
  until?: string
  source: string
}

export type AttentionTable = Record<EngineId, AttentionRule[]>

const WORDS: Record<AttentionKind, string> = {
  full: 'attention',
  'full-sinks': 'attention with sinks',
  mla: 'latent attention (MLA)',
  'sparse-mla': 'DeepSeek sparse attention',
  compressed: 'the compressed sparse attention of DeepSeek-V4',
  own: 'the attention of this model',
}

interface Need {
  kind: AttentionKind
  headDim?: number
}

/** What the layers of a model ask for, each once. Layers with states have kernels of their own and are not judged here. */
function needsOf({layerKinds}: Architecture): Need[] {
  // Some architectures bring kernels of their own, whatever their layers are in other respects.
  const needs = new Map<string, Need>([['own', {kind: 'own'}]])
  for (const mixer of layerKinds.flatMap(({mixers}) => mixers)) {
    const need = needOf(mixer)
    if (need) needs.set(`${need.kind} ${need.headDim}`, need)
  }
  return [...needs.values()]
}

function needOf(mixer: Mixer): Need | undefined {
  if (mixer.kind === 'full') return {kind: mixer.sinks ? 'full-sinks' : 'full', headDim: mixer.headDim}
  if (mixer.kind === 'mla') return {kind: mixer.indexer ? 'sparse-mla' : 'mla', headDim: mixer.kvLoraRank + mixer.ropeHeadDim}
  return mixer.kind === 'compressed' ? {kind: 'compressed'} : undefined
}

export interface AttentionQuestion {
  title: string
  version: string
  /** Releases that are known, in order. */
  versions: readonly string[]
  rules: readonly AttentionRule[] | undefined
  architecture: Architecture
  accelerator: Accelerator
  /** Format of the cache, by its short name. */
  cache: string
}

/** Why a layer of the model has no kernel there, the first such layer; undefined where all have one, or it is not known. */
export function attentionReason(question: AttentionQuestion): Reason | undefined {
  const {title, version, versions, rules = [], architecture, accelerator, cache} = question
  const {vendor, computeCapability, gfxTarget, name} = accelerator
  const card = vendor === 'nvidia' ? computeCapability?.toFixed(1) : vendor === 'amd' ? (gfxTarget ?? name) : undefined
  if (card === undefined) return undefined
  const onCard = ({vendor: only, on, amd}: AttentionRule) =>
    vendor === 'amd'
      ? amd === true || (amd?.some((prefix) => gfxTarget === undefined || gfxTarget.startsWith(prefix)) ?? false)
      : only !== 'amd' && (on === undefined || within(on, computeCapability!))
  // Of a format that no kernel is listed for nothing is known.
  const isListed = rules.some(({caches}) => caches?.includes(cache))
  for (const {kind, headDim} of needsOf(architecture)) {
    const ofKind = rules.filter(({serves, classes}) => serves.includes(kind) && (classes === undefined || classes.includes(architecture.className ?? '')))
    const wide = ({headDims}: AttentionRule) => headDims === undefined || headDim === undefined || headDims.includes(headDim)
    const keeps = ({caches}: AttentionRule) => !isListed || caches === undefined || caches.includes(cache)
    if (ofKind.length === 0 || ofKind.some((rule) => inRange(rule, version) && onCard(rule) && wide(rule) && keeps(rule))) continue
    const now = ofKind.filter((rule) => inRange(rule, version))
    const withOtherCache = now.filter((rule) => onCard(rule) && wide(rule))
    const works = versions.filter((release) => ofKind.some((rule) => inRange(rule, release) && onCard(rule) && wide(rule) && keeps(rule)))
    const remedies = [...releaseRemedy(works, version), ...cacheRemedy(withOtherCache)]
    const where = vendor === 'nvidia' ? `compute capability ${card}` : card
    if (withOtherCache.length > 0)
      return {
        code: 'kv-cache-unsupported',
        message: `${title} ${version} has no kernel for ${WORDS[kind]} that reads a cache in ${cache.toUpperCase()} on ${where}${now.some((rule) => onCard(rule) && keeps(rule)) ? ` with heads of ${headDim}` : ''}`,
        remedy: `use ${remedies.join(', or ')}`,
      }
    const names = now.filter((rule) => rule.on !== undefined && !onCard(rule)).map(({backend, on}) => `${backend} is for ${capabilitiesInWords(on!)}`)
    return {
      code: 'attention-unsupported',
      message: `${title} ${version} has no kernel for ${WORDS[kind]} on ${name} (${where})${names.length > 0 && vendor === 'nvidia' ? `: ${[...new Set(names)].join(', ')}` : ''}`,
      remedy:
        works.length > 0 ? `use ${remedies.join(', or ')}` : `no release of ${title} that servefit knows has one: choose another GPU, or a model without it`,
    }
  }
  return undefined
}

/** The nearest release that works: the first later one, else the newest. */
function releaseRemedy(works: readonly string[], version: string): string[] {
  const later = works.find((release) => compareVersions(release, version) > 0)
  if (later !== undefined) return [`--engine-version ${later} or later`]
  return works.length > 0 ? [`--engine-version ${works.at(-1)}`] : []
}

/** A 16-bit cache where that is what kernels are there for. */
const cacheRemedy = (rules: readonly AttentionRule[]): string[] => {
  const caches = rules.flatMap(({caches = []}) => caches)
  const plain = ['bf16', 'fp16', 'fp8'].find((cache) => caches.includes(cache))
  return plain === undefined ? [] : [`--kv-cache ${plain}`]
}
