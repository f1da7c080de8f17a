import type {Machine} from '../core/accelerator.ts'
import {sumBytes} from '../core/terms.ts'
import {bytesInWords, countInWords} from '../core/words.ts'
import type {Answer} from './answer.ts'
import {bestLayout, byFidelity, type ChoiceQuestion, missingBytes} from './choose.ts'
import type {Context} from './context.ts'
import type {Evaluation} from './evaluate.ts'
import {usualLink} from './machines.ts'

/** A single change, evaluated: with it the model starts. */
export interface Change {
  what: string
  outcome: string
  command?: string
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

function outcomeOf({verdict, deployment, memory}: Evaluation): string {
  return `${verdict}, ${countInWords(deployment.maxModelLen)} tokens of context, ${countInWords(memory.kvCacheTokens)} in the cache`
}

/** Advice for an answer: the way on when it fits, the ways out when it does not. */
export function adviseOn(context: Context, answer: Answer, command: string): Advice {
  const {best} = answer
  if (starts(best)) return {changes: best.verdict === 'tight' ? changesFor(answer) : [], holders: [], fitting: [], next: [`servefit config ${command}`]}
  const changes = changesFor(answer)
  const holders = holdersOf(context, answer)
  const fitting = changes.length === 0 ? fittingModels(context, answer) : []
  const next = changes.find((change) => change.command)?.command ?? (holders[0] ? `servefit check ${answer.scenario.model} --gpu ${holders[0].spec}` : undefined)
  return {changes, holders, fitting, next: next ? [next] : []}
}

/** The smallest single changes that make it start, each tried. */
function changesFor(answer: Answer): Change[] {
  const {best, question} = answer
  const {model, machine, request} = question
  const changes: Change[] = []
  const attempt = (what: string, changed: Partial<ChoiceQuestion>, flags: string) => {
    const tried = bestLayout({...question, checkpoint: best.checkpoint, ...changed})
    if (starts(tried) && !(best.verdict === 'tight' && tried.verdict === 'tight')) changes.push({what, outcome: outcomeOf(tried), command: flags})
  }
  const {largestMaxModelLen} = best.memory
  if (best.verdict === 'does-not-fit' && largestMaxModelLen >= 256) attempt('less context', {request: {...request, maxModelLen: largestMaxModelLen}}, `--max-model-len ${largestMaxModelLen}`)
  if (best.deployment.kvCache === 'bf16') attempt('FP8 cache', {request: {...request, kvCache: 'fp8'}}, '--kv-cache fp8')
  if (request.maxNumSeqs === undefined && best.deployment.maxNumSeqs > 32) attempt('fewer requests at once', {request: {...request, maxNumSeqs: 32}}, '--max-num-seqs 32')
  if (best.verdict !== 'tight') {
    for (const checkpoint of byFidelity(model.checkpoints)) {
      if (checkpoint.hfId === best.checkpoint.hfId) continue
      const before = changes.length
      attempt(`${checkpoint.hfId}`, {checkpoint, request: {...request, weights: undefined}}, `servefit check ${checkpoint.hfId}`)
      if (changes.length > before) break
    }
    if (request.engine === undefined || request.tp === undefined) {
      const grown = withMoreGpus(machine)
      if (grown) attempt(`${grown.gpus.length} of these GPUs`, {machine: grown, request: {...request, tp: undefined, pp: undefined, dp: undefined}}, `--gpu ${grown.gpus.length}x${machine.gpus[0]!.accelerator.id}`)
    }
  }
  return changes.slice(0, 4)
}

/** One GPU more, or the next number that layers divide over. */
function withMoreGpus(machine: Machine): Machine | undefined {
  const count = machine.gpus.length
  const next = [2, 4, 8].find((size) => size > count)
  return next && machine.nodeCount === 1 ? machineOfCount(machine, next) : undefined
}

function machineOfCount(machine: Machine, count: number): Machine {
  const {accelerator, memoryBytes} = machine.gpus[0]!
  return {...machine, detected: false, gpus: Array.from({length: count}, (_, index) => ({index, accelerator, memoryBytes})), link: usualLink(accelerator, count)}
}

/** Servers and desks people have: the sizes that are tried for "what holds it". */
const SIZES = [1, 2, 4, 8]

function holdersOf(context: Context, {question, best}: Answer): Holder[] {
  const needed = sumBytes(best.memory.terms.filter(({part}) => part === 'weights')) * Math.max(1, best.deployment.tp * best.deployment.pp)
  const holders: (Holder & {cost: number})[] = []
  for (const accelerator of context.catalogue.gpus) {
    if (!['nvidia', 'amd'].includes(accelerator.vendor) || accelerator.localDeployment === false || accelerator.memoryBandwidthBytesPerSecond === undefined || accelerator.unifiedMemory) continue
    const count = SIZES.find((size) => size * accelerator.memoryBytes * 0.9 > needed)
    if (count === undefined || (count > 1 && accelerator.scaleUp === undefined && count > 4)) continue
    const machine = machineOfCount({gpus: [{index: 0, accelerator, memoryBytes: accelerator.memoryBytes}], nodeCount: 1, link: {kind: 'pcie-host'}, detected: false}, count)
    const memoryBytes = count * accelerator.memoryBytes
    const evaluation = bestLayout({...question, checkpoint: best.checkpoint, machine, request: {...question.request, tp: undefined, pp: undefined, dp: undefined, ep: undefined, dpAttention: undefined}})
    if (starts(evaluation)) holders.push({title: `${count} x ${accelerator.name.replace(/^GeForce /, '')}`, memoryBytes, outcome: `${evaluation.verdict}, ${countInWords(evaluation.deployment.maxModelLen)} tokens of context`, spec: `${count}x${accelerator.id}`, cost: memoryBytes})
  }
  // The smallest few, not six of one family.
  const families = new Set<string>()
  return holders
    .sort((a, b) => a.cost - b.cost)
    .filter(({title}) => {
      const family = title.replace(/\d+GB.*$/, '').split(' ').slice(0, 4).join(' ')
      if (families.has(family)) return false
      families.add(family)
      return true
    })
    .slice(0, 3)
    .map(({cost: _cost, ...holder}) => holder)
}

/** Names of the largest models that these GPUs hold, most parameters first. */
function fittingModels(context: Context, {question}: Answer): string[] {
  const room = question.machine.gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)
  const names: string[] = []
  const entries = [...context.catalogue.modelEntries].filter(({totalParams}) => totalParams * 0.5 < room).sort((a, b) => b.totalParams - a.totalParams)
  for (const {id} of entries.slice(0, 24)) {
    const model = context.catalogue.model(id)
    const checkpoint = byFidelity(model.checkpoints).findLast(() => true)
    if (!checkpoint) continue
    const evaluation = bestLayout({...question, model, checkpoint, request: {engine: question.request.engine}})
    if (starts(evaluation)) names.push(`${model.id} (${checkpoint.weights})`)
    if (names.length === 3) break
  }
  return names
}

/** In one line: how much is missing. */
export const shortageInWords = (evaluation: Evaluation): string => `${bytesInWords(missingBytes(evaluation))} short per GPU`
