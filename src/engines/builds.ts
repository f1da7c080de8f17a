/** Whether an official build of a release starts on a card: `data/engines/builds.yaml`. */
import {oldestDriver} from '../core/cuda-drivers.ts'
import type {Accelerator, MachineGpu} from '../core/accelerator.ts'
import type {EngineId} from '../core/deployment.ts'
import type {Reason, Warning} from '../core/terms.ts'
import {capabilitiesInWords, type CapabilityRange, within} from './capabilities.ts'
import {inRange} from './release-range.ts'
import {compareVersions} from './versions.ts'

/** What an official build of some releases carries kernels for, and the CUDA or ROCm that it is made for. */
export interface BuildRule {
  since?: string
  until?: string
  /** A build beside the default one, by the ending of its tag or wheel: `cu130`. */
  variant?: string
  cuda?: string
  rocm?: string
  /** Of NVIDIA GPUs. Absent: the rule says nothing about them. */
  capability?: CapabilityRange[]
  /** Of AMD GPUs, whole targets. Absent: likewise. */
  gfx?: string[]
  /** In the image, and not in the wheel. */
  notInWheel?: CapabilityRange[]
  source: string
}

export type BuildTable = Record<EngineId, BuildRule[]>

/** How a card is named in these rules: its capability, or its gfx target. Undefined: not known. */
const ownOf = ({vendor, computeCapability, gfxTarget}: Accelerator): number | string | undefined =>
  vendor === 'nvidia' ? computeCapability : vendor === 'amd' ? gfxTarget : undefined

const rulesFor = (rules: readonly BuildRule[] | undefined, {vendor}: Accelerator): BuildRule[] =>
  (rules ?? []).filter((rule) => (vendor === 'nvidia' ? rule.capability : rule.gfx) !== undefined)

const carries = ({capability = [], gfx = []}: BuildRule, own: number | string): boolean =>
  typeof own === 'number' ? within(capability, own) : gfx.includes(own)

/** What an official build of a release is for a card. */
export type BuildAnswer =
  /** The default build starts; `imageOnly`: its image does, its wheel lacks the kernels. */
  | {kind: 'there'; imageOnly?: boolean}
  | {kind: 'unknown'}
  /** Only another build of the release does. */
  | {kind: 'variant'; variant: string; builtFor: string; card: string}
  /** None does: for what they are made, what the card is, and which releases have one. */
  | {kind: 'missing'; builtFor: string; card: string; firstWith?: string; newestWith?: string}

/** @param versions releases that are known, in order. */
export function buildAnswer(rules: readonly BuildRule[] | undefined, accelerator: Accelerator, version: string, versions: readonly string[]): BuildAnswer {
  const own = ownOf(accelerator)
  if (own === undefined) return {kind: 'unknown'}
  const ofMaker = rulesFor(rules, accelerator)
  const now = ofMaker.filter((rule) => inRange(rule, version))
  if (now.length === 0) return {kind: 'unknown'}
  const having = now.filter((rule) => carries(rule, own))
  const whole = having.find(({variant}) => variant === undefined)
  if (whole) return {kind: 'there', ...(typeof own === 'number' && within(whole.notInWheel ?? [], own) && {imageOnly: true})}
  const told = now.find(({variant}) => variant === undefined) ?? now[0]!
  const builtFor = typeof own === 'number' ? `compute capability ${capabilitiesInWords(told.capability!)}` : told.gfx!.join(', ')
  const card = typeof own === 'number' ? own.toFixed(1) : own
  if (having[0]) return {kind: 'variant', variant: having[0].variant!, builtFor, card}
  const others = versions.filter((release) => ofMaker.some((rule) => inRange(rule, release) && carries(rule, own)))
  const later = others.filter((release) => compareVersions(release, version) > 0)
  return {
    kind: 'missing',
    builtFor,
    card,
    ...(later[0] !== undefined && later.length === others.length && {firstWith: later[0]}),
    ...(others.length > 0 && {newestWith: others.at(-1)!}),
  }
}

export interface BuildQuestion {
  id: string
  title: string
  version: string
  /** Releases that are known, in order. */
  versions: readonly string[]
  builds: BuildTable
}

/** No official build of this release has kernels for the card, whatever the model; undefined: one has, or it is not known. */
export function buildReason({id, title, version, versions, builds}: BuildQuestion, accelerator: Accelerator): Reason | undefined {
  const answer = buildAnswer(builds[id], accelerator, version, versions)
  if (answer.kind !== 'missing') return undefined
  const {builtFor, card, firstWith, newestWith} = answer
  const {vendor, name, architecture} = accelerator
  return {
    code: 'build-unsupported',
    message: `official builds of ${title} ${version} are for ${builtFor}: ${name} is ${card}${vendor === 'nvidia' && architecture ? ` (${architecture})` : ''}`,
    remedy: firstWith
      ? `use --engine-version ${firstWith} or later`
      : newestWith
        ? `use --engine-version ${newestWith}, the newest release that is built for ${card}`
        : `no release of ${title} that servefit knows is built for ${card}: you need a fork or a build of your own`,
  }
}

