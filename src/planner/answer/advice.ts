import type {Machine} from '../../core/accelerator.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords, countInWords} from '../../core/words.ts'
import type {Answer} from './answer.ts'
import {bestLayout, byFidelity, type ChoiceQuestion, missingBytes} from './choose.ts'
import {type Context, usualLink} from '../world/index.ts'
import type {Evaluation} from './evaluate.ts'

/** A single change, evaluated: with it the model starts. */
export interface Change {
  /** As flags to add, or as the command to run instead. */
  flags: string
  outcome: string
  /** The whole question with the change in it. */
  command: string
}

export interface Holder {
  title: string
  memoryBytes: number
  outcome: string
  spec: string
}

/** What to do with an answer. */
export interface Advice {
  changes: Change[]
  /** Machines of the catalogue that hold the model, smallest first. */
  holders: Holder[]
  /** Models that these GPUs hold. */
  fitting: string[]
  /** Commands to go on with. */
  next: string[]
}

const starts = ({verdict}: Evaluation): boolean => verdict === 'fits' || verdict === 'tight'

function outcomeOf({verdict, deployment}: Evaluation): string {
  return `${verdict}, ${countInWords(deployment.maxModelLen)} tokens of context`
}

/** Advice for an answer: the way on when it fits, the ways out when it does not. */
export function adviseOn(context: Context, answer: Answer, command: string): Advice {
  const {best} = answer
  if (starts(best))
    return {changes: best.verdict === 'tight' ? changesFor(context, answer, command) : [], holders: [], fitting: [], next: [`servefit config ${command}`]}
  const changes = changesFor(context, answer, command)
  const holders = holdersOf(context, answer)
  const fitting = changes.length === 0 ? fittingModels(context, answer) : []
  const next = changes[0]?.command ?? (holders[0] ? `servefit check ${answer.scenario.model} --gpu ${holders[0].spec}` : undefined)
  return {changes, holders, fitting, next: next ? [next] : []}
}

/** The smallest single changes that make it start, each tried. */
function changesFor({catalogue}: Context, answer: Answer, command: string): Change[] {
  const {best, question} = answer
  const {model, machine, request} = question
  const changes: Change[] = []
  const attempt = (changed: Partial<ChoiceQuestion>, flags: string, whole = `servefit check ${withFlag(command, flags)}`) => {
    const tried = bestLayout({...question, checkpoint: best.checkpoint, ...changed})
    if (starts(tried) && !(best.verdict === 'tight' && tried.verdict === 'tight')) changes.push({flags, outcome: outcomeOf(tried), command: whole})
  }
  const {largestMaxModelLen} = best.memory
  if (best.reasons.some(({code}) => code === 'memory-taken')) {
    const freeBytes = Math.min(...machine.gpus.map((gpu) => gpu.freeBytes ?? gpu.memoryBytes))
    const share = Math.floor((100 * freeBytes) / best.memory.totalBytes) / 100
    if (share > 0) attempt({request: {...request, gpuMemoryUtilization: share}}, `--gpu-memory-utilization ${share}`)
  }
  if (best.verdict === 'does-not-fit' && largestMaxModelLen >= 256)
    attempt({request: {...request, maxModelLen: largestMaxModelLen}}, `--max-model-len ${largestMaxModelLen}`)
  if (best.deployment.kvCache === 'bf16') attempt({request: {...request, kvCache: 'fp8'}}, '--kv-cache fp8')
  const {largestMaxNumSeqs} = best.memory
  if (largestMaxNumSeqs !== undefined && best.deployment.maxNumSeqs > largestMaxNumSeqs)
    attempt({request: {...request, maxNumSeqs: largestMaxNumSeqs}}, `--max-num-seqs ${largestMaxNumSeqs}`)
  if (request.maxNumSeqs === undefined && best.deployment.maxNumSeqs > 32) attempt({request: {...request, maxNumSeqs: 32}}, '--max-num-seqs 32')
  if (best.verdict !== 'tight') {
    for (const checkpoint of byFidelity(model, model.checkpoints)) {
      if (checkpoint.hfId === best.checkpoint.hfId) continue
      const before = changes.length
      attempt(
        {checkpoint, request: {...request, weights: undefined}},
        checkpoint.hfId,
        `servefit check ${checkpoint.hfId} ${withoutFlag(command.slice(command.indexOf(' ') + 1), '--weights')}`,
      )
      if (changes.length > before) break
    }
    if (request.engine === undefined || request.tp === undefined) {
      // A slice, or a card that the catalogue does not know, cannot be asked for by name.
      const grown = catalogue.gpu(machine.gpus[0]!.accelerator.id) && withMoreGpus(machine)
      const spec = `${grown?.gpus.length}x${machine.gpus[0]!.accelerator.id}`
      if (grown) attempt({machine: grown, request: withoutLayout(request)}, `--gpu ${spec}`, `servefit check ${answer.scenario.model} --gpu ${spec}`)
    }
  }
  return changes.slice(0, 4)
}

