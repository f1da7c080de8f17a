import {spawnSync} from 'node:child_process'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** Nobody's settings: what a developer saved for themselves is no part of a test. */
export const NO_SETTINGS = join(tmpdir(), 'servefit-tests-have-no-settings')

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the bundled command as a user would, away from any terminal. */
export function servefit(args: string[], options: {input?: string; env?: Record<string, string>; cwd?: string} = {}): Ran {
  const {status, stdout, stderr} = spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    cwd: options.cwd ?? root,
    // No test may ask a hub on the network by mistake.
    env: {PATH: process.env.PATH, HOME: process.env.HOME, HF_HUB_OFFLINE: '1', XDG_CONFIG_HOME: NO_SETTINGS, ...options.env},
    maxBuffer: 1 << 28,
  })
  return {code: status, stdout, stderr}
}

/** Processor time of the command, in seconds: what the shell counts for its children. */
export function processorSeconds(args: string[]): number {
  const {stdout} = spawnSync('sh', ['-c', '"$0" "$@" > /dev/null; times', process.execPath, join(root, 'bin', 'run.js'), ...args], {
    encoding: 'utf8',
    env: {PATH: process.env.PATH, HOME: NO_SETTINGS, HF_HUB_OFFLINE: '1'},
  })
  const [user, system] = [
    ...stdout
      .trim()
      .split('\n')[1]!
      .matchAll(/(\d+)m([\d.]+)s/g),
  ].map(([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds))
  return user! + system!
}
