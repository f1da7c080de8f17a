import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Launch} from '../../engines/engine.ts'
import type {FlagTable} from '../../engines/flags.ts'
import {type EngineServing, imageFor} from '../../engines/launch/serving.ts'
import {type Setting, withSettings} from '../../engines/launch/settings.ts'
import {type Answer, diskBytes, type Evaluation, subjectOf} from '../../planner/answer/index.ts'
import {hasSlices} from '../../planner/world/index.ts'
import {labelOf, type Startable} from './startable.ts'

/** An answer as something to start, with options set by hand. @throws InputError for an option that is not there or illegal. */
export function startableOf(catalogue: Catalogue, answered: Pick<Answer, 'best' | 'machine' | 'left'>, settings: readonly Setting[] = []): Startable {
  const {best, machine, left} = answered
  const {engine, deployment, checkpoint, model} = best
  const subject = subjectOf(best)
  const serving = catalogue.file<EngineServing>(`engines/${engine.id}`)
  const table = catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  // Each slice of a card is a server of its own, which is started once for each.
  const started = hasSlices(machine) ? {...deployment, dp: 1} : deployment
  const launch = withSettings(engine.launch(subject, started), settings, table, deployment.engineVersion)
  const count = engine.gpuCount(started)
  const chosen = launch.nodes || hasSlices(machine) ? undefined : chosenDevices(best, count, machine.gpus.length)
  const argument = modelArgumentOf(launch, checkpoint.hfId)
  return {
    engine: {id: engine.id, title: engine.title, version: deployment.engineVersion},
    launch,
    serving,
    modelName: model.name,
    model: argument,
    servedName: servedNameOf(engine.id, launch, argument),
    name: labelOf(model.id),
    vendor: subject.gpu.accelerator.vendor,
    image: imageFor(serving, subject.gpu.accelerator, deployment.engineVersion),
    gpusPerNode: launch.nodes?.gpusPerNode ?? count,
    ...(chosen && {devices: chosen, devicesMatter: left.length > 0}),
    devicesAreGuessed: !machine.detected,
    port: portOf(launch, serving),
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
  return value === true ? undefined : value
}

const portOf = (launch: Launch, {port}: EngineServing): number => {
  const given = Number(flagValue(launch, /^--port$/) ?? port)
  return Number.isInteger(given) && given > 0 && given < 65_536 ? given : port
}

/** The model as the program is given it: a repository, a path, or a repository with a quantisation. */
const modelArgumentOf = (launch: Launch, hfId: string): string => String(flagValue(launch, /^--model-path$/) ?? launch.program.at(-1) ?? hfId)

/** The name that requests give: what was set, else the model; TensorRT-LLM takes the last part of a folder. */
function servedNameOf(engine: string, launch: Launch, model: string): string {
  const given = flagValue(launch, /^--served[-_]model[-_]name$/)
  if (given !== undefined) return String(given)
  return engine === 'trtllm' && model.startsWith('/')
    ? (model
        .split('/')
        .filter((part) => part !== '')
        .at(-1) ?? model)
    : model
}
