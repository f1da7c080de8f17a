import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Accelerator, Machine, MachineGpu} from '../../core/accelerator.ts'
import type {Deployment} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import type {Launch} from '../../engines/engine.ts'
import type {FlagTable} from '../../engines/flags.ts'
import {setField} from '../../engines/launch/fields.ts'
import {type EngineServing, imageFor} from '../../engines/launch/serving.ts'
import {passedOn, type Setting, withSettings} from '../../engines/launch/settings.ts'
import {type Answer, diskBytes, type Evaluation, subjectOf} from '../../planner/answer/index.ts'
import {imageVariant} from '../../engines/support.ts'
import {engineData, hasSlices} from '../../planner/world/index.ts'
import {cannot} from './format.ts'
import {withKey} from './key.ts'
import {labelOf, servedAs, type Startable} from './startable.ts'

export interface StartOptions {
  adapters?: readonly {name: string; path: string}[]
  isPublic?: boolean
  /** So many equal servers. */
  replicas?: number
  /** Replicas that share nothing are servers of their own rather than ranks of one, for what deals requests out to servers. */
  apart?: boolean
  /** A cluster finds GPUs for each of several servers; else they are those of this machine. */
  inCluster?: boolean
}

/** Replicas of which each could be started by itself: neither attention nor experts are dealt out over them. */
const sharesNothing = ({dp, ep, dpAttention}: Deployment): boolean => dp > 1 && ep <= 1 && !dpAttention

/** An answer as something to start, with options set by hand. @throws InputError for an option that is not there or illegal. */
export function startableOf(
  catalogue: Catalogue,
  answered: Pick<Answer, 'best' | 'machine' | 'left'>,
  settings: readonly Setting[] = [],
  {adapters = [], isPublic = false, replicas, apart = false, inCluster = false}: StartOptions = {},
): Startable {
  const {best, machine, left} = answered
  const {engine, deployment, checkpoint, model} = best
  const subject = subjectOf(best)
  const serving = catalogue.file<EngineServing>(`engines/${engine.id}`)
  const table = catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  // Each slice of a card is a server of its own, which is started once for each.
  const separate = !engine.startsReplicas && sharesNothing(deployment)
  const oneEach = hasSlices(machine) || separate || (apart && sharesNothing(deployment))
  const started = oneEach ? {...deployment, dp: 1} : deployment
  const plain = withSettings(
    withAdapters(engine.launch(subject, started), engine.id, adapters),
    [...passedOn(deployment.engineFlags), ...settings],
    table,
    deployment.engineVersion,
  )
  const launch = isPublic ? withKey(plain, engine) : plain
  const count = engine.gpuCount(started)
  const chosen = launch.nodes || hasSlices(machine) ? undefined : chosenDevices(best, count, machine.gpus.length)
  const argument = modelArgumentOf(launch, checkpoint.hfId)
  const slice = sliceOf(machine.gpus[0])
  const within = oneEach ? deployment.dp : 1
  const copies = replicas !== undefined || within > 1 ? (replicas ?? 1) * within : undefined
  const spread = copies !== undefined && copies > 1 && (separate || !oneEach) && !inCluster ? devicesOfCopies(machine, count, copies, within > 1) : undefined
  const shown = spread ?? chosen
  const identities = shown && identitiesOf(machine, shown)
  const nodeLabel = nodeLabelOf(catalogue, subject.gpu.accelerator)
  const variant = imageVariant(engine.id, subject.gpu, engineData({catalogue}, engine.id), deployment.engineVersion)
  return {
    engine: {id: engine.id, title: engine.title, version: deployment.engineVersion},
    launch,
    serving,
    modelName: model.name,
    model: argument,
    ...(checkpoint.path !== undefined && {modelPath: checkpoint.path}),
    ...(adapters.length > 0 && {adapters: [...adapters]}),
    servedName: servedNameOf(engine.id, launch, argument),
    ...(model.pooling && {task: model.pooling.task}),
    name: labelOf(model.id),
    vendor: subject.gpu.accelerator.vendor,
    ...imageFor(serving, subject.gpu.accelerator, deployment.engineVersion, variant),
    gpusPerNode: launch.nodes?.gpusPerNode ?? count,
    ...(shown && {devices: shown, devicesMatter: left.length > 0}),
    ...(identities && {identities}),
    ...(slice && {slice}),
    ...(separate && {separate}),
    ...(nodeLabel && {nodeLabel}),
    ...(machine.networkFabric !== undefined && {networkFabric: machine.networkFabric}),
    ...(copies !== undefined && {replicas: copies}),
    devicesAreGuessed: !machine.detected,
    port: portOf(launch, serving),
    ...(isPublic && {isPublic}),
    checkpointBytes: diskBytes(model, checkpoint),
    ...loadingOf(best),
    ...loadOf(best),
    workload: best.workload,
    isEngineFlag: (flag) => table.flags.find(({name, aliases}) => name === flag || aliases?.includes(flag))?.source !== 'b' || engine.id !== 'vllm',
  }
}

