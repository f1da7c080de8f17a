import {catalogueOf} from '../../catalogue/contents.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {gpuFinder} from '../../catalogue/gpu-finder.ts'
import {InputError} from '../../core/input-error.ts'
import type {Accelerator, Machine} from '../../core/accelerator.ts'
import {machineOfText} from '../../library/machine-text.ts'
import {adviseOn, answer, machineOf, requireWriting} from '../../planner/answer/index.ts'
import {capacity} from '../../planner/capacity/index.ts'
import {compare} from '../../planner/compare/index.ts'
import {plan} from '../../planner/plan/index.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import {type Context, modelOf} from '../../planner/world/index.ts'
import {machineTitle} from '../../render/hardware.ts'
import {quoteWord} from '../../render/launch/shell-quote.ts'
import {count} from '../../render/numbers.ts'
import {harmless} from '../../render/style.ts'
import {type AnswerDocument, capacityDocument, checkDocument, compareDocument, planDocument} from '../documents/index.ts'
import type {Words} from '../question/fields.ts'
import {commandOf, PASTED_FILE, readQuestion} from '../question/scenario.ts'
import {capacityAsked} from './capacity-question.ts'
import {listsOf} from './lists.ts'
import type {Asked, Data, Lists, Problem} from './protocol.ts'

/** Answers questions about the data that was handed in. */
export interface Planner {
  lists(): Lists
  answer(asked: Asked): Promise<{document: AnswerDocument; machine?: string} | {problems: Problem[]}>
}

const NO_FILES = 'files of this computer are not read here'

/** A planner over compiled data. What is not asked for is never parsed. */
export function openPlanner(data: Data): Planner {
  const catalogue = packedCatalogue(data)
  const world: Context = {
    catalogue,
    engines: new Map(),
    detect: () => Promise.reject(new InputError('MACHINE_MISSING', 'Choose a machine: cards, a machine of the list, or what nvidia-smi or another tool printed there')),
    readMachine: (path) => Promise.reject(new InputError('FILE_UNREADABLE', `${path}: ${NO_FILES}; paste what it holds`)),
    readModel: (path) => Promise.reject(new InputError('FILE_UNREADABLE', `${path}: ${NO_FILES}; choose a model of the list`)),
  }
  /** The text that was pasted last, and its machine: reading it takes longer than an answer. */
  let read: {text: string; machine: Promise<Machine>} | undefined
  const contextFor = (pasted: string | undefined): Context => {
    if (pasted === undefined) return world
    if (read?.text !== pasted) read = {text: pasted, machine: machineOfText(catalogue, pasted, 'The pasted text', gpuFinder(catalogue))}
    const {machine} = read
    return {...world, readMachine: () => machine}
  }
  return {
    lists: () => listsOf(world),
    async answer({view, words, pasted}) {
      try {
        const own: Words = pasted === undefined ? words : {...words, gpu: '', link: '', machine: PASTED_FILE}
        const {scenario, problems, objective} = readQuestion(own, {oneUser: view !== 'plan'})
        if (problems.length > 0) return {problems: problems.map((problem) => ({code: 'FIELD_INVALID', ...problem}))}
        if (scenario.model === '') throw new InputError('MODEL_MISSING', 'Choose a model')
        const context = contextFor(pasted)
        const asked = commandOf(own, quoteWord)
        const machine = view === 'capacity' && !isPlaced(scenario) ? undefined : await machineOf(context, scenario)
        const title = machine && machineTitle(machine)
        const document =
          view === 'check'
            ? await checked(context, scenario, asked)
            : view === 'plan'
              ? await planned(context, {scenario, objective, machine: machine!, asked: commandOf(own, quoteWord, {all: true})})
              : view === 'compare'
                ? await compared(context, scenario, machine!, asked)
                : await fleet(context, {scenario, words: own, machine})
        return {document, ...(title !== undefined && {machine: title})}
      } catch (error) {
        return {problems: [problemOf(error)]}
      }
    },
  }
}

const isPlaced = ({gpu, machine}: Scenario): boolean => gpu !== undefined || machine !== undefined

async function checked(context: Context, scenario: Scenario, asked: string): Promise<AnswerDocument> {
  const answered = await answer(context, scenario)
  return checkDocument(context.catalogue, answered, adviseOn(context, answered, asked), asked)
}

async function planned(
  context: Context,
  {scenario, objective, machine, asked}: {scenario: Scenario; objective: Parameters<typeof plan>[1]['objective']; machine: Machine; asked: string},
): Promise<AnswerDocument> {
  const {slo: objectives = {}, ...rest} = scenario
  const workload = rest.workload!
  const found = await plan(context, {scenario: {...rest, workload}, machine, objectives, objective})
  const title = `${found.model.name} on ${machineTitle(machine)}, prompts of ${count(workload.inputTokens)} and answers of ${count(workload.outputTokens)} tokens`
  return planDocument(found, {title, objectives, objective, words: asked})
}

async function compared(context: Context, scenario: Scenario, machine: Machine, asked: string): Promise<AnswerDocument> {
  const {model: name, gpu: _gpu, machine: _machine, nodes: _nodes, link: _link, engine, workload, slo, id: _id, prefer, ...request} = scenario
  const named = await modelOf(context, name)
  requireWriting(named.model)
  const rows = compare(context, {models: [named], machines: [machine], engine, request, ...(prefer && {prefer}), workload: workload!, slo})
  return compareDocument(rows, `${harmless(named.model.name)} on ${machineTitle(machine)}`, asked)
}

async function fleet(context: Context, {scenario, words, machine}: {scenario: Scenario; words: Words; machine: Machine | undefined}): Promise<AnswerDocument> {
  const {report} = await capacity(context, await capacityAsked(context, scenario, words, machine))
  const {model, ...others} = words
  const asked = commandOf({...others, model: ''}, quoteWord, {all: true}).replace(/^'' ?/, '')
  return capacityDocument(report, `--model ${quoteWord(model ?? '')} ${asked}`.trimEnd())
}

/** Errors of people become words; a defect of ours is told as one. */
function problemOf(error: unknown): Problem {
  if (error instanceof InputError) return {code: error.code, message: error.message, suggestions: [...error.suggestions]}
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return {code: 'DEFECT', message: `a defect of servefit's, please report it with the address of this page: ${message}`, suggestions: []}
}

/** Cards and models lie in one file each, as the page was built; the rest as compiled. */
function packedCatalogue(data: Data): Catalogue {
  const cards = new Map<string, Accelerator>()
  const cardsById = () => {
    if (cards.size === 0) for (const card of JSON.parse(data.gpus!) as Accelerator[]) cards.set(card.id, card)
    return cards
  }
  return catalogueOf({
    has: (path) => Object.hasOwn(data, path) || (path.startsWith('gpus/') && cardsById().has(path.slice('gpus/'.length))),
    read(path) {
      if (Object.hasOwn(data, path)) return JSON.parse(data[path]!)
      const card = path.startsWith('gpus/') ? cardsById().get(path.slice('gpus/'.length)) : undefined
      if (card) return card
      throw new Error(`${path} is not part of the page`)
    },
  })
}
