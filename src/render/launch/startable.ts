import type {Workload} from '../../core/deployment.ts'
import {isAtLeast} from '../../engines/versions.ts'
import type {Launch} from '../../engines/engine.ts'
import {type EngineServing, imagesStartEngine, type NonRoot} from '../../engines/launch/serving.ts'

/** A launch with what the formats need to know around it. Everything is plain text; each format quotes for its target. */
export interface Startable {
  engine: {id: string; title: string; version: string}
  launch: Launch
  serving: EngineServing
  /** Name of the model for people. */
  modelName: string
  /** Repository or path, as it was given. */
  model: string
  /** Absolute path of a model of this machine; `model` may be a shorter one, as it was given. */
  modelPath?: string
  /** LoRA adapters of this machine, by the names that requests give. */
  adapters?: {name: string; path: string}[]
  /** Name that requests give. */
  servedName: string
  /** It embeds or ranks: requests and benchmarks are of another kind. */
  task?: 'embed' | 'rerank'
  /** A DNS label: name of the container, the unit, the objects. */
  name: string
  vendor: string
  /** Container image; absent: none is known for this GPU. */
  image?: string
  /** Whom the image can run as in the place of root; absent: root only. */
  nonRoot?: NonRoot
  /** GPUs that one node gives. */
  gpusPerNode: number
  /** Only these of the node's GPUs, by the driver's index; absent: all of them. */
  devices?: number[]
  /** Identities of these by the driver, where this machine was looked at: they stay when a card is added or fails. */
  identities?: string[]
  /** It runs on a slice of a card. `identity`: the slice that was found; else it is given by this variable where the server is started. */
  slice?: {profile: string; identity?: string; variable: string}
  /** Replicas of which the engine starts one at a time. */
  separate?: boolean
  /** Label that nodes with these cards have in Kubernetes, and its values. */
  nodeLabel?: {key: string; values: string[]; because: string}
  /** What the nodes are joined by, where it is known. */
  networkFabric?: string
  /** The GPUs that are left out differ: even a plain command must not take them. */
  devicesMatter?: boolean
  /** The machine was named, not looked at: how its driver numbers the GPUs is not known. */
  devicesAreGuessed?: boolean
  port: number
  /** Others than this machine reach it, with an API key; absent: nobody else does. */
  isPublic?: boolean
  /** Equal copies that a fleet runs; absent: one. */
  replicas?: number
  /** Number of this copy, where its machine runs several, and the network on which their router finds it. */
  copy?: number
  network?: string
  /** Bytes that are downloaded first, where known. */
  checkpointBytes?: number
  /** Weights of one GPU, and how fast they get onto it, where that is known. */
  loading?: {bytesPerGpu: number; bytesPerSecond: number}
  /** How long an answer of the planned load takes at the slow end of the estimate. */
  answerSeconds?: number
  /** Share of the machine's time that prompts take at the planned load. */
  prefillShare?: number
  /** Requests that are kept in flight by the benchmark, and their lengths. */
  workload?: Workload
  /** Options that belong to the engine proper and not to its web server, for runtimes that bring their own. */
  isEngineFlag(flag: string): boolean
}

/** A DNS label (RFC 1123) from any text; short enough to take a suffix. */
export function labelOf(text: string): string {
  const label = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  if (label === '') return 'model'
  return /^[a-z]/.test(label) ? label : `m-${label}`
}

/** Whether the model is a folder of this machine rather than a repository; `absolute` paths can be mounted as they are. */
export function localPath(model: string): 'absolute' | 'relative' | undefined {
  if (model.startsWith('/')) return 'absolute'
  return /^(?:\.{1,2}\/|~|-)/.test(model) ? 'relative' : undefined
}

/**
 * The same for a place that is not the working directory: a container, a unit, another node. A model of this machine goes by its absolute path.
 */
export function fromAnywhere(startable: Startable): Startable {
  const {model, modelPath, launch, engine, servedName} = startable
  if (modelPath === undefined || model === modelPath) return startable
  const placed = <T>(word: T): T | string => (word === model ? modelPath : word)
  return {
    ...startable,
    model: modelPath,
    servedName: servedName === model ? servedAs(engine.id, modelPath) : servedName,
    launch: {...launch, program: launch.program.map(placed), flags: launch.flags.map((flag) => ({...flag, value: placed(flag.value)}))},
  }
}

