/** What an engine refuses or falls back to, told before anything is downloaded. */
import type {Accelerator, MachineGpu} from '../core/accelerator.ts'
import type {Deployment} from '../core/deployment.ts'
import {weightFormat} from '../core/formats.ts'
import type {Reason, Warning} from '../core/terms.ts'
import type {ShardLayout} from '../core/weights.ts'
import {layoutReasons} from './divisibility.ts'
import type {EngineData, Subject, Support} from './engine.ts'
import {loraSupport} from './lora.ts'
import {modelledBuild, platformAttention, platformCache, platformFormat, platformRefusal, platformWarnings} from './platforms.ts'
import {poolingReasons} from './pooling.ts'
import {speculationReasons, uncountedLayers} from './speculation/choice.ts'
import {attentionReason} from './attention.ts'
import {type BuildQuestion, buildReason, buildWarnings, driverReason, variantFor} from './builds.ts'
import {architectureAnswer, cacheAnswer, type FormatAnswer, formatAnswer, packerOf} from './support-formats.ts'
import {optionReasons} from './options.ts'
import {withRemedy} from './remedies.ts'
import {compareVersions, isAtLeast, isUnlisted, resolveVersion} from './versions.ts'

export interface SupportQuestion {
  id: string
  title: string
  subject: Subject
  deployment: Deployment
  layout: ShardLayout
  /** Refusals of the layout by rules of this engine alone. */
  ownReasons?: Reason[]
  data: EngineData
}

/** The name with what tells its kernels apart, where there is such a thing. */
function named({name, computeCapability, gfxTarget}: Accelerator): string {
  const kind = computeCapability ? `compute capability ${computeCapability.toFixed(1)}` : gfxTarget
  return kind === undefined ? name : `${name} (${kind})`
}

const buildQuestion = (id: string, {title, versions, support: {builds}}: EngineData, version: string): BuildQuestion => ({
  id,
  title,
  version,
  versions,
  builds,
})

/** No official build of this release runs on the card, whatever the model; undefined: one does, or it is not known. */
export const buildRefusal = (id: string, accelerator: Accelerator, data: EngineData, engineVersion: string = data.newestVersion): Reason | undefined =>
  platformRefusal(accelerator, data, engineVersion) ?? buildReason(buildQuestion(id, data, engineVersion), accelerator)

/** The driver of this machine runs no official build of the release; undefined: it runs one, or that is not known. */
export const driverRefusal = (id: string, gpu: MachineGpu, data: EngineData, engineVersion: string = data.newestVersion): Reason | undefined =>
  driverReason(buildQuestion(id, data, engineVersion), gpu)

/** Ending of the tag of the image that a GPU takes, where it is not the release's default: `cu130`. */
export const imageVariant = (id: string, gpu: MachineGpu, data: EngineData, engineVersion: string): string | undefined =>
  variantFor(buildQuestion(id, data, engineVersion), gpu)

/** Whether a release from this one on is built for the card. */
const isBuiltFrom = (since: string, {id, subject, data}: Pick<SupportQuestion, 'id' | 'subject' | 'data'>): boolean =>
  [since, ...data.versions].some((version) => isAtLeast(version, since) && !buildRefusal(id, subject.gpu.accelerator, data, version))

function architectureReasons({id, title, subject, deployment, data}: SupportQuestion): Support {
  const {className} = subject.model.architecture
  const none: Support = {reasons: [], warnings: []}
  if (className === undefined) return none
  const answer = architectureAnswer(data.support, id, className, deployment.engineVersion)
  switch (answer.kind) {
    case 'supported':
      return none
    case 'too-old':
      return {
        ...none,
        reasons: [
          {
            code: 'engine-too-old',
            message: `${title} ${deployment.engineVersion} does not support ${className}: it came with ${answer.since}`,
            remedy: isBuiltFrom(answer.since, {id, subject, data})
              ? `use --engine-version ${answer.since} or later`
              : `no release of ${title} that has it is built for ${subject.gpu.accelerator.name}: you need a fork or a build of your own`,
          },
        ],
      }
    case 'gone':
      return {
        ...none,
        reasons: [
          {code: 'architecture-unsupported', message: `${title} dropped ${className} after ${answer.until}`, remedy: `use --engine-version ${answer.until}`},
        ],
      }
    case 'plugin':
      return {...none, warnings: [{code: 'plugin-needed', message: `${className} needs a plug-in of ${title}: ${answer.plugin}`}]}
    case 'unsupported':
      return {
        ...none,
        reasons: [{code: 'architecture-unsupported', message: `${title} does not implement ${className}`, remedy: otherEngines(data, className, id)}],
      }
    case 'unknown':
      return {
        ...none,
        warnings: [
          {
            code: 'architecture-unlisted',
            message: `${className} is in no list of supported architectures that servefit knows: it cannot tell whether ${title} loads it`,
          },
        ],
      }
  }
}

