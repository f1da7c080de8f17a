/** Platforms beyond CUDA and ROCm: which build of an engine runs there, and what is known of it. Facts: data/engines/platforms.yaml. */
import type {Accelerator} from '../core/accelerator.ts'
import type {Reason, Warning} from '../core/terms.ts'
import type {Deployment} from '../core/deployment.ts'
import type {EngineData, Subject} from './engine.ts'
import type {Platform, PlatformBuild, PlatformFormat} from './platform-table.ts'
import type {OverheadParameters} from './overheads.ts'
import {type FormatAnswer, formatFamily} from './support-formats.ts'
import {compareVersions, isAtLeast} from './versions.ts'

/** The platform of an accelerator, the maker's first where its architecture is not known; undefined for CUDA and ROCm, and where none is known. */
export const platformOf = ({platforms}: Pick<EngineData, 'platforms'>, {vendor, architecture}: Accelerator): Platform | undefined =>
  platforms.find(
    ({accelerators}) =>
      accelerators.vendor === vendor &&
      (accelerators.architectures === undefined || architecture === undefined || accelerators.architectures.includes(architecture)),
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
      message: `${title} is not known to have a build for ${name}${platform ? ` (${platform.title})` : ''}`,
      remedy: other === undefined ? elsewhereInWords(platform) : `use --engine ${other}`,
    }
  if (!build.modelled)
    return {
      code: 'hardware-unsupported',
      message: `${title} runs on ${name} through ${build.name}. servefit does not model that build: memory is counted by the rules for GPUs, and no speed is predicted`,
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
  platform?.elsewhere
    ? `${platform.elsewhere} ${/,| and /.test(platform.elsewhere) ? 'run there too, but servefit does not model them' : 'runs there too, but servefit does not model it'}`
    : 'no engine that servefit models runs there'

function listed(build: PlatformBuild, formats: Record<string, PlatformFormat>, name: string, version: string): FormatAnswer {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (!format) return {kind: 'refused', because: `${build.name} is not known to support it; it supports ${Object.keys(formats).join(', ')}`}
  if (format.since !== undefined && !isAtLeast(version, format.since)) return {kind: 'refused', because: `${build.name} has it from ${format.since}`}
  return {kind: format.native ? 'native' : 'stored'}
}

/** What a modelled build does with a weight format in a release; undefined where the tables of CUDA and ROCm are meant. */
export function platformFormat(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator, format: string, version: string): FormatAnswer | undefined {
  const build = modelledBuild(data, accelerator)
  return build?.formats && listed(build, build.formats, formatFamily(format), version)
}

/** The same of a cache format. */
export function platformCache(data: Pick<EngineData, 'platforms'>, accelerator: Accelerator, format: string, version: string): FormatAnswer | undefined {
  const build = modelledBuild(data, accelerator)
  return build?.cacheFormats && listed(build, build.cacheFormats, format, version)
}

/** Latent attention that a modelled build has no kernels for in this release. */
export function platformAttention({title, subject, deployment, data}: {title: string; subject: Subject; deployment: Deployment; data: EngineData}): Reason[] {
  const latent = subject.model.architecture.layerKinds.flatMap(({mixers}) => mixers.filter((mixer) => mixer.kind === 'mla'))
  const build = latent.length > 0 ? modelledBuild(data, subject.gpu.accelerator) : undefined
  if (!build) return []
  const isSparse = latent.some(({indexer}) => indexer)
  const until = build.without?.[isSparse ? 'sparse-mla' : 'mla']
  if (until === undefined || (until !== 'any' && compareVersions(deployment.engineVersion, until) > 0)) return []
  return [
    {
      code: 'attention-unsupported',
      message: `${build.name} ${until === 'any' ? 'has' : `had until ${until}`} no kernel for ${isSparse ? 'sparse' : 'latent'} attention: ${title} ${deployment.engineVersion} does not start ${subject.model.name} here`,
      ...(until !== 'any' && {remedy: 'use a later --engine-version'}),
    },
  ]
}

/** What else is to be known of a modelled build: another maker's, and whether its own makers test it on this card. */
export function platformWarnings(accelerator: Accelerator, data: Pick<EngineData, 'platforms'>): Warning[] {
  const build = modelledBuild(data, accelerator)
  const list: Warning[] = []
  if (build?.also !== undefined) list.push({code: 'another-build', message: `this answer is for ${build.name}; ${build.also}`})
  if (build?.validated && !build.validated.gpus.includes(accelerator.id))
    list.push({
      code: 'hardware-not-validated',
      message: `${build.name} is validated on ${build.validated.says} only: it may or may not run on ${accelerator.name}`,
    })
  return list
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
