/** Words of a command line before oclif reads them. */

/** Flags whose next word may look like a flag: an engine's own, which keeps its spelling. */
const TAKES_FLAGS = new Set(['--set', '--engine-flag'])

/**
 * `--max_model_len` is read as `--max-model-len`: only names of flags change, never values, and nothing behind `--`, which is an engine's own
 * command. A `--json` that ends that command is ours: no engine has a flag of this name.
 */
export function normalisedArgv(argv: readonly string[]): string[] {
  const at = argv.indexOf('--')
  const own = at < 0 ? argv : argv.slice(0, at)
  const command = at < 0 ? [] : argv.slice(at + 1)
  const ends = command.at(-1) === '--json'
  const words = own.map((word, index) => (word.startsWith('--') && !TAKES_FLAGS.has(own[index - 1] ?? '') ? withDashes(word) : word))
  if (at < 0) return words
  return [...words, ...(ends ? ['--json'] : []), '--', ...(ends ? command.slice(0, -1) : command)]
}

function withDashes(word: string): string {
  const end = word.indexOf('=')
  const name = end < 0 ? word : word.slice(0, end)
  return name.replaceAll('_', '-') + word.slice(name.length)
}

/** `--engine-version 0.28.0 0.33.0` gives both releases: the flag takes the word behind its value too where that begins with a digit. */
export function twoVersions(argv: readonly string[]): string[] {
  const at = argv.findIndex((word) => word === '--engine-version' || word.startsWith('--engine-version='))
  const second = at < 0 ? -1 : argv[at] === '--engine-version' ? at + 2 : at + 1
  const isRelease = second > 0 && /^v?\d+(?:\.\d+)+/.test(argv[second] ?? '')
  return isRelease ? [...argv.slice(0, second), '--engine-version', ...argv.slice(second)] : [...argv]
}

/** Words of the command line that are servefit's own, and the engine's command behind `--`. */
export function partedArgv(argv: readonly string[]): {own: string[]; command?: string[]} {
  const at = argv.indexOf('--')
  return at < 0 ? {own: [...argv]} : {own: argv.slice(0, at), command: argv.slice(at + 1)}
}

/** Words that begin an engine's command where `--` was forgotten. */
const PROGRAMS = new Set(['vllm', 'sglang', 'trtllm-serve', 'docker', 'podman', 'python', 'python3'])

/** The program of an engine's command that was given without `--`, word by word or in one pair of quotes: `vllm serve Qwen/Qwen3-32B`. */
export function engineProgram(words: readonly string[]): string | undefined {
  const [first = ''] = (words[0] ?? '').trim().split(/\s+/)
  return PROGRAMS.has(first) ? first : undefined
}

/** What to do about it. */
export const markCommand = (words: readonly string[]): string => {
  const [first, second] = words.join(' ').trim().split(/\s+/)
  return `"${first}" begins an engine's own command: put -- before it, as in servefit check --gpu 2xrtx-4090 -- ${second === undefined || second.startsWith('-') ? first : `${first} ${second}`} ...`
}
