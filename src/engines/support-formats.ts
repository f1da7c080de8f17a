import type {Accelerator} from '../core/accelerator.ts'
import type {EngineId} from '../core/deployment.ts'
import {weightFormat} from '../core/formats.ts'
import type {AttentionTable} from './attention.ts'
import type {BuildTable} from './builds.ts'
import {capabilitiesInWords, type CapabilityRange, within} from './capabilities.ts'
import type {LoraTable} from './lora-table.ts'
import type {SpeculationTable} from './speculation/table.ts'
import {inRange} from './release-range.ts'
import {compareVersions, isAtLeast} from './versions.ts'

/** What an engine does with a format; a rule of `data/engines/support.yaml`. */
export interface FormatRule {
  /** Capabilities that the engine admits. Absent: all that it runs on. */
  on?: CapabilityRange[]
  /** Capabilities that compute in the format; others store it and convert. */
  native?: CapabilityRange[]
  /** AMD GPUs: all, none, or gfx targets by prefix. Absent: not known. */
  amd?: boolean | string[]
  /** Why AMD GPUs are refused, in words that follow "because". */
  amdBecause?: string
  /** AMD GPUs beside those have no kernel: their weights are widened to this format while they are loaded. */
  widenedTo?: string
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

/** What an engine does with a format: one rule, one for each stretch of releases, or nothing at all. */
export type FormatRules = FormatRule | FormatRule[] | false

/** Support of a class: a first release, `any`, or more. */
export type ArchitectureRule = string | {since?: string; until?: string; plugin?: string}

export interface SupportTable {
  formats: Record<string, Record<EngineId, FormatRules>>
  cacheFormats: Record<string, Record<EngineId, FormatRules>>
  builds: BuildTable
  attention: AttentionTable
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
  /** Where another release takes it on this card: the nearest later one, else the newest before. */
  elsewhere?: {version: string; later: boolean}
  plugin?: string
  needs?: Record<string, string>
  /** The format in which the weights lie in memory, where it is a wider one. */
  widenedTo?: string
}

function amdAnswer(rule: FormatRule, accelerator: Accelerator): FormatAnswer {
  const {amd} = rule
  if (amd === undefined) return {kind: 'unknown'}
  if (amd === false) return {kind: 'refused', because: rule.amdBecause ?? 'it has no kernels for AMD GPUs'}
  if (amd === true) return {kind: accelerator.native.length > 0 && rule.native ? 'native' : 'stored'}
  const target = accelerator.gfxTarget
  if (target === undefined) return {kind: 'unknown'}
  if (amd.some((prefix) => target.startsWith(prefix))) return {kind: rule.native ? 'native' : 'stored'}
  return rule.widenedTo !== undefined
    ? {kind: 'stored', widenedTo: rule.widenedTo}
    : {kind: 'refused', because: `it needs ${amd.map((prefix) => `${prefix}x`).join(' or ')}, but this GPU is ${target}`}
}

/** What an engine does with a format on a device in a version. */
export function ruleAnswer(rules: FormatRules | undefined, accelerator: Accelerator, version: string): FormatAnswer {
  if (rules === undefined) return {kind: 'unknown'}
  if (rules === false) return {kind: 'refused', because: 'it does not support it'}
  const all = Array.isArray(rules) ? rules : [rules]
  const now = all.find((rule) => inRange(rule, version))
  const answer = now ? answerOf(now, accelerator, version) : outside(all, version)
  if (answer.kind !== 'refused') return answer
  const taken = all.filter((rule) => rule !== now && answerOf(rule, accelerator, version).kind !== 'refused')
  const later = taken.find(({since}) => since !== undefined && compareVersions(since, version) > 0)?.since
  const before = taken.filter(({until}) => until !== undefined && compareVersions(until, version) < 0).at(-1)?.until
  if (later !== undefined) return {...answer, elsewhere: {version: later, later: true}}
  return before === undefined ? answer : {...answer, elsewhere: {version: before, later: false}}
}

/** No rule is for this release: it came later, or ended before. */
function outside(rules: readonly FormatRule[], version: string): FormatAnswer {
  const later = rules.find(({since}) => since !== undefined && compareVersions(since, version) > 0)
  return {kind: 'refused', because: later ? `support came with ${later.since}` : `support ended with ${rules.at(-1)?.until}`}
}

function answerOf(rule: FormatRule, accelerator: Accelerator, version: string): FormatAnswer {
  const plugin = rule.plugin !== undefined && (rule.pluginSince === undefined || isAtLeast(version, rule.pluginSince)) ? rule.plugin : undefined
  const extras = {...(plugin !== undefined && {plugin}), ...(rule.needs && {needs: rule.needs})}
  if (accelerator.vendor === 'amd') return {...amdAnswer(rule, accelerator), ...extras}
  const {computeCapability: capability} = accelerator
  if (accelerator.vendor !== 'nvidia' || capability === undefined) return {kind: 'unknown', ...extras}
  if (rule.on && !within(rule.on, capability))
    return {kind: 'refused', because: `it needs compute capability ${capabilitiesInWords(rule.on)}, but this GPU has ${capability.toFixed(1)}`}
  return {kind: rule.native && within(rule.native, capability) ? 'native' : 'stored', ...extras}
}

/** Names come from files that people bring: only what the table itself holds counts. */
const ruleOf = (rules: Record<string, Record<EngineId, FormatRules>>, name: string, engine: EngineId): FormatRules | undefined =>
  Object.hasOwn(rules, name) ? rules[name]?.[engine] : undefined

/**
 * A weight format, by its short name. What packed a checkpoint (`compressed-tensors`, `modelopt`) has rules of its own for some formats:
 * `fp8/modelopt`, and for some members of a family: `nvfp4-weight-only/modelopt_mixed`.
 */
export function formatAnswer(table: SupportTable, engine: EngineId, format: string, accelerator: Accelerator, version: string, packer?: string): FormatAnswer {
  const family = formatFamily(format)
  const packers = packer === MIXED ? [MIXED, MODEL_OPTIMIZER] : packer === undefined ? [] : [packer]
  const own = packers.flatMap((name) => [`${format}/${name}`, `${family}/${name}`]).map((name) => ruleOf(table.formats, name, engine))
  return ruleAnswer(own.find((rules) => rules !== undefined) ?? ruleOf(table.formats, family, engine), accelerator, version)
}

const MODEL_OPTIMIZER = 'modelopt'
const MIXED = 'modelopt_mixed'

/**
 * Who packed a checkpoint, as the support table tells them apart. NVIDIA Model Optimizer writes `quant_algo: MIXED_PRECISION` where layers
 * are quantised in more than one way; both engines read that with a class of its own (ModelOptMixedPrecisionConfig of modelopt.py and
 * modelopt_quant.py), with other floors than those of its parts.
 */
export function packerOf(quantMethod: string | undefined, formats: readonly string[]): string | undefined {
  if (quantMethod !== MODEL_OPTIMIZER) return quantMethod
  return formats.filter((format) => weightFormat(format).elementBits < 16).length > 1 ? MIXED : quantMethod
}

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
