import {type ChildProcess, spawn} from 'node:child_process'
import {join} from 'node:path'
import type {Assault} from './assault.ts'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  /** It was ended for taking too long. */
  timedOut: boolean
  seconds: number
}

interface RunOptions {
  input?: string
  env?: Record<string, string>
  cwd?: string
  timeoutSeconds?: number
  /** Options of Node itself. */
  node?: string[]
}

const running = new Set<ChildProcess>()

/** A child that is ended with the attack. */
export function kept(child: ChildProcess): ChildProcess {
  running.add(child)
  return child.on('exit', () => running.delete(child))
}

/** Ends what is still running: nothing of an attack outlives it. */
export const endChildren = (): void => {
  for (const child of running) child.kill('SIGKILL')
}

/** More output than this is not kept. */
const MOST_CHARACTERS = 4_000_000
/** A machine under load answers in seconds; what hangs does not. */
const TIMEOUT_SECONDS = 60

export const program = (root: string): string => join(root, 'bin', 'run.js')

/** Nobody's settings, and no network. */
export const childEnvironment = (home: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  XDG_CACHE_HOME: join(home, '.cache'),
  HF_HOME: join(home, 'hf'),
  HF_HUB_OFFLINE: '1',
})

/** A program that nobody is waited for longer than is said. */
export function ran(command: string, args: readonly string[], {input = '', env = {}, cwd, timeoutSeconds = TIMEOUT_SECONDS}: RunOptions = {}): Promise<Ran> {
  const from = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, args, {env, cwd, stdio: ['pipe', 'pipe', 'pipe']})
    running.add(child)
    const texts = {stdout: '', stderr: ''}
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, timeoutSeconds * 1000)
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (texts[name].length < MOST_CHARACTERS) texts[name] += text
      })
    const end = (code: number | null) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({code, ...texts, timedOut, seconds: (performance.now() - from) / 1000})
    }
    child.on('error', () => end(null))
    child.on('close', end)
    // What does not read its input is no fault.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

/** The built command as a user starts it. */
export const servefit = (root: string, args: readonly string[], {node = [], ...options}: RunOptions): Promise<Ran> =>
  ran(process.execPath, [...node, program(root), ...args], options)

/** A command line to copy. */
export const shown = (args: readonly string[]): string =>
  `servefit ${args.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ')}`

/** Works through a list with so many at once, until the time is over. Each is tried once. */
export async function each<T>(assault: Assault, list: readonly T[], work: (item: T, index: number) => Promise<void>, atOnce = 2): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < list.length && !assault.isOver) {
      const index = next++
      await work(list[index]!, index)
    }
  }
  await Promise.all(Array.from({length: atOnce}, worker))
}
