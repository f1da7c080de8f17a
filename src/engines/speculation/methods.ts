import {InputError} from '../../core/input-error.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import type {EngineId} from '../../core/deployment.ts'
import {compareVersions, isAtLeast} from '../versions.ts'
import type {SpeculationMethod, SpeculationMethods} from './table.ts'

/** The first word of a method as it is written: "dflash n=5", "EAGLE3, org/draft". */
export const methodWord = (text: string): string => /^[a-z0-9_-]+/i.exec(text.trim())?.[0]?.toLowerCase() ?? ''

/** The scenario's name of a method, whatever engine's word it was asked by; undefined: nobody knows it. */
export function methodName(methods: SpeculationMethods, text: string): string | undefined {
  const word = methodWord(text)
  if (Object.hasOwn(methods, word)) return word
  return Object.entries(methods).find(([, {aliases}]) => aliases?.includes(word))?.[0]
}

/** As `methodName`. @throws InputError SPECULATION_UNKNOWN with the methods that there are. */
export function requireMethod(methods: SpeculationMethods, text: string): string {
  const name = methodName(methods, text)
  if (name !== undefined) return name
  const known = Object.entries(methods).map(([id, {aliases = []}]) => ({name: id, spellings: aliases}))
  const close = nearest(methodWord(text), known)
  throw new InputError('SPECULATION_UNKNOWN', `No method of speculative decoding named ${quotedShort(text)}: expected one such as mtp, eagle3 or ngram`, {
    suggestions: close.length > 0 ? close : Object.keys(methods),
  })
}

/** Whether an engine's release has a method: yes, or since when and until when it has. */
export type MethodAnswer = {kind: 'yes'; ownLayers: boolean} | {kind: 'too-old'; since: string} | {kind: 'gone'; until: string} | {kind: 'no'}

export function methodAnswer(method: SpeculationMethod, engine: EngineId, version: string): MethodAnswer {
  const rule = method.engines[engine]
  if (!rule) return {kind: 'no'}
  if (rule.since !== undefined && !isAtLeast(version, rule.since)) return {kind: 'too-old', since: rule.since}
  if (rule.until !== undefined && compareVersions(version, rule.until) > 0) return {kind: 'gone', until: rule.until}
  return {kind: 'yes', ownLayers: rule.ownLayers ?? false}
}
