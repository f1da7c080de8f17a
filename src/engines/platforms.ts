/** Platforms beyond CUDA and ROCm: which build of an engine runs there, and what is known of it. Facts: data/engines/platforms.yaml. */
import type {Accelerator} from '../core/accelerator.ts'
import type {Reason} from '../core/terms.ts'
import type {EngineData} from './engine.ts'
import type {OverheadParameters} from './overheads.ts'
import {type FormatAnswer, formatFamily} from './support-formats.ts'
import {isAtLeast} from './versions.ts'

/** A build of one engine for a platform. */
export interface PlatformBuild {
  /** What people call it, as it stands in a sentence. */
  name: string
  url: string
  /** Whether its rules are known here. Without, memory is counted by the rules for GPUs and nothing is promised. */
  modelled: boolean
  /** First release whose rules are known. */
  since?: string
  /** Families of weight formats that it loads; `native`: those it computes in. */
  formats?: {native: string[]; stored: string[]}
  cacheFormats?: string[]
  /** Kinds of attention that it has no kernels for. */
  without?: string[]
  /** People start it with graphs switched off. */
  eager?: boolean
  memory?: PlatformMemory
  /** Another maker's build of the same engine. */
  also?: string
  source: string[]
}

/** What takes the place of the overheads measured on NVIDIA cards; bytes. */
export interface PlatformMemory {
  runtime: {since: string; bytes: number}[]
  /** Of one process in a group of 1, 2, 4, 8: buffers of the collectives. */
  collectiveBytes: number[]
  spreadBytes: number
}

export interface Platform {
  id: string
  title: string
  accelerators: {vendor: string; architectures?: string[]}
  /** Engines that run there and are not modelled, as they stand in a sentence. */
  elsewhere?: string
  /** This engine's build; absent: it has none that is known. */
  build?: PlatformBuild
  /** Other engines that have a modelled build. */
  others: string[]
}

/** What most owners of some machines use instead; `engines/usual`. */
export interface UsualEngine {
  gpus: string[]
  says: string
}

/** The platform of an accelerator; undefined for CUDA and ROCm, and where none is known. */
export const platformOf = ({platforms}: Pick<EngineData, 'platforms'>, {vendor, architecture}: Accelerator): Platform | undefined =>
  platforms.find(
    ({accelerators}) =>
      accelerators.vendor === vendor &&
      (accelerators.architectures === undefined || (architecture !== undefined && accelerators.architectures.includes(architecture))),
  )

/** The build that is modelled for an accelerator, and not one of CUDA or ROCm. */
export function modelledBuild(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator): PlatformBuild | undefined {
  const build = platformOf(data, accelerator)?.build
  return build?.modelled ? build : undefined
}

/** Why an engine is not planned for on this accelerator; undefined: it is. Cards of other makers are never the way out. */
export function platformRefusal(accelerator: Accelerator, data: EngineData, engineVersion: string): Reason | undefined {
  const {title, vendors} = data
  const {vendor, name} = accelerator
  if (vendors.includes(vendor)) return undefined
  // The only maker that one engine builds for and another does not.
  if (vendor === 'amd')
    return {code: 'hardware-unsupported', message: `${title} has no build for AMD GPUs such as ${name}`, remedy: 'use --engine vllm or --engine sglang'}
  const platform = platformOf(data, accelerator)
  const build = platform?.build
  const [other] = platform?.others ?? []
  if (!platform || !build)
    return {
      code: 'hardware-unsupported',
      message: `${title} is not known to have a build for ${name}${platform ? `, one of ${platform.title}` : ''}`,
      remedy: other === undefined ? elsewhereInWords(platform) : `use --engine ${other}`,
    }
  if (!build.modelled)
    return {
      code: 'hardware-unsupported',
      message: `${title} runs on ${name} through ${build.name}. servefit does not model that build: the memory shown is counted by the rules for GPUs, and no speed is predicted`,
      remedy: other === undefined ? `see ${build.url}; ${elsewhereInWords(platform)}` : `use --engine ${other}, or see ${build.url}`,
    }
  if (build.since !== undefined && !isAtLeast(engineVersion, build.since))
    return {
      code: 'build-unsupported',
      message: `${title} ${engineVersion} on ${platform.title} is not modelled: servefit knows the rules of ${build.name} from ${build.since}`,
      remedy: `use --engine-version ${build.since} or later`,
    }
  return undefined
}

const elsewhereInWords = (platform: Platform | undefined): string =>
  platform?.elsewhere ? `what else runs there, and is not modelled either: ${platform.elsewhere}` : 'no engine that servefit models runs there'

/** What a modelled build does with a weight format; undefined where the tables of CUDA and ROCm are meant. */
export function platformFormat(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator, format: string): FormatAnswer | undefined {
  const build = modelledBuild(data, accelerator)
  if (!build?.formats) return undefined
  const family = formatFamily(format)
  if (build.formats.native.includes(family)) return {kind: 'native'}
  if (build.formats.stored.includes(family)) return {kind: 'stored'}
  return {kind: 'refused', because: `${build.name} is not known to load them; it loads ${[...build.formats.native, ...build.formats.stored].join(', ')}`}
}

/** The same of a cache format. */
export function platformCache(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator, format: string): FormatAnswer | undefined {
  const build = modelledBuild(data, accelerator)
  if (!build?.cacheFormats) return undefined
  return build.cacheFormats.includes(format)
    ? {kind: 'native'}
    : {kind: 'refused', because: `${build.name} is not known to have it; it keeps ${build.cacheFormats.join(', ')}`}
}

/** The same of a kind of attention. */
export function platformAttention(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator, kind: string): FormatAnswer | undefined {
  const build = modelledBuild(data, accelerator)
  if (!build) return undefined
  return build.without?.includes(kind) ? {kind: 'refused', because: `${build.name} does not have it`} : {kind: 'stored'}
}

/** Overheads on an accelerator in a release: those of its platform where it has a build of its own. */
export function platformOverheads(data: Pick<EngineData, 'platforms' | 'overheads'>, accelerator: Accelerator, version: string): OverheadParameters {
  const memory = modelledBuild(data, accelerator)?.memory
  if (!memory) return data.overheads
  const {bytes} = memory.runtime.findLast(({since}) => isAtLeast(version, since)) ?? memory.runtime[0]!
  return {
    ...data.overheads,
    runtimeBytes: {[accelerator.vendor]: bytes + (data.overheads.correctionBytes ?? 0)},
    groupBytes: memory.collectiveBytes,
    spreadBytes: memory.spreadBytes,
  }
}

/** An Arc A770 is refused in bfloat16, by its name (vLLM 0.16.0 to 0.33.0 vllm/platforms/xpu.py check_if_supports_dtype): it wants 16-bit floats asked for. */
export const wantsHalf = ({vendor, name}: Accelerator): boolean => vendor === 'intel' && name.toLowerCase().includes('a770')