/** The first GPUs of the serving group where not all of the machine's serve. */
function chosenDevices({machine}: Evaluation, count: number, all: number): number[] | undefined {
  if (count >= all) return undefined
  return machine.gpus.slice(0, count).map(({index}) => index)
}

/** Cards of several copies, one after the other. `layout`: they are replicas of the layout, which nobody asked for by number. @throws InputError where the machine is known to have fewer. */
function devicesOfCopies({gpus, detected}: Machine, count: number, copies: number, layout: boolean): number[] {
  const needed = count * copies
  if (needed > gpus.length && layout)
    throw cannot(
      `${copies} replicas take ${needed} GPUs, and one machine has ${gpus.length}: --format kubernetes or leaderworkerset finds GPUs for each of them`,
    )
  // A machine that is named by the cards of one copy says nothing of the others.
  if (needed > gpus.length && (detected || gpus.length > count))
    throw new InputError(
      'REPLICAS_TOO_MANY',
      `--replicas ${copies}: each takes ${count} GPU${count === 1 ? '' : 's'}, and there are ${gpus.length}: expected at most ${Math.max(1, Math.floor(gpus.length / count))}`,
    )
  return Array.from({length: needed}, (_, place) => gpus[place]?.index ?? place)
}

/** Identities of these cards, where all of them are known. */
function identitiesOf({gpus}: Machine, devices: readonly number[]): string[] | undefined {
  const found = devices.map((device) => gpus.find(({index}) => index === device)?.uuid)
  return found.every((uuid) => uuid !== undefined) ? (found as string[]) : undefined
}

/** The slice that a server runs on: one that was found, or one of a kind that was named. */
function sliceOf(gpu: MachineGpu | undefined): Startable['slice'] {
  const profile = gpu?.accelerator.slice?.profile ?? gpu?.migProfile
  if (profile === undefined) return undefined
  const identity = gpu?.uuid?.startsWith('MIG-') ? gpu.uuid : undefined
  return {profile, ...(identity !== undefined && {identity}), variable: 'MIG_DEVICE'}
}

/** What a label's value may hold (Kubernetes, Labels and Selectors: syntax). */
const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/

/**
 * Labels by which nodes tell their cards: NVIDIA's feature discovery writes the driver's name with dashes (NVIDIA/k8s-device-plugin
 * docs/gpu-feature-discovery, Generated Labels: NVIDIA-A100-SXM4-40GB), AMD's labeller the PCI device (ROCm/k8s-device-plugin, gpu.device-id: 74a1).
 */
