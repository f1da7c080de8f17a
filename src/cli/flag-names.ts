import {dictionary} from '../core/dictionary.ts'

/**
 * Names that people type, by the scenario's own: help lists flags under them and "next" lines use them. Both are taken.
 */
const TYPED: Record<string, string> = dictionary({concurrency: 'users', 'input-tokens': 'input', 'output-tokens': 'output'})

export const typedName = (flag: string): string => TYPED[flag] ?? flag

/** The spelling in which a flag stands on a command line, so that an error names what was typed. */
export function spelledAs(flag: string, aliases: readonly string[], argv: readonly string[] = []): string {
  const stands = (name: string) => argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))
  return [flag, ...aliases].find(stands) ?? typedName(flag)
}

/** The scenario's name for what people type. */
export const flagNamed = (typed: string): string => Object.keys(TYPED).find((flag) => TYPED[flag] === typed) ?? typed
