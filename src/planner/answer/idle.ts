/** GPUs that an answer leaves idle: which, why, and what would use them. */
import type {MachineGpu} from '../../core/accelerator.ts'
import type {Warning} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import {dividesHeads} from '../../engines/divisibility.ts'
import {cardsOf, hasSlices, isMixed, kindsOf} from '../world/index.ts'
import {bestLayout, bestOf, type ChoiceQuestion} from './choose.ts'
import {evaluate} from './evaluate.ts'
import {type Evaluation, isYes, starts} from './evaluation.ts'
import {placesFor, withoutLayout} from './layouts.ts'

const rateWords = ({performance}: Evaluation): string => (performance ? `${performance.outputTokensPerSecond.estimate.toPrecision(3)} tok/s` : 'no speed')

/** After "would". Figures that read the same are no gain. */
const gainWords = (other: Evaluation, best: Evaluation): string =>
  rateWords(other) === rateWords(best) ? 'be no faster' : `give ${rateWords(other)} instead of ${rateWords(best)}`

const contextWords = ({deployment}: Evaluation): string => `${countInWords(deployment.maxModelLen)} tokens of context`

/** A layout as flags. */
function layoutFlags({tp, pp, dp}: {tp: number; pp: number; dp: number}): string {
  const parts = [`--tp ${tp}`]
  if (pp > 1) parts.push(`--pp ${pp}`)
  if (dp > 1) parts.push(`--dp ${dp}`)
  return parts.join(' ')
}

/** What is said of GPUs that take no part in the best answer. */
export function idleWarnings(question: ChoiceQuestion, best: Evaluation): Warning[] {
  const isPart = best.machine.gpus.length < question.machine.gpus.length
  if (!starts(best)) return isPart ? [leftOut(question, best)] : []
  if (isPart) return [unequalIdle(question, best)]
  if (isMixed(question.machine)) return [unequalAlternative(question, best)].filter((warning) => warning !== undefined)
  return equalIdle(question, best)
}

const namesOf = (gpus: readonly MachineGpu[]): string => {
  const kinds = new Map<string, number>()
  for (const {accelerator} of gpus) kinds.set(accelerator.name, (kinds.get(accelerator.name) ?? 0) + 1)
  return [...kinds].map(([name, count]) => (count === 1 ? name : `${count} x ${name}`)).join(' and ')
}

/** A refusal is told of the cards that come nearest: which others there are, and why they do not help. */
function leftOut(question: ChoiceQuestion, best: Evaluation): Warning {
  const left = question.machine.gpus.filter((gpu) => !best.machine.gpus.includes(gpu))
  const words = `this answer uses ${namesOf(best.machine.gpus)}; ${namesOf(left)} ${left.length === 1 ? 'is' : 'are'} left out`
  return {code: 'gpus-idle', message: `${words}: ${notTogether(question, overAll(question, best))}`}
}

/** Why all cards do not serve one model together. */
function notTogether({machine, engine}: ChoiceQuestion, all: Evaluation | undefined): string {
  if (all) return `over all cards together it ${all.verdict === 'unsupported' ? 'is not supported' : 'does not fit'}: ${all.reasons[0]?.message}`
  const vendors = new Set(machine.gpus.map(({accelerator}) => accelerator.vendor))
  return vendors.size > 1 ? `${engine.title} does not share a model among cards of different makers` : 'no layout takes all cards together'
}

/** Unequal cards of which some are left out: what all together would give, and whether the others could run a server of their own. */
function unequalIdle(question: ChoiceQuestion, best: Evaluation): Warning {
  const {machine} = question
  const left = machine.gpus.filter((gpu) => !best.machine.gpus.includes(gpu))
  const all = overAll(question, best)
  const isWholeKind = kindsOf(machine).length === 2 && !isMixed(best.machine)
  const parts = [`${namesOf(left)} ${left.length === 1 ? 'is' : 'are'} idle`]
  if (all && starts(all))
    parts.push(
      `${isWholeKind ? 'both kinds' : 'all cards'} together (${layoutFlags(all.deployment)}) would ${gainWords(all, best)}, and ${roomWords(all, best)}`,
    )
  else parts.push(notTogether(question, all))
  const second = alone(question, best, left)
  if (starts(second)) parts.push(`a second server on ${namesOf(left)} could run beside this one (${rateWords(second)}, ${contextWords(second)})`)
  return {code: 'gpus-idle', message: parts.join('; ')}
}

