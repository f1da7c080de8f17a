import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Launch} from '../../engines/engine.ts'
import type {FlagTable} from '../../engines/flags.ts'
import {setField} from '../../engines/launch/fields.ts'
import {type EngineServing, imageFor} from '../../engines/launch/serving.ts'
import {passedOn, type Setting, withSettings} from '../../engines/launch/settings.ts'
import {type Answer, diskBytes, type Evaluation, subjectOf} from '../../planner/answer/index.ts'
import {imageVariant} from '../../engines/support.ts'
import {engineData, hasSlices} from '../../planner/world/index.ts'
import {withKey} from './key.ts'
import {labelOf, servedAs, type Startable} from './startable.ts'

/** An answer as something to start, with options set by hand. @throws InputError for an option that is not there or illegal. */
export function startableOf(
  catalogue: Catalogue,
  answered: Pick<Answer, 'best' | 'machine' | 'left'>,
  settings: readonly Setting[] = [],
  {adapters = [], isPublic = false}: {adapters?: readonly {name: string; path: string}[]; isPublic?: boolean} = {},
): Startable {
  const {best, machine, left} = answered
  const {engine, deployment, checkpoint, model} = best
  const subject = subjectOf(best)
  const serving = catalogue.file<EngineServing>(`engines/${engine.id}`)
  const table = catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  // Each slice of a card is a server of its own, which is started once for each.
  const started = hasSlices(machine) ? {...deployment, dp: 1} : deployment
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
    image: imageFor(serving, subject.gpu.accelerator, deployment.engineVersion, variant),
    gpusPerNode: launch.nodes?.gpusPerNode ?? count,
    ...(chosen && {devices: chosen, devicesMatter: left.length > 0}),
    devicesAreGuessed: !machine.detected,
    port: portOf(launch, serving),
    ...(isPublic && {isPublic}),
    checkpointBytes: diskBytes(model, checkpoint),
    workload: best.workload,
    isEngineFlag: (flag) => table.flags.find(({name, aliases}) => name === flag || aliases?.includes(flag))?.source !== 'b' || engine.id !== 'vllm',
  }
}

/** The first GPUs of the serving group where not all of the machine's serve. */
function chosenDevices({machine}: Evaluation, count: number, all: number): number[] | undefined {
  if (count >= all) return undefined
  return machine.gpus.slice(0, count).map(({index}) => index)
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