/** Which of the builds of a release this GPU takes, where the default one does not do: its card needs another, or its driver does. */
export function buildWarnings(question: BuildQuestion, gpu: OwnGpu): Warning[] {
  const {id, title, version, versions, builds} = question
  const {name} = gpu.accelerator
  const answer = buildAnswer(builds[id], gpu.accelerator, version, versions)
  const driver = driverAnswer(question, gpu)
  const because =
    answer.kind === 'variant'
      ? `the default build of ${title} ${version} is for ${answer.builtFor}, and ${name} is ${answer.card}: take its ${answer.variant} image or wheel`
      : driver.kind === 'variant'
        ? `driver ${gpu.driver} is too old for CUDA ${driver.cuda}, which the default build of ${title} ${version} is made for: take its ${driver.variant} image or wheel, or update the driver to ${driver.needed} or later`
        : answer.kind === 'there' && answer.imageOnly
          ? `the wheel of ${title} ${version} was published without kernels for ${name}: take the image`
          : undefined
  return because === undefined ? [] : [{code: 'build-variant-needed', message: because}]
}

/** Ending of the tag of the image that this GPU takes, where it is not the default one: `cu130`. */
export function variantFor(question: BuildQuestion, gpu: OwnGpu): string | undefined {
  const answer = buildAnswer(question.builds[question.id], gpu.accelerator, question.version, question.versions)
  if (answer.kind === 'variant') return answer.variant
  const driver = driverAnswer(question, gpu)
  return driver.kind === 'variant' ? driver.variant : undefined
}

/** First number of a driver's version; undefined where it is none (`[N/A]`). */
const driverNumber = (driver: string | undefined): number | undefined => {
  const number = Number(/^\d+/.exec(driver ?? '')?.[0])
  return number > 0 ? number : undefined
}

/** Boards with drivers and images of their own. */
const isBoard = ({name}: Accelerator): boolean => /\bJetson\b|\bOrin\b|\bThor\b/i.test(name)

type OwnGpu = Pick<MachineGpu, 'accelerator' | 'driver'>

type DriverAnswer =
  /** It runs the default build, or that is not known. */
  {kind: 'runs'} | {kind: 'variant'; variant: string; cuda: string; needed: number} | {kind: 'too-old'; cuda: string; needed: number; newestWith?: string}

/** Whether the driver of this machine runs an official build of the release. Nothing is said where the driver or the CUDA release is not known. */
function driverAnswer({id, version, versions, builds}: BuildQuestion, {accelerator, driver}: OwnGpu): DriverAnswer {
  const own = ownOf(accelerator)
  const number = driverNumber(driver)
  if (accelerator.vendor !== 'nvidia' || typeof own !== 'number' || number === undefined || isBoard(accelerator)) return {kind: 'runs'}
  const ofCard = rulesFor(builds[id], accelerator).filter((rule) => carries(rule, own))
  const runs = ({cuda}: BuildRule) => cuda !== undefined && (oldestDriver(cuda) ?? 0) <= number
  const now = ofCard.filter((rule) => inRange(rule, version))
  const first = now[0]
  const needed = first?.cuda === undefined ? undefined : oldestDriver(first.cuda)
  if (first?.cuda === undefined || needed === undefined || runs(first)) return {kind: 'runs'}
  const variant = now.find(runs)?.variant
  if (variant !== undefined) return {kind: 'variant', variant, cuda: first.cuda, needed}
  const newestWith = versions.filter((release) => compareVersions(release, version) < 0 && ofCard.some((rule) => inRange(rule, release) && runs(rule))).at(-1)
  return {kind: 'too-old', cuda: first.cuda, needed, ...(newestWith !== undefined && {newestWith})}
}

/** The driver of this machine runs no official build of the release. */
export function driverReason(question: BuildQuestion, gpu: OwnGpu): Reason | undefined {
  const answer = driverAnswer(question, gpu)
  if (answer.kind !== 'too-old') return undefined
  const {cuda, needed, newestWith} = answer
  return {
    code: 'driver-too-old',
    message: `official builds of ${question.title} ${question.version} are made for CUDA ${cuda}, which needs driver ${needed} or later: this machine has ${gpu.driver}`,
    remedy: `update the driver to ${needed} or later${newestWith ? `, or use --engine-version ${newestWith}` : ''}`,
  }
}