function otherEngines(data: EngineData, className: string, own: string): string {
  const rules = data.support.architectures[className] ?? {}
  const others = Object.keys(rules).filter((engine) => engine !== own && engine !== 'sameAs')
  return others.length > 0 ? `use --engine ${others[0]}` : 'no engine that servefit knows implements it'
}

/** Formats that a checkpoint's matrices are in, least first in the recipe's order. */
const formatsOf = ({checkpoint}: Subject): string[] => [
  ...new Set([...Object.values(checkpoint.formats), ...(checkpoint.exceptions ?? []).map(({format}) => format)]),
]

function weightSupport({id, title, subject, deployment, data}: SupportQuestion): Support {
  const support: Support = {reasons: [], warnings: []}
  const {accelerator} = subject.gpu
  if (subject.checkpoint.quantMethod === ASCEND && accelerator.vendor !== 'huawei')
    support.reasons.push({
      code: 'quantization-unsupported',
      message: `${subject.checkpoint.hfId} is packed by ModelSlim for Ascend NPUs (--quantization ascend of the plug-in vllm-ascend): ${title} does not load it on ${accelerator.name}`,
      remedy: 'choose another checkpoint: servefit models show lists them',
    })
  const plugins = new Map<string, string[]>()
  const formats = formatsOf(subject)
  const packer = packerOf(subject.checkpoint.quantMethod, formats)
  for (const format of formats) {
    const name = supportName(format, subject)
    const answer =
      platformFormat(data, accelerator, name, deployment.engineVersion) ?? formatAnswer(data.support, id, name, accelerator, deployment.engineVersion, packer)
    const {title: formatTitle, weightOnly, computeType} = weightFormat(format)
    if (answer.kind === 'refused')
      support.reasons.push({
        code: 'quantization-unsupported',
        message: `${title} ${deployment.engineVersion} does not run weights in ${formatTitle} here: ${answer.because}`,
        remedy: `${elsewhere(answer)}choose another checkpoint: servefit models show lists them`,
      })
    else if (answer.widenedTo !== undefined)
      support.warnings.push({
        code: 'weights-widened',
        message: `${named(accelerator)} has no kernel for ${formatTitle}: ${title} ${deployment.engineVersion} turns these weights into ${weightFormat(answer.widenedTo).title} as it loads them, and they take the room of that`,
      })
    else if (answer.kind === 'stored' && !weightOnly && computeType !== 'bf16')
      support.warnings.push({
        code: 'weight-only-fallback',
        message: `${named(accelerator)} does not compute in ${formatTitle}: weights stay in this format in memory and are converted to 16 bits before use`,
      })
    if (answer.plugin) plugins.set(answer.plugin, [...(plugins.get(answer.plugin) ?? []), formatTitle])
  }
  for (const [plugin, titles] of plugins) support.warnings.push({code: 'plugin-needed', message: `${titles.join(' and ')} weights need the package ${plugin}`})
  return support
}

/** What ModelSlim packs is read by vllm-ascend alone (recipes of vLLM 0.33.0: "Requires --quantization ascend"). */
const ASCEND = 'ascend'

/** A release that takes it on this card, before what else can be done. */
const elsewhere = ({elsewhere: other}: FormatAnswer): string => (other ? `use --engine-version ${other.version}${other.later ? ' or later' : ''}, or ` : '')

/** Integer formats are told apart by who packed them: compressed-tensors has rules of its own. */
function supportName(format: string, {checkpoint}: Subject): string {
  if (checkpoint.quantMethod === 'compressed-tensors' && /^(?:awq-)?int4/.test(format)) return 'compressed-int4'
  if (checkpoint.quantMethod === 'gptq' && format.startsWith('int4')) return 'gptq-int4'
  if (checkpoint.quantMethod === 'awq' && format.startsWith('int4')) return 'awq-int4'
  return format
}

/** The format of the cache in general, then the kernels that the layers of this model need for it. */
function cacheSupport({id, title, subject, deployment, data}: SupportQuestion): Reason[] {
  const {accelerator} = subject.gpu
  const {engineVersion: version, kvCache: cache} = deployment
  const answer = platformCache(data, accelerator, cache, version) ?? cacheAnswer(data.support, id, cache, accelerator, version)
  if (answer.kind === 'refused')
    return [
      {
        code: 'kv-cache-unsupported',
        message: `${title} ${version} does not keep the cache as ${cache} here: ${answer.because}`,
        remedy: `${elsewhere(answer)}use --kv-cache auto`,
      },
    ]
  if (modelledBuild(data, accelerator)) return []
  const {architecture} = subject.model
  const reason = attentionReason({title, version, versions: data.versions, rules: data.support.attention[id], architecture, accelerator, cache})
  return reason ? [reason] : []
}

