import {catalogueOf} from '../../catalogue/contents.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {gpuFinder} from '../../catalogue/gpu-finder.ts'
import type {Accelerator, Machine} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {answerAsked} from '../../library/answer-asked.ts'
import {compared} from '../../library/compare.ts'
import {machineOfText} from '../../library/machine-text.ts'
import {planAsked} from '../../library/plan.ts'
import {stamped} from '../../library/stamp.ts'
import {adviseOn, machineOf} from '../../planner/answer/index.ts'
import {capacity} from '../../planner/capacity/index.ts'
import {plan} from '../../planner/plan/index.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import type {Context} from '../../planner/world/index.ts'
import {machineTitle} from '../../render/hardware.ts'
import {quoteWord} from '../../render/launch/shell-quote.ts'
import {type AnswerDocument, capacityDocument, checkDocument, compareDocument, compareTitle, planDocument, planTitle} from '../documents/index.ts'
import type {Words} from '../question/fields.ts'
import {commandOf, PASTED_FILE, type ReadQuestion, readQuestion} from '../question/scenario.ts'
import {capacityAsked, placesBeside} from './capacity-question.ts'
import {listsOf} from './lists.ts'
import {modelsFor} from './models-question.ts'
import type {Asked, Data, Lists, Problem} from './protocol.ts'

/** Answers questions about the data that was handed in. */
export interface Planner {
  lists(): Lists
  /** `missing`: a file that the question takes and that did not come with the first. */
  answer(asked: Asked): Promise<{document: AnswerDocument; machine?: string} | {problems: Problem[]} | {missing: string}>
  /** Further files. */
  add(data: Data): void
}

/** A compiled file that was not handed in yet. */
class MissingFile extends Error {
  readonly path: string
  constructor(path: string) {
    super(`${path} is not part of the page`)
    this.path = path
  }
}

const notRead = (path: string) =>
  Promise.reject(
    new InputError('FILE_UNREADABLE', `${path}: files of this computer are not read here; choose a model of the list, and paste what a machine printed`),
  )

/** The page has no command to read, so none names files. */
const NO_DOCUMENTS = {read: notRead, text: notRead, parse: notRead}

const HOW_TO_PASTE =
  'Run there, and paste what they print: nvidia-smi; nvidia-smi -L; nvidia-smi topo -m. For AMD: amd-smi static; amd-smi metric --mem-usage; amd-smi topology'

/** A planner over compiled data. What is not asked for is never parsed. */
export function openPlanner(first: Data): Planner {
  const data = {...first}
  const catalogue = packedCatalogue(data)
  const world: Context = {catalogue, engines: new Map(), detect: () => notRead('this computer'), readMachine: notRead, readModel: notRead}
  /** The text that was pasted last, and its world: reading it takes longer than an answer. */
  let read: {text: string; context: Context} | undefined
  const contextFor = (pasted: string | undefined): Context => {
    if (pasted === undefined) return world
    if (read?.text !== pasted) {
      const machine = machineOfText(catalogue, pasted, 'The pasted text', gpuFinder(catalogue), HOW_TO_PASTE)
      // Who asks is told; nobody may have asked yet.
      machine.catch(() => {})
      read = {text: pasted, context: {...world, readMachine: () => machine}}
    }
    return read.context
  }
  return {
    lists: () => listsOf(world),
    add: (more) => Object.assign(data, more),
    async answer({view, words, pasted}) {
      try {
        const own: Words = pasted === undefined ? words : {...words, gpu: '', link: '', machine: PASTED_FILE}
        const asked = readQuestion(own, {oneUser: view !== 'plan'})
        const {scenario, problems} = asked
        if (problems.length > 0) return {problems: problems.map((problem) => ({code: 'FIELD_INVALID', ...problem}))}
        if (scenario.model === '' && view !== 'models') throw new InputError('MODEL_MISSING', 'Choose a model')
        const anyMachine = scenario.gpu === undefined && scenario.machine === undefined
        if (anyMachine && view !== 'capacity')
          throw new InputError(
            'MACHINE_MISSING',
            'Choose a machine: cards, one of the list, a card by its figures, or what nvidia-smi or another tool printed there',
          )
        const context = contextFor(pasted)
        const machine = anyMachine ? undefined : await machineOf(context, scenario)
        const document = await ANSWERS[view](context, {...asked, words: own, machine})
        return {document, ...(machine && {machine: machineTitle(machine)})}
      } catch (error) {
        if (error instanceof MissingFile) return {missing: error.path}
        return {problems: [problemOf(error)]}
      }
    },
  }
}

interface Read extends ReadQuestion {
  words: Words
  machine: Machine | undefined
}

const ANSWERS: Record<Asked['view'], (context: Context, read: Read) => Promise<AnswerDocument>> = {
  async check(context, {scenario, words}) {
    const asked = commandOf(words, quoteWord)
    const {answered} = await answerAsked(context, scenario, NO_DOCUMENTS)
    return checkDocument(context.catalogue, answered, adviseOn(context, answered, asked), asked)
  },
  models: (context, {words}) => modelsFor(context, words),
  async plan(context, {scenario, objective, words}) {
    const asked = await planAsked(context, {...scenario, workload: scenario.workload!, objective}, NO_DOCUMENTS)
    const found = await plan(context, asked)
    return planDocument(context.catalogue, found, {...asked, title: planTitle(found, asked), words: commandOf(words, quoteWord, {and: ['objective']})})
  },
  async compare(context, {scenario, words}) {
    const found = await compared(context, {...scenario, workload: scenario.workload!}, {models: [], gpus: [], machines: []}, NO_DOCUMENTS)
    return compareDocument(found.rows, compareTitle(found), commandOf(words, quoteWord))
  },
  async capacity(context, {scenario, words, machine}) {
    const {report} = await capacity(context, await capacityAsked(context, scenario, words, machine))
    return capacityDocument(stamped(context.catalogue, report), fleetCommand(scenario, words))
  },
}

/** As `capacity` takes it: the model as a flag, the price with the machine that it is of. */
function fleetCommand({machine, gpu}: Scenario, words: Words): string {
  const {model = '', price, ...others} = words
  const named = machine ?? gpu
  const priced = price && named !== undefined ? ` --price ${quoteWord(`${named}=${price}`)}` : ''
  const rest = commandOf({...others, prefer: ''}, quoteWord, {and: ['think-seconds', 'growth', 'slo', 'spare', 'max-utilisation']}).replace(/^'' ?/, '')
  const beside = placesBeside(words).map((place) => ('gpu' in place ? ` --gpu ${quoteWord(place.gpu)}` : ` --machine ${quoteWord(place.machine)}`))
  return `--model ${quoteWord(model)} ${rest}${beside.join('')}${priced}`.trimEnd()
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
      throw new MissingFile(path)
    },
  })
}