/** The name that an engine serves a model under by itself: TensorRT-LLM takes the last part of a folder. */
export const servedAs = (engine: string, model: string): string =>
  engine === 'trtllm' && model.startsWith('/')
    ? (model
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? model)
    : model

/** Folders of this machine that a container must see at the same place: of the model, of its adapters. */
export function foldersOf({model, adapters = []}: Startable): {path: string; because: string}[] {
  const own = localPath(model) === 'absolute' ? [{path: folderOf(model), because: 'the model'}] : []
  const others = adapters.map(({name, path}) => ({path, because: `adapter ${name}`}))
  return [...own, ...others].filter(({path}, index, all) => all.findIndex((other) => other.path === path) === index)
}

/** A single file is seen through its folder: parts of the same model lie beside it. */
const folderOf = (path: string): string => (/\.gguf$/i.test(path) && path.lastIndexOf('/') > 0 ? path.slice(0, path.lastIndexOf('/')) : path)

/** Where a container's user is at home. */
export const homeOf = ({nonRoot}: Startable): string => nonRoot?.home ?? '/root'

/** Folders below the home folder that outlive a container, and why: downloads, and what the engine compiled. */
export function keptFolders({serving, engine}: Startable): {folder: string; because: string}[] {
  const compiled = (serving.compileCaches ?? []).filter(({until}) => until === undefined || isAtLeast(until, engine.version))
  return [
    {folder: '.cache/huggingface', because: 'weights are downloaded once'},
    ...compiled.map(({folder}) => ({folder, because: 'kernels and graphs are compiled once'})),
  ]
}

/** Servers that one machine runs: itself, or so many copies, each on cards of its own. */
export function copiesOf(startable: Startable): Startable[] {
  const {replicas = 1, name, gpusPerNode, devices, identities, slice} = startable
  if (replicas === 1) return [startable]
  return Array.from({length: replicas}, (_, copy) => {
    const from = copy * gpusPerNode
    const own = Array.from({length: gpusPerNode}, (_, index) => from + index)
    return {
      ...startable,
      name: `${name}-${copy}`,
      copy,
      network: name,
      replicas: 1,
      ...(slice ? {slice: {...slice, variable: `${slice.variable}_${copy}`}} : {devices: own.map((index) => devices?.[index] ?? index)}),
      ...(identities && identities.length >= from + gpusPerNode && {identities: identities.slice(from, from + gpusPerNode)}),
    }
  })
}

/** The launch as it runs behind a published port: listening at every address, its file at a fixed place. */
export function inContainer({launch, serving}: Startable, filePath?: string): Launch {
  const listens = serving.defaultHost === undefined || hasHost(launch)
  return {
    ...launch,
    flags: listens ? launch.flags : [...launch.flags, {flag: '--host', value: '0.0.0.0', because: 'reached from outside the container'}],
    ...(launch.file && filePath !== undefined && {file: {...launch.file, name: filePath}}),
  }
}

const hasHost = ({flags}: Launch): boolean => flags.some(({flag}) => flag === '--host')

/**
 * The launch as it runs on the network of its machine: heard by that machine only, or by all where it is public. An address that was set by hand stays.
 */
export function onHost(startable: Startable): Startable {
  const {launch, serving, isPublic} = startable
  if (hasHost(launch)) return startable
  const flag = isPublic
    ? {flag: '--host', value: '0.0.0.0', because: 'others reach it too'}
    : {flag: '--host', value: '127.0.0.1', because: 'only this machine reaches it; --public opens it, with an API key'}
  const isDefault = isPublic ? serving.defaultHost === undefined : serving.defaultHost !== undefined
  return isDefault ? startable : {...startable, launch: {...launch, flags: [...launch.flags, flag]}}
}

/** Where a published port is heard. */
export const published = ({isPublic, port}: Startable): string => `${isPublic ? '' : '127.0.0.1:'}${port}:${port}`

/** The secret that the API key is read from, by the name of its variable; undefined where the server is not public. */
export const keyVariable = ({launch}: Startable): string | undefined => launch.environment.find(({secret}) => secret)?.name ?? launch.key?.variable

/** Words that replace what an image starts by itself, and how many of the program's words they are. */
export const replacedEntrypoint = ({serving, launch}: Startable): string | undefined => (imagesStartEngine(serving) ? launch.program[0] : undefined)