function versionWarnings({title, deployment, data}: SupportQuestion): Warning[] {
  const {version, remark} = resolveVersion(deployment.engineVersion, data.newestVersion)
  if (remark) return [{code: 'engine-version-unknown', message: remark}]
  if (isUnlisted(version, data.versions))
    return [{code: 'engine-version-unknown', message: `no release ${version} of ${title} is known: the rules of the release before it are used`}]
  const {rulesRead} = data
  return rulesRead && compareVersions(version, rulesRead.until) > 0
    ? [{code: 'engine-rules-assumed', message: `the rules of ${title} ${version} are assumed to be those of ${rulesRead.until}: ${rulesRead.because}`}]
    : []
}

/**
 * A release that is built for the card helps only where it runs the model too: of those the first after the asked one, else the newest before it; where
 * none does, what the newest lacks. Looked for when it is read.
 */
function builtAndRunning({remedy: known, ...reason}: Reason, question: SupportQuestion): Reason {
  const {id, title, data, subject, deployment} = question
  const reasonsIn = (engineVersion: string, checkpoint = subject.checkpoint): Reason[] =>
    supportOf({...question, subject: {...subject, checkpoint}, deployment: {...deployment, engineVersion}}).reasons
  const ofOtherWeights = (version: string): boolean => subject.model.checkpoints.some((checkpoint) => reasonsIn(version, checkpoint).length === 0)
  return withRemedy(reason, () => {
    const built = data.versions.filter((version) => !buildRefusal(id, subject.gpu.accelerator, data, version))
    const newest = built.at(-1)
    if (newest === undefined) return known
    const running = built.filter((version) => reasonsIn(version).length === 0)
    const later = running.find((version) => compareVersions(version, deployment.engineVersion) > 0)
    if (later !== undefined) return `use --engine-version ${later}${running.at(-1) === data.versions.at(-1) ? ' or later' : ''}`
    const before = running.at(-1)
    if (before === newest) return known
    const other = before === undefined && built.findLast(ofOtherWeights)
    if (other) return `use --engine-version ${other} with other weights`
    return before === undefined
      ? `${title} ${newest} is the newest that is built for this card, and it does not run this model there (${reasonsIn(newest)[0]!.message}): you need a fork or a build of your own`
      : `use --engine-version ${before}, the newest release that is built for this card and runs this model`
  })
}

/** Architecture, formats and layout against one engine, version and GPU. */
export function supportOf(question: SupportQuestion): Support {
  const {id, data, subject, deployment, layout, ownReasons = []} = question
  const refusal = buildRefusal(id, subject.gpu.accelerator, data, deployment.engineVersion)
  if (refusal) return {reasons: [refusal.code === 'build-unsupported' ? builtAndRunning(refusal, question) : refusal], warnings: []}
  const build = buildQuestion(id, data, deployment.engineVersion)
  const driver = driverReason(build, subject.gpu)
  if (driver) return {reasons: [driver], warnings: []}
  const common = layoutReasons(subject.model.architecture, subject.checkpoint, layout, deployment.pp)
  const architecture = architectureReasons(question)
  const weights = weightSupport(question)
  const lora = loraSupport(question.id, question.title, subject.model.architecture, deployment, question.data.support.lora)
  return {
    reasons: [
      ...architecture.reasons,
      ...weights.reasons,
      ...cacheSupport(question),
      ...platformAttention(question),
      ...speculationReasons({
        table: question.data.support.speculation,
        engine: {id: question.id, title: question.title, version: deployment.engineVersion},
        model: subject.model,
        checkpoint: subject.checkpoint,
        speculative: deployment.speculative,
      }),
      ...lora.reasons,
      ...poolingReasons(question.id, question.title, subject.model),
      ...optionReasons(question.id, question.title, deployment),
      ...ownReasons,
      ...common.filter(({code}) => !ownReasons.some((own) => own.code === code)),
    ],
    warnings: [
      ...versionWarnings(question),
      ...buildWarnings(build, subject.gpu),
      ...platformWarnings(subject.gpu.accelerator, data),
      ...architecture.warnings,
      ...weights.warnings,
      ...lora.warnings,
      ...uncountedLayers(subject.model, deployment.speculative),
    ],
  }
}