function nodeLabelOf(catalogue: Catalogue, accelerator: Accelerator): Startable['nodeLabel'] {
  const card = accelerator.slice ? (catalogue.gpu(accelerator.slice.of) ?? accelerator) : accelerator
  const {vendor, aliases, pciDeviceIds = []} = card
  const because = 'only nodes with the cards that this was planned for'
  const label = (key: string, names: readonly string[]) => {
    const values = [...new Set(names)].filter((value) => LABEL_VALUE.test(value))
    return values.length > 0 ? {key, values, because} : undefined
  }
  if (vendor === 'nvidia')
    return label(
      'nvidia.com/gpu.product',
      aliases.filter((name) => /^(?:NVIDIA|Tesla|Quadro|GeForce) /.test(name)).map((name) => name.replaceAll(' ', '-')),
    )
  if (vendor === 'amd')
    return label(
      'amd.com/gpu.device-id',
      pciDeviceIds.map((id) => id.replace(/^(?:1002:)?(?:0x)?/i, '').toLowerCase()),
    )
  return undefined
}

/** Weights of the fullest card, and the rate at which they reach it. */
function loadingOf({memory, machine}: Evaluation): Pick<Startable, 'loading'> {
  const {accelerator} = machine.gpus[0]!
  const bytesPerSecond = machine.hostLinkBytesPerSecond ?? accelerator.hostLink?.bytesPerSecondPerDirection ?? accelerator.pcie?.bytesPerSecondPerDirection
  const bytesPerGpu = memory.terms.reduce((sum, {part, bytes}) => sum + (part === 'weights' ? bytes : 0), 0)
  return bytesPerSecond === undefined || accelerator.unifiedMemory ? {} : {loading: {bytesPerGpu, bytesPerSecond}}
}

/** What the planned load says of a stop, and of prompts beside answers. */
function loadOf({performance, workload}: Evaluation): Pick<Startable, 'answerSeconds' | 'prefillShare'> {
  if (!performance || !workload) return {}
  const {ttftMs, tpotMs, breakdown} = performance
  const decode = breakdown.filter(({phase}) => phase === 'decode')
  const whole = decode.reduce((sum, {ms}) => sum + ms, 0)
  const prompts = decode.find(({name}) => name === 'prompts of others')?.ms ?? 0
  return {
    answerSeconds: (ttftMs.high + Math.max(0, workload.outputTokens - 1) * tpotMs.high) / 1000,
    ...(whole > 0 && {prefillShare: prompts / whole}),
  }
}

const flagValue = ({flags}: Launch, pattern: RegExp): string | number | undefined => {
  const value = flags.findLast(({flag}) => pattern.test(flag))?.value
  return typeof value === 'string' || typeof value === 'number' ? value : undefined
}

const portOf = (launch: Launch, {port}: EngineServing): number => {
  const given = Number(flagValue(launch, /^--port$/) ?? port)
  return Number.isInteger(given) && given > 0 && given < 65_536 ? given : port
}

/** The model as the program is given it: a repository, a path, or a repository with a quantisation. */
const modelArgumentOf = (launch: Launch, hfId: string): string => String(flagValue(launch, /^--model-path$/) ?? launch.program.at(-1) ?? hfId)

/** The name that requests give: what was set, else the model's own. */
function servedNameOf(engine: string, launch: Launch, model: string): string {
  const given = flagValue(launch, /^--served[-_]model[-_]name$/)
  return given === undefined ? servedAs(engine, model) : String(given)
}

/** The adapters by their names and places, as each engine takes them. TensorRT-LLM's requests name the folder themselves. */
function withAdapters(launch: Launch, engine: string, adapters: readonly {name: string; path: string}[]): Launch {
  if (adapters.length === 0) return launch
  if (engine === 'trtllm') {
    if (!launch.file) return launch
    const content = structuredClone(launch.file.content)
    setField(
      content,
      'lora_config.lora_dir',
      adapters.map(({path}) => path),
    )
    return {...launch, file: {...launch.file, content, because: {...launch.file.because, 'lora_config.lora_dir': 'where the adapters lie'}}}
  }
  const flag = engine === 'sglang' ? '--lora-paths' : '--lora-modules'
  const value = adapters.map(({name, path}) => `${name}=${path}`)
  return {...launch, flags: [...launch.flags, {flag, value, because: 'adapters by the names that requests give'}]}
}