/** Unequal cards that all serve: what the best of them alone would give. */
function unequalAlternative(question: ChoiceQuestion, best: Evaluation): Warning | undefined {
  for (const kind of kindsOf(question.machine)) {
    const one = alone(question, best, kind)
    if (!isYes(one)) continue
    const others = question.machine.gpus.filter((gpu) => !kind.includes(gpu))
    const second = starts(alone(question, best, others)) ? `, and a second server could run on ${namesOf(others)}` : `, and leave ${namesOf(others)} free`
    const context =
      one.deployment.maxModelLen === best.deployment.maxModelLen ? '' : ` and ${contextWords(one)} instead of ${countInWords(best.deployment.maxModelLen)}`
    return {code: 'unequal-gpus', message: `${namesOf(kind)} alone would be enough: ${rateWords(one)} instead of ${rateWords(best)}${context}${second}`}
  }
  return undefined
}

/** The best layout over all cards of a machine whose cards differ; undefined where none takes them all. */
function overAll({machine, ...question}: ChoiceQuestion, {checkpoint}: Evaluation): Evaluation | undefined {
  const places = placesFor(question.model.architecture, machine, withoutLayout(question.request)).filter(
    (place) => place.machine.gpus.length === machine.gpus.length,
  )
  return places.length === 0 ? undefined : bestOf(places.map((place) => evaluate({...question, checkpoint, ...place})))
}

/** The same checkpoint on some of the cards. */
const alone = (question: ChoiceQuestion, {checkpoint}: Evaluation, gpus: MachineGpu[]): Evaluation =>
  bestLayout({...question, checkpoint, machine: cardsOf(question.machine, gpus), request: withoutLayout(question.request)})

function roomWords(all: Evaluation, best: Evaluation): string {
  const times = all.memory.kvCacheTokens / Math.max(1, best.memory.kvCacheTokens)
  return times >= 1.05 ? `${times.toFixed(1)} times the cache` : times <= 0.95 ? 'less cache' : 'as much cache'
}

/** Equal cards of which some are idle: why, and the layout that would use most of them. */
function equalIdle(question: ChoiceQuestion, best: Evaluation): Warning[] {
  const {machine, deployment, model, engine} = best
  const all = machine.gpus.length * machine.nodeCount
  const used = engine.gpuCount(deployment)
  if (used >= all) return []
  const {architecture} = model
  const fixed = question.request.tp !== undefined || question.request.pp !== undefined || question.request.dp !== undefined
  const perNode = machine.gpus.length
  const why = fixed
    ? `the layout that was asked for takes ${used}`
    : hasSlices(machine)
      ? 'slices cannot share a model, and each of the others can be a server of its own'
      : perNode > 1 && !dividesHeads(architecture, perNode) && machine.nodeCount === 1
        ? `the attention heads of ${model.name} do not divide over ${perNode}`
        : `this load does not keep more of them busy, or would be no faster on more`
  const idle = all - used
  const things = machine.gpus[0]!.accelerator.vendor === 'cpu' ? 'sockets' : 'GPUs'
  const words = `${idle} of ${all} ${things} ${idle === 1 ? 'is' : 'are'} idle: ${why}`
  const other = firstThatStarts(question, best, fullerLayouts(deployment, all, perNode, architecture.layerSequence.length))
  if (!other) return [{code: 'gpus-idle', message: words}]
  const uses = `${layoutFlags(other.deployment)} would use ${engine.gpuCount(other.deployment)}`
  if (!other.performance || !best.performance) return [{code: 'gpus-idle', message: `${words}; ${uses}`}]
  return [{code: 'gpus-idle', message: `${words}; ${uses} and ${gainWords(other, best)} in total at this load`}]
}

function firstThatStarts(question: ChoiceQuestion, {checkpoint, machine}: Evaluation, layouts: readonly Layout[]): Evaluation | undefined {
  for (const layout of layouts) {
    const evaluation = evaluate({...question, checkpoint, machine, request: {...withoutLayout(question.request), ...layout}})
    if (starts(evaluation)) return evaluation
  }
  return undefined
}

interface Layout {
  tp: number
  pp: number
  dp: number
}

/** Layouts that take more of the GPUs, most first: more replicas of the same, or pipeline stages. */
function fullerLayouts({tp, pp, dp}: Layout, all: number, perNode: number, layerCount: number): Layout[] {
  const replicas = Math.floor(all / (tp * pp))
  const list = [{tp, pp, dp: replicas}]
  const stages = Math.floor(all / tp)
  if (stages <= layerCount && tp <= perNode) list.push({tp, pp: stages, dp: 1})
  if (all <= layerCount) list.push({tp: 1, pp: all, dp: 1})
  return list.filter((layout) => layout.tp * layout.pp * layout.dp > tp * pp * dp).sort((a, b) => b.tp * b.pp * b.dp - a.tp * a.pp * a.dp)
}