/** The command with this flag, in the place of the one that it has: a flag is given once. */
const withFlag = (command: string, flag: string): string => `${withoutFlag(command, flag.split(' ')[0]!)} ${flag}`

/** For flags whose values need no quotes. */
const withoutFlag = (command: string, name: string): string => command.replace(new RegExp(`(^| )${name}[ =]\\S+`), '')

/** One GPU more, or the next number that layers divide over. */
function withMoreGpus(machine: Machine): Machine | undefined {
  const count = machine.gpus.length
  const next = [2, 4, 8].find((size) => size > count)
  return next && machine.nodeCount === 1 ? machineOfCount(machine, next) : undefined
}

function machineOfCount(machine: Machine, count: number): Machine {
  const {accelerator, memoryBytes} = machine.gpus[0]!
  return {
    ...machine,
    detected: false,
    gpus: Array.from({length: count}, (_, index) => ({index, accelerator, memoryBytes})),
    link: usualLink(accelerator, count),
  }
}

/** Machines of the catalogue that hold it, least memory first, one for each kind of GPU. */
function holdersOf(context: Context, {question, best}: Answer): Holder[] {
  const {catalogue} = context
  const needed = sumBytes(best.memory.terms.filter(({part}) => part === 'weights')) * best.deployment.tp * best.deployment.pp
  const sized = catalogue.systems.flatMap((system) => {
    const [gpu, ...others] = system.gpus
    const accelerator = others.length === 0 && gpu ? catalogue.gpus.find(({id}) => id === gpu.id) : undefined
    if (!gpu || !accelerator || system.nodeCount > 1 || !['nvidia', 'amd'].includes(accelerator.vendor)) return []
    return [{accelerator, count: gpu.count, memoryBytes: gpu.count * (gpu.memoryBytes ?? accelerator.memoryBytes)}]
  })
  const holders: Holder[] = []
  const seen = new Set<string>()
  for (const {accelerator, count, memoryBytes} of sized.sort((a, b) => a.memoryBytes - b.memoryBytes || a.count - b.count)) {
    if (memoryBytes < needed || seen.has(accelerator.id) || holders.length === 3) continue
    seen.add(accelerator.id)
    const machine = machineOfCount(
      {gpus: [{index: 0, accelerator, memoryBytes: accelerator.memoryBytes}], nodeCount: 1, link: {kind: 'pcie-host'}, detected: false},
      count,
    )
    const evaluation = bestLayout({...question, checkpoint: best.checkpoint, machine, request: withoutLayout(question.request)})
    if (starts(evaluation))
      holders.push({
        title: `${count > 1 ? `${count} x ` : ''}${shortGpuName(accelerator.name)}`,
        memoryBytes,
        outcome: `${evaluation.verdict}, ${countInWords(evaluation.deployment.maxModelLen)} tokens`,
        spec: `${count}x${accelerator.id}`,
      })
  }
  return holders
}

const shortGpuName = (name: string): string => name.replace(/^GeForce |^Instinct /, '').replace(/ ?\(.*\)$/, '')
const withoutLayout = (request: ChoiceQuestion['request']): ChoiceQuestion['request'] => ({
  ...request,
  tp: undefined,
  pp: undefined,
  dp: undefined,
  ep: undefined,
  dpAttention: undefined,
})

/** Names of the largest models that these GPUs hold, most parameters first. */
function fittingModels(context: Context, {question}: Answer): string[] {
  const room = question.machine.gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)
  const names: string[] = []
  const entries = [...context.catalogue.modelEntries].filter(({totalParams}) => totalParams * 0.5 < room).sort((a, b) => b.totalParams - a.totalParams)
  for (const {id} of entries.slice(0, 24)) {
    const model = context.catalogue.model(id)
    const checkpoint = byFidelity(model, model.checkpoints).findLast(() => true)
    if (!checkpoint) continue
    const evaluation = bestLayout({...question, model, checkpoint, request: {engine: question.request.engine}})
    if (starts(evaluation)) names.push(`${model.id} (${checkpoint.weights})`)
    if (names.length === 3) break
  }
  return names
}

/** In one line: how much is missing. */
export const shortageInWords = (evaluation: Evaluation): string => `${bytesInWords(missingBytes(evaluation))} short per GPU`
