import {dictionary} from '../../core/dictionary.ts'
import {InputError} from '../../core/input-error.ts'
import {assumedLoad, type Objective, type Scenario} from '../../planner/scenario/index.ts'
import {type Field, fieldOf, FIELDS, OF_SOME, type Words} from './fields.ts'

/** The name that a pasted text goes by in a command. */
export const PASTED_FILE = './machine.txt'

/** What is wrong with one field. */
export interface FieldProblem {
  flag: string
  message: string
  suggestions: string[]
}

/** A question that was read: the scenario, with what of it could not be. */
export interface ReadQuestion {
  scenario: Scenario
  objective: Objective
  problems: FieldProblem[]
}

/** Of these one excludes the other; what stands first wins. */
const EITHER: readonly (readonly [string, string])[] = [
  ['gpu', 'machine'],
  ['request-rate', 'concurrency'],
]

/** Rank that adapters are counted with where nobody says one, as the command does (PEFT's examples; vLLM's default for --max-lora-rank). */
const USUAL_RANK = 16

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value at a path like `workload.concurrency` of a tree of plain objects. */
function setAt(tree: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return
  if (rest.length > 0) {
    if (!isObject(tree[name])) tree[name] = {}
    setAt(tree[name] as Record<string, unknown>, rest, value)
    return
  }
  tree[name] = value
}

const isExcluded = ({flag}: Field, words: Words): boolean => EITHER.some(([winner, loser]) => flag === loser && (words[winner] ?? '') !== '')

/** The scenario that words spell, with the load that is assumed where none is given. `oneUser`: a load that nobody stated is that of one person. */
export function readQuestion(words: Words, {oneUser = true}: {oneUser?: boolean} = {}): ReadQuestion {
  const tree: Record<string, unknown> = dictionary()
  const problems: FieldProblem[] = []
  let objective: Objective = 'throughput'
  for (const field of FIELDS) {
    const text = (words[field.flag] ?? '').trim()
    if (text === '' || isExcluded(field, words)) continue
    try {
      const value = field.parse(text)
      if (field.flag === 'objective') objective = value as Objective
      else setAt(tree, field.path ?? [], value)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({flag: field.flag, message: error.message, suggestions: [...error.suggestions]})
    }
  }
  // A draft is of a method, a rank of adapters.
  if (words.draft && !words.speculative) problems.push({flag: 'draft', message: 'a draft is given without a method that uses it', suggestions: []})
  if (words['lora-rank'] && !words.lora) problems.push({flag: 'lora-rank', message: 'a rank is given without the number of adapters', suggestions: []})
  const {lora, workload: load = {}} = tree as {lora?: object; workload?: Partial<NonNullable<Scenario['workload']>>}
  if (lora) tree.lora = {maxRank: USUAL_RANK, ...lora}
  const open = load.requestRate !== undefined || (!oneUser && load.concurrency === undefined)
  const workload = {...assumedLoad(tree.maxModelLen as number | undefined, load), ...(open && {concurrency: undefined}), ...load}
  return {scenario: {model: '', ...tree, workload} as Scenario, objective, problems}
}

/** The arguments that ask the same on a command line; with those of `and`, which only some commands have. */
export function commandOf(words: Words, quote: (word: string) => string, {and = []}: {and?: readonly string[]} = {}): string {
  const parts = [quote(words.model ?? '')]
  for (const field of FIELDS) {
    const value = words[field.flag]
    if (value === undefined || value === '' || field.flag === 'model' || (OF_SOME.has(field.flag) && !and.includes(field.flag)) || isExcluded(field, words))
      continue
    parts.push(`--${field.flag}`)
    if (!field.isSwitch) parts.push(quote(value))
  }
  return parts.join(' ')
}

/** Words of a POSIX shell as `quoteWord` writes them: plain, in single quotes, or behind a backslash. */
export function shellWords(command: string): string[] {
  const found = command.match(/(?:[^\s'\\]|'[^']*'|\\.)+/gs) ?? []
  return found.map((word) => word.replaceAll(/'([^']*)'|\\(.)/gs, (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? ''))
}

/** What a command that was advised asks: the words of `servefit check MODEL --flag value ...`; undefined where it is not one of those. */
export function wordsOfCommand(command: string): Words | undefined {
  const [program, , model, ...rest] = shellWords(command)
  if (program !== 'servefit' || model === undefined) return undefined
  const words: Record<string, string> = dictionary({model})
  for (let at = 0; at < rest.length; at++) {
    const [name, joined] = splitFlag(rest[at]!)
    const field = name === undefined ? undefined : fieldOf(name)
    if (!field) return undefined
    if (field.isSwitch) words[field.flag] = 'yes'
    else {
      const value = joined ?? rest[++at]
      if (value === undefined) return undefined
      words[field.flag] = value
    }
  }
  return words
}

function splitFlag(word: string): [string | undefined, string | undefined] {
  const match = /^--([\w-]+)(?:=(.*))?$/s.exec(word)
  return [match?.[1], match?.[2]]
}
