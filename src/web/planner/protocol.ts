import type {AnswerDocument} from '../documents/index.ts'
import type {View} from '../question/link.ts'
import type {Words} from '../question/fields.ts'

/** Compiled data by its path, each file as the text of its JSON: what nobody asks for is never parsed. */
export type Data = Readonly<Record<string, string>>

export interface Asked {
  view: View
  words: Words
  pasted?: string
}

export type Request = {id: number} & ({kind: 'open'; data: Data} | {kind: 'more'; data: Data} | {kind: 'lists'} | ({kind: 'answer'} & Asked))

/** What went wrong, in words. */
export interface Problem {
  code: string
  message: string
  suggestions: string[]
  /** The flag that it is about. */
  flag?: string
}

export type Reply = {id: number} & ({lists: Lists} | {document: AnswerDocument; machine?: string} | {problems: Problem[]} | {missing: string} | {ready: true})

/** What can be chosen. */
export interface Lists {
  models: Choice[]
  gpus: Choice[]
  machines: Choice[]
  engines: {id: string; title: string; versions: string[]}[]
  kvCaches: string[]
}

export interface Choice {
  value: string
  title: string
  /** Said beside it: parameters, memory. */
  note: string
  /** Further spellings that are looked through. */
  names: readonly string[]
}
