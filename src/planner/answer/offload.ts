/** Weights that were asked to stay in the host's memory: whether the engine keeps them there, over which link they come, and what they take of the host. */
import type {Accelerator, Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import {hostReadRate, type Offload, OFFLOAD_SPREAD} from '../../core/throughput/offload.ts'
import {bytesInWords} from '../../core/words.ts'
import type {Subject} from '../../engines/engine.ts'
import {pinnedShare} from '../../engines/offload.ts'
import {tightestGpu} from '../world/index.ts'
import type {Standing} from './evaluation.ts'

type Offloading = Pick<Standing, 'engine' | 'deployment' | 'memory'> & {subject: Subject}

/** Of cards whose link nobody knows: PCIe 4.0 x16, as most of those that are sold have it or twice as much. */
const ASSUMED_LINK_BYTES_PER_SECOND = 31.5e9
/** Grace boards of the first two generations (data/gpus gh200, gb200); taken for those whose rate is not published. */
const ASSUMED_C2C_BYTES_PER_SECOND = 450e9

interface HostLink {
  bytesPerSecond: number
  words: string
}

const rate = (bytesPerSecond: number): string => `${Number((bytesPerSecond / 1e9).toPrecision(3))} GB/s`

function hostLinkOf({hostLinkBytesPerSecond: known}: Machine, {hostLink, pcie, name}: Accelerator): HostLink {
  if (known !== undefined) return {bytesPerSecond: known, words: `${hostLink ? 'NVLink-C2C' : 'PCIe'} at ${rate(known)}`}
  if (hostLink) {
    const {bytesPerSecondPerDirection: own} = hostLink
    return own === undefined
      ? {bytesPerSecond: ASSUMED_C2C_BYTES_PER_SECOND, words: `NVLink-C2C, assumed to be as fast as that of GB200, ${rate(ASSUMED_C2C_BYTES_PER_SECOND)}`}
      : {bytesPerSecond: own, words: `NVLink-C2C at ${rate(own)}`}
  }
  if (pcie)
    return {
      bytesPerSecond: pcie.bytesPerSecondPerDirection,
      words: `${name}'s own PCIe at ${rate(pcie.bytesPerSecondPerDirection)}, assumed to have all its lanes`,
    }
  return {bytesPerSecond: ASSUMED_LINK_BYTES_PER_SECOND, words: `PCIe 4.0 x16 at ${rate(ASSUMED_LINK_BYTES_PER_SECOND)}, assumed`}
}

const ranksOnNode = ({engine, deployment, subject}: Offloading): number => Math.min(engine.gpuCount(deployment), subject.machine.gpus.length)

const offloadedBytes = ({memory}: Offloading): number => -(memory.terms.find(({name}) => name === 'weights: offloaded to host memory')?.bytes ?? 0)

/** The speed model's view; undefined where all weights are on the cards. */
export function offloadOf(question: Offloading): Offload | undefined {
  const {engine, deployment, subject} = question
  const {machine} = subject
  const bytes = offloadedBytes(question)
  const use = bytes > 0 ? engine.offload?.(subject, deployment) : undefined
  if (!use?.reading) return undefined
  const {accelerator} = tightestGpu(machine)
  const rated = {linkBytesPerSecond: hostLinkOf(machine, accelerator).bytesPerSecond, memoryBytesPerSecond: machine.hostMemoryBandwidthBytesPerSecond}
  return {
    bytes,
    reading: use.reading,
    ...(use.of && {of: use.of}),
    ...hostReadRate(rated, ranksOnNode(question)),
    stages: Math.max(1, deployment.pp),
    spread: OFFLOAD_SPREAD,
  }
}

/** Host memory that one node's workers pin for it. */
export function pinnedBytes(question: Offloading): number {
  const {engine, deployment, subject} = question
  if (offloadedBytes(question) === 0) return 0
  return offloadedBytes(question) * ranksOnNode(question) * pinnedShare(subject, engine.shardLayout(deployment), engine.cacheLayout(subject, deployment))
}

/** Refusals: the engine has no such option, or the host has less memory than that. */
export function offloadReasons(question: Offloading, {cpuOffloadBytes: asked = 0}: DeploymentRequest): Reason[] {
  const {engine, subject} = question
  if (!engine.offload && asked <= 0) return []
  if (!engine.offload)
    return [
      {
        code: 'offload-unavailable',
        message: `${engine.title} has no option that keeps weights in host memory: it can offload only the cache`,
        remedy: 'use --engine vllm or --engine sglang, or leave out --cpu-offload-bytes',
      },
    ]
  const pinned = pinnedBytes(question)
  const there = subject.machine.hostMemoryBytes
  if (there === undefined || pinned <= there) return []
  return [
    {
      code: 'host-memory-too-small',
      message: `${bytesInWords(offloadedBytes(question))} of offloaded weights for each GPU pin ${bytesInWords(pinned)} of host memory (PyTorch pins in powers of two), but the host has only ${bytesInWords(there)}`,
      remedy: 'offload less, or use a smaller checkpoint',
    },
  ]
}

/** What was asked and comes to nothing, or what it costs and how that is known. */
export function offloadWarnings(question: Offloading, {cpuOffloadBytes: asked = 0}: DeploymentRequest): Warning[] {
  const {engine, deployment, subject} = question
  const {machine, model} = subject
  const use = engine.offload?.(subject, deployment)
  if (!use || (asked <= 0 && !use.layers)) return []
  if (use.ignored !== undefined) return [{code: 'offload-ignored', message: use.ignored}]
  const offload = offloadOf(question)
  if (!offload) return []
  const {accelerator} = tightestGpu(machine)
  const ranks = ranksOnNode(question)
  const experts = model.architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')
  const words = [
    `${bytesInWords(offload.bytes)} of the weights of each GPU stay in host memory and cross the link to it in each step: ${hostLinkOf(machine, accelerator).words}, of which ${rate(offload.bytesPerSecond)} is counted on`,
    ...(experts ? [EXPERTS[offload.reading]] : []),
    ...(experts && use.reading === 'in-place' && !use.of
      ? ['with --cpu-offload-params experts nothing else would move, and steps of few tokens would be faster']
      : []),
    ...(ranks > 1 && machine.hostMemoryBandwidthBytesPerSecond === undefined ? [`the host's memory is assumed to serve ${ranks} GPUs at once`] : []),
    `it pins about ${bytesInWords(pinnedBytes(question))} of host memory`,
    'this rests on few measurements',
  ]
  return [
    {code: 'offload-over-link', message: words.join('; ')},
    ...(use.caution === undefined ? [] : [{code: 'offload-reported', message: use.caution}]),
    ...needless(question, offload),
  ]
}

const EXPERTS: Record<Offload['reading'], string> = {
  'in-place': 'of the experts in host memory, only those that a token chose are read',
  copied: 'all experts in host memory are copied, chosen or not; computing them on the host (ktransformers) is not modelled',
  ahead: 'all experts in host memory are copied, chosen or not',
}

/** Weights in host memory while the card has room for them: 19 times slower in vllm-project/vllm#57771. */
function needless({memory, deployment}: Offloading, {bytes}: Offload): Warning[] {
  const needed =
    memory.requestsOfTokens(deployment.maxModelLen) > 0 ? memory.kvCacheBytes / memory.requestsOfTokens(deployment.maxModelLen) : Number.POSITIVE_INFINITY
  return memory.kvCacheBytes - bytes >= needed
    ? [
        {
          code: 'offload-needless',
          message: 'the weights fit without offloading, with room for a request of the full context: leave the option out, it only costs speed here',
        },
      ]
    : []
}
