import type {Accelerator} from '../core/accelerator.ts'
import type {EngineId} from '../core/deployment.ts'
import type {LoraTable} from './lora-table.ts'
import type {SpeculationTable} from './speculation/table.ts'
import {compareVersions, isAtLeast} from './versions.ts'

/** A range of NVIDIA compute capabilities, both ends inside. */
export type CapabilityRange = [from: number, to: number]

/** What an engine does with a format; a rule of `data/engines/support.yaml`. */
export interface FormatRule {
  /** Capabilities that the engine admits. Absent: all that it runs on. */
  on?: CapabilityRange[]
  /** Capabilities that compute in the format; others store it and convert. */
  native?: CapabilityRange[]
  /** AMD GPUs: all, none, or gfx targets by prefix. Absent: not known. */
  amd?: boolean | string[]
  since?: string
  until?: string
  /** Package to install, from this release on. */
  plugin?: string
  pluginSince?: string
  /** How the engine spells a cache format. */
  value?: string
  /** Options that it wants. */
  needs?: Record<string, string>
  source: string
}

/** What the official builds of some releases carry kernels for; a rule of `data/engines/support.yaml`. */
export interface BuildRule {
  since?: string
  until?: string
  /** Of NVIDIA GPUs. Absent: the rule says nothing about them. */
  capability?: CapabilityRange
  /** Of AMD GPUs, whole targets. Absent: likewise. */
  gfx?: string[]
  source: string
}

/** Support of a class: a first release, `any`, or more. */
export type ArchitectureRule = string | {since?: string; until?: string; plugin?: string}

export interface SupportTable {
  formats: Record<string, Record<EngineId, FormatRule | false>>
  cacheFormats: Record<string, Record<EngineId, FormatRule | false>>
  /** Kinds of attention that not every GPU has kernels for. */
  attention: Record<string, Record<EngineId, FormatRule | false>>
  builds: Record<EngineId, BuildRule[]>
  architectures: Record<string, Record<EngineId, ArchitectureRule> & {sameAs?: string}>
  /** Methods of speculative decoding, and what was published of their acceptance (data/drafts). */
  speculation: SpeculationTable
  lora: LoraTable
}

/** The family that a short format name belongs to in the support table. */
export function formatFamily(format: string): string {
  if (/^i?q\d/.test(format)) return 'gguf'
  // The size of a group does not matter to whether an engine takes it.
  const grouped = /^(awq-int4|gptq-int4|gptq-int8)-group/.exec(format)
  if (grouped?.[1] !== undefined) return grouped[1]
  if (format.startsWith('int4-')) return 'compressed-int4'
  if (format === 'nvfp4-weight-only') return 'nvfp4'
  if (format === 'int8-group') return 'compressed-int8'
  if (format === 'fp8-channel') return 'fp8'
  return format
}

export interface FormatAnswer {
  /** native: computed in; stored: converted before use; refused; unknown: the table has nothing on it. */
  kind: 'native' | 'stored' | 'refused' | 'unknown'
  /** Why it is refused, in words that follow "because". */
  because?: string
  plugin?: string
  needs?: Record<string, string>
}

export interface BuildAnswer {
  /** What the builds of this release are for, in words. */
  builtFor: string
  /** What this card is, in the same terms. */
  card: string
  /** Newest release whose builds have it; absent: none that is known. */
  newestWith?: string
}

/** Whether the official builds of a release carry nothing for a card; undefined: they do, or it is not known. */
export function missingBuild(
  rules: readonly BuildRule[] | undefined,
  accelerator: Accelerator,
  version: string,
  newestVersion: string,
): BuildAnswer | undefined {
  const {vendor, computeCapability, gfxTarget} = accelerator
  const own = vendor === 'nvidia' ? computeCapability : vendor === 'amd' ? gfxTarget : undefined
  if (own === undefined) return undefined
  const ofMaker = (rules ?? []).filter((rule) => (vendor === 'nvidia' ? rule.capability : rule.gfx) !== undefined)
  const has = ({capability, gfx}: BuildRule) => (typeof own === 'number' ? within([capability!], own) : gfx!.includes(own))
  const rule = ofMaker.find(
    ({since, until}) => (since === undefined || isAtLeast(version, since)) && (until === undefined || compareVersions(version, until) <= 0),
  )
  if (!rule || has(rule)) return undefined
  const newestWith = ofMaker
    .filter(has)
    .map(({until}) => until ?? newestVersion)
    .sort(compareVersions)
    .at(-1)
  return {
    builtFor: typeof own === 'number' ? `compute capability ${inWords([rule.capability!])}` : rule.gfx!.join(', '),
    card: typeof own === 'number' ? own.toFixed(1) : own,
    ...(newestWith !== undefined && {newestWith}),
  }
}

const within = (ranges: CapabilityRange[], capability: number): boolean => ranges.some(([from, to]) => capability >= from && capability <= to)

