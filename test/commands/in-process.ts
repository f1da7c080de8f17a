import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {Config} from '@oclif/core/config'
import {vi} from 'vitest'
import type {ServefitCommand} from '../../src/cli/base.ts'
import {NO_SETTINGS, type Ran, root} from './spawn.ts'

type CommandClass = {run(argv: string[], config: Config): Promise<unknown>} & typeof ServefitCommand

let loaded: Promise<Config> | undefined

/** A command line whose first words name a command, however deep: models show qwen3-32b. */
async function commandOf(words: string[]): Promise<{command: CommandClass; argv: string[]}> {
  for (const depth of [2, 1]) {
    for (const end of ['.ts', '/index.ts']) {
      const file = join(root, 'src', 'commands', `${words.slice(0, depth).join('/')}${end}`)
      if (words.length >= depth && existsSync(file)) return {command: ((await import(file)) as {default: CommandClass}).default, argv: words.slice(depth)}
    }
  }
  throw new Error(`no command ${words.join(' ')}`)
}

/**
 * Runs a command in this process, away from any terminal: many times faster than starting one. `environment` holds for the time of the run.
 */
export async function inProcess(words: string[], environment: Record<string, string> = {}): Promise<Ran> {
  loaded ??= Config.load({root, devPlugins: false, userPlugins: false})
  const config = await loaded
  const {command, argv} = await commandOf(words)
  const written = {stdout: '', stderr: ''}
  const writes = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text)
      return true
    }),
  )
  const own = {HF_HUB_OFFLINE: '1', XDG_CONFIG_HOME: NO_SETTINGS, NO_COLOR: '', FORCE_COLOR: '', COLUMNS: '', ...environment}
  for (const [name, value] of Object.entries(own)) vi.stubEnv(name, value)
  const [before, listeners] = [process.exitCode, process.stdout.getMaxListeners()]
  process.exitCode = undefined
  // Every command listens for a reader that goes away.
  process.stdout.setMaxListeners(0)
  try {
    await command.run(argv, config)
    return {code: Number(process.exitCode ?? 0), ...written}
  } finally {
    process.exitCode = before
    process.stdout.setMaxListeners(listeners)
    for (const write of writes) write.mockRestore()
    vi.unstubAllEnvs()
  }
}

/** A path in test/fixtures. */
export const fixture = (...parts: string[]): string => join(root, 'test', 'fixtures', ...parts)
