/** What an engine refuses or falls back to, told before anything is downloaded. */
import type {Accelerator} from '../core/accelerator.ts'
import type {Deployment} from '../core/deployment.ts'
import {weightFormat} from '../core/formats.ts'
import type {Reason, Warning} from '../core/terms.ts'
import type {ShardLayout} from '../core/weights.ts'
import {layoutReasons} from './divisibility.ts'
import type {EngineData, Subject, Support} from './engine.ts'
import {loraSupport} from './lora.ts'
import {poolingReasons} from './pooling.ts'
import {speculationReasons, uncountedLayers} from './speculation/choice.ts'
import {architectureAnswer, attentionAnswer, cacheAnswer, formatAnswer, missingBuild} from './support-formats.ts'
import {optionReasons} from './options.ts'
import {resolveVersion} from './versions.ts'

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

const capability = ({computeCapability, gfxTarget}: Accelerator): string =>
  computeCapability ? `compute capability ${computeCapability.toFixed(1)}` : (gfxTarget ?? 'this GPU')

function hardwareReason(id: string, {vendor, name}: Accelerator, {title, vendors}: EngineData): Reason | undefined {
  if (vendors.includes(vendor)) return undefined
  return {
    code: 'hardware-unsupported',
    message: `${title} has no build for ${name} in what servefit knows: it knows ${vendors.join(' and ')} builds`,
    remedy: id === 'trtllm' && vendor === 'amd' ? 'use --engine vllm or --engine sglang' : 'ask about an NVIDIA or AMD GPU with --gpu',
  }
}

/** No official build of this release runs on the card, whatever the model; undefined: one does, or it is not known. */
export function buildRefusal(id: string, accelerator: Accelerator, data: EngineData, engineVersion: string = data.newestVersion): Reason | undefined {
  const hardware = hardwareReason(id, accelerator, data)
  if (hardware) return hardware
  const missing = missingBuild(data.support.builds[id], accelerator, engineVersion, data.newestVersion)
  if (!missing) return undefined
  const {builtFor, card, newestWith} = missing
  const {vendor, name, architecture} = accelerator
  return {
    code: 'build-unsupported',
    message: `official builds of ${data.title} ${engineVersion} are for ${builtFor}: ${name} is ${card}${vendor === 'nvidia' && architecture ? ` (${architecture})` : ''}`,
    remedy: newestWith
      ? `use --engine-version ${newestWith}, the newest release that is built for ${card}`
      : `no release of ${data.title} that servefit knows is built for ${card}: it takes a fork or a build of your own`,
  }
}

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
            message: `${title} ${deployment.engineVersion} does not have ${className}: it came with ${answer.since}`,
            remedy: `use --engine-version ${answer.since} or later`,
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
          {code: 'architecture-unlisted', message: `${className} is in no engine's list that servefit knows: whether ${title} loads it is not told here`},
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
  for (const format of formatsOf(subject)) {
    const answer = formatAnswer(data.support, id, supportName(format, subject), accelerator, deployment.engineVersion)
    const {title: formatTitle, weightOnly, computeType} = weightFormat(format)
    if (answer.kind === 'refused')
      support.reasons.push({
        code: 'quantization-unsupported',
        message: `${title} does not run ${formatTitle} weights here: ${answer.because}`,
        remedy: 'choose another checkpoint: servefit models show lists them',
      })
    else if (answer.kind === 'stored' && !weightOnly && computeType !== 'bf16')
      support.warnings.push({
        code: 'weight-only-fallback',
        message: `${accelerator.name} (${capability(accelerator)}) does not compute in ${formatTitle}: weights are stored so and converted to 16 bits before use`,
      })
    if (answer.plugin) support.warnings.push({code: 'plugin-needed', message: `${formatTitle} weights need the package ${answer.plugin}`})
  }
  return support
}

/** What ModelSlim packs is read by vllm-ascend alone (recipes of vLLM 0.33.0: "Requires --quantization ascend"). */
const ASCEND = 'ascend'

/** Integer formats are told apart by who packed them: compressed-tensors has rules of its own. */
function supportName(format: string, {checkpoint}: Subject): string {
  if (checkpoint.quantMethod === 'compressed-tensors' && format.startsWith('int4')) return 'compressed-int4'
  if (checkpoint.quantMethod === 'gptq' && format.startsWith('int4')) return 'gptq-int4'
  if (checkpoint.quantMethod === 'awq' && format.startsWith('int4')) return 'awq-int4'
  return format
}

function cacheSupport({id, title, subject, deployment, data}: SupportQuestion): Reason[] {
  const answer = cacheAnswer(data.support, id, deployment.kvCache, subject.gpu.accelerator, deployment.engineVersion)
  return answer.kind === 'refused'
    ? [
        {
          code: 'kv-cache-unsupported',
          message: `${title} does not keep the cache as ${deployment.kvCache} here: ${answer.because}`,
          remedy: 'use --kv-cache auto',
        },
      ]
    : []
}

function attentionReasons({id, title, subject, deployment, data}: SupportQuestion): Reason[] {
  const isSparse = subject.model.architecture.layerKinds.some(({mixers}) => mixers.some((mixer) => mixer.kind === 'mla' && mixer.indexer))
  const answer = isSparse ? attentionAnswer(data.support, id, 'sparse-mla', subject.gpu.accelerator, deployment.engineVersion) : undefined
  return answer?.kind === 'refused'
    ? [{code: 'attention-unsupported', message: `${title} ${deployment.engineVersion} has no kernel for sparse attention here: ${answer.because}`}]
    : []
}

function versionWarnings({deployment, data}: SupportQuestion): Warning[] {
  const {remark} = resolveVersion(deployment.engineVersion, data.newestVersion)
  return remark ? [{code: 'engine-version-unknown', message: remark}] : []
}

/** Architecture, formats and layout against one engine, version and GPU. */
export function supportOf(question: SupportQuestion): Support {
  const {id, data, subject, deployment, layout, ownReasons = []} = question
  const refusal = buildRefusal(id, subject.gpu.accelerator, data, deployment.engineVersion)
  if (refusal) return {reasons: [refusal], warnings: []}
  const common = layoutReasons(subject.model.architecture, subject.checkpoint, layout, deployment.pp)
  const architecture = architectureReasons(question)
  const weights = weightSupport(question)
  const lora = loraSupport(question.id, question.title, subject.model.architecture, deployment, question.data.support.lora)
  return {
    reasons: [
      ...architecture.reasons,
      ...weights.reasons,
      ...cacheSupport(question),
      ...attentionReasons(question),
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
      ...architecture.warnings,
      ...weights.warnings,
      ...lora.warnings,
      ...uncountedLayers(subject.model, deployment.speculative),
    ],
  }
}