const inWords = (ranges: CapabilityRange[]): string =>
  ranges.map(([from, to]) => (to >= 12.9 ? `${from.toFixed(1)} or later` : `${from.toFixed(1)} to ${to.toFixed(1)}`)).join(', or ')

function amdAnswer(rule: FormatRule, accelerator: Accelerator): FormatAnswer {
  const {amd} = rule
  if (amd === undefined) return {kind: 'unknown'}
  if (amd === false) return {kind: 'refused', because: 'it has no kernels for AMD GPUs'}
  if (amd === true) return {kind: accelerator.native.length > 0 && rule.native ? 'native' : 'stored'}
  const target = accelerator.gfxTarget
  if (target === undefined) return {kind: 'unknown'}
  return amd.some((prefix) => target.startsWith(prefix))
    ? {kind: rule.native ? 'native' : 'stored'}
    : {kind: 'refused', because: `it needs ${amd.map((prefix) => `${prefix}x`).join(' or ')}, this is ${target}`}
}

/** What an engine does with a format on a device in a version. */
export function ruleAnswer(rule: FormatRule | false | undefined, accelerator: Accelerator, version: string): FormatAnswer {
  if (rule === undefined) return {kind: 'unknown'}
  if (rule === false) return {kind: 'refused', because: 'it does not have it'}
  if (rule.since !== undefined && !isAtLeast(version, rule.since)) return {kind: 'refused', because: `support came with ${rule.since}`}
  if (rule.until !== undefined && compareVersions(version, rule.until) > 0) return {kind: 'refused', because: `support ended with ${rule.until}`}
  const plugin = rule.plugin !== undefined && (rule.pluginSince === undefined || isAtLeast(version, rule.pluginSince)) ? rule.plugin : undefined
  const extras = {...(plugin !== undefined && {plugin}), ...(rule.needs && {needs: rule.needs})}
  if (accelerator.vendor === 'amd') return {...amdAnswer(rule, accelerator), ...extras}
  const {computeCapability: capability} = accelerator
  if (accelerator.vendor !== 'nvidia' || capability === undefined) return {kind: 'unknown', ...extras}
  if (rule.on && !within(rule.on, capability))
    return {kind: 'refused', because: `it needs compute capability ${inWords(rule.on)}, this is ${capability.toFixed(1)}`}
  return {kind: rule.native && within(rule.native, capability) ? 'native' : 'stored', ...extras}
}

/** Names come from files that people bring: only what the table itself holds counts. */
const ruleOf = (rules: Record<string, Record<EngineId, FormatRule | false>>, name: string, engine: EngineId): FormatRule | false | undefined =>
  Object.hasOwn(rules, name) ? rules[name]?.[engine] : undefined

/** A weight format, by its short name. */
export const formatAnswer = (table: SupportTable, engine: EngineId, format: string, accelerator: Accelerator, version: string): FormatAnswer =>
  ruleAnswer(ruleOf(table.formats, formatFamily(format), engine), accelerator, version)

/** A cache format, by its short name. */
export const cacheAnswer = (table: SupportTable, engine: EngineId, format: string, accelerator: Accelerator, version: string): FormatAnswer =>
  ruleAnswer(ruleOf(table.cacheFormats, format, engine), accelerator, version)

export type ArchitectureAnswer =
  | {kind: 'supported'}
  | {kind: 'too-old'; since: string}
  | {kind: 'gone'; until: string}
  | {kind: 'plugin'; plugin: string}
  /** The class is known and this engine does not implement it. */
  | {kind: 'unsupported'}
  /** No engine's list has the class: nothing can be said. */
  | {kind: 'unknown'}

/** Whether an engine implements an architecture class in a version. */
export function architectureAnswer(table: SupportTable, engine: EngineId, className: string, version: string): ArchitectureAnswer {
  const entry = Object.hasOwn(table.architectures, className) ? table.architectures[className] : undefined
  if (!entry) return {kind: 'unknown'}
  if (entry.sameAs !== undefined) return architectureAnswer(table, engine, entry.sameAs, version)
  const rule = entry[engine]
  if (rule === undefined) return {kind: 'unsupported'}
  const {since, until, plugin}: {since?: string; until?: string; plugin?: string} = typeof rule === 'string' ? (rule === 'any' ? {} : {since: rule}) : rule
  if (plugin !== undefined && (until === undefined || compareVersions(version, until) > 0)) return {kind: 'plugin', plugin}
  if (since !== undefined && !isAtLeast(version, since)) return {kind: 'too-old', since}
  if (until !== undefined && compareVersions(version, until) > 0) return {kind: 'gone', until}
  return {kind: 'supported'}
}

/** A kind of attention. */
export const attentionAnswer = (table: SupportTable, engine: EngineId, kind: string, accelerator: Accelerator, version: string): FormatAnswer =>
  ruleAnswer(ruleOf(table.attention, kind, engine), accelerator, version)
