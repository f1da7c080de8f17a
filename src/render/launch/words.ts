import type {Launch, LaunchFlag, NodeFlag, NodeValue} from '../../engines/engine.ts'

/** One word of a command line: text, or text around a value that only the node knows. */
export type Word = string | {before: string; node: NodeValue}

/** One line of a command: a flag with its value, and why it is there. */
export interface Line {
  words: Word[]
  because?: string
}

export type Role = 'first' | 'follower'

/** A flag's words. A value that begins with a dash is joined with `=`, or it would be read as the next flag. */
export function flagWords({flag, value}: LaunchFlag | NodeFlag): Word[] {
  if (value === true) return [flag]
  if (Array.isArray(value)) return [flag, ...(value as readonly string[])]
  if (typeof value === 'object') return [flag, {before: (value as NodeValue).before ?? '', node: value as NodeValue}]
  const text = String(value)
  return text.startsWith('-') ? [`${flag}=${text}`] : [flag, text]
}

/** Everything behind the program: flags in their order, those of the node's role, the file. */
export function linesOf({flags, file, key, nodes}: Launch, role?: Role): Line[] {
  const joining = role === undefined ? [] : [...(nodes?.own?.every ?? []), ...(role === 'follower' ? (nodes?.own?.followers ?? []) : [])]
  const lines: Line[] = [...flags, ...joining].map((flag) => ({words: flagWords(flag), because: flag.because}))
  if (key && role !== 'follower') lines.push({words: [key.flag, {before: '', node: {of: 'secret', variable: key.variable}}], because: key.because})
  if (file) lines.push({words: [file.flag, file.name], because: 'options that only the file takes'})
  return lines
}

/** The same with the node's number filled in. */
export const withRank = (lines: readonly Line[], rank: number): Line[] =>
  lines.map((line) => ({
    ...line,
    words: line.words.map((word) =>
      typeof word === 'string' || word.node.of !== 'rank' ? word : `${word.before}${rank * (word.node.times ?? 1)}${word.node.after ?? ''}`,
    ),
  }))

/**
 * Words that hold nothing of a node, each written for its target; a secret, and what is given, as the target names it.
 * @throws RangeError otherwise: a format without nodes was given a launch over some.
 */
export const plainWords = (lines: readonly Line[], write: (word: string) => string, secret?: (variable: string) => string): string[] =>
  lines
    .flatMap(({words}) => words)
    .map((word) => {
      if (typeof word === 'string') return write(word)
      if ((word.node.of === 'secret' || word.node.of === 'given') && secret)
        return `${word.before === '' ? '' : write(word.before)}${secret(word.node.variable!)}`
      throw new RangeError('a value of a node is not known here')
    })
