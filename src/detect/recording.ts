import {parsePciEvent, PCI_DEVICES} from './pci.ts'
import type {DetectionEffects, ExecOutcome, SlowFacts, SystemFacts} from './probe.ts'
import {dictionary} from '../core/dictionary.ts'

/** Everything that one detection saw of the world: enough to run it again elsewhere, with the same answer. */
export interface Recording {
  schemaVersion: 1
  system?: SystemFacts
  /** Of the environment only what was looked at and is set. */
  env: Record<string, string>
  commands: RecordedCommand[]
  /** Text by path, of files that could be read. */
  files: Record<string, string>
  /** Names by directory. */
  directories: Record<string, string[]>
  /** Paths that were looked for and are there. */
  existing: string[]
  disks: Record<string, {totalBytes: number; freeBytes: number}>
  /** What the library told where it was asked. */
  slow?: {cpu?: Awaited<ReturnType<SlowFacts['cpu']>>; memory?: Awaited<ReturnType<SlowFacts['memory']>>}
}

export interface RecordedCommand {
  /** Program and arguments with blanks between. */
  line: string
  outcome: ExecOutcome
}

/** Effects that note what passes through them, and the note so far. */
export function recorded(effects: DetectionEffects): {effects: DetectionEffects; recording: () => Recording} {
  const commands = new Map<string, ExecOutcome>()
  const files: Record<string, string> = dictionary()
  const directories: Record<string, string[]> = dictionary()
  const existing = new Set<string>()
  const disks: Recording['disks'] = {}
  const env: Record<string, string> = dictionary()
  const slow: NonNullable<Recording['slow']> = {}
  const noted: DetectionEffects = {
    ...effects,
    async exec(command, args, options) {
      const outcome = await effects.exec(command, args, options)
      const line = [command, ...args].join(' ')
      if (!commands.has(line)) commands.set(line, outcome)
      return outcome
    },
    async readFile(path) {
      const text = await effects.readFile(path)
      if (text !== undefined) files[path] = text
      return text
    },
    env: new Proxy(effects.env, {
      get(target, name: string) {
        const value = target[name]
        if (value !== undefined) env[name] = value
        return value
      },
    }),
    async listDirectory(path) {
      const names = await effects.listDirectory?.(path)
      if (names !== undefined) directories[path] = names
      return names
    },
    async exists(path) {
      const there = (await effects.exists?.(path)) ?? false
      if (there) existing.add(path)
      return there
    },
    async diskSpace(path) {
      const space = await effects.diskSpace?.(path)
      if (space !== undefined) disks[path] = space
      return space
    },
    slow: effects.slow && {
      cpu: async () => (slow.cpu = await effects.slow?.cpu()),
      memory: async () => (slow.memory = await effects.slow?.memory()),
    },
  }
  return {
    effects: noted,
    recording: () =>
      trimmed({
        schemaVersion: 1,
        system: effects.system,
        env,
        commands: [...commands].map(([line, outcome]) => ({line, outcome})),
        files,
        directories,
        existing: [...existing],
        disks,
        ...(Object.keys(slow).length > 0 ? {slow} : {}),
      }),
  }
}

/** Without what detection read and had no use for: other devices of the bus, and most of a long list of processors. */
function trimmed(recording: Recording): Recording {
  const isOther = (path: string, text: string) => {
    const name = new RegExp(`^${PCI_DEVICES}/([^/]+)/uevent$`).exec(path)?.[1]
    return name !== undefined && parsePciEvent(text, name) === undefined
  }
  const kept = Object.entries(recording.files).filter(([path, text]) => !isOther(path, text))
  const gpus = new Set(kept.map(([path]) => new RegExp(`^${PCI_DEVICES}/([^/]+)/`).exec(path)?.[1]))
  const folders = Object.entries(recording.directories).map(([path, names]) => [path, path === PCI_DEVICES ? names.filter((name) => gpus.has(name)) : names])
  const path = (recording.env.PATH ?? '').split(':').filter((folder) => recording.existing.some((file) => file.startsWith(`${folder}/`)))
  return {
    ...recording,
    env: {...recording.env, ...(recording.env.PATH === undefined ? {} : {PATH: path.join(':')})},
    files: Object.fromEntries(kept.map(([name, text]) => [name, name === '/proc/cpuinfo' ? shortCpuinfo(text) : text])),
    directories: Object.fromEntries(folders),
  }
}

const CPU_FIELDS = /^(?:processor|vendor_id|model name|physical id|core id)\s*:/

/** Only the lines that are read; the flags of hundreds of processors fill a page each. */
function shortCpuinfo(text: string): string {
  return text
    .split('\n')
    .filter((line) => line.trim() === '' || CPU_FIELDS.test(line))
    .join('\n')
}

/** Effects of the machine that was recorded. What was not recorded is not there. */
export function replayed(recording: Recording, findGpu: DetectionEffects['findGpu']): DetectionEffects {
  const outcomes = new Map(recording.commands.map(({line, outcome}) => [line, outcome]))
  const {slow} = recording
  return {
    exec: async (command, args) => outcomes.get([command, ...args].join(' ')) ?? {kind: 'missing'},
    readFile: async (path) => recording.files[path],
    env: recording.env,
    findGpu,
    listDirectory: async (path) => recording.directories[path] ?? namesBelow(recording, path),
    exists: async (path) => recording.existing.includes(path),
    diskSpace: async (path) => recording.disks[path],
    system: recording.system,
    slow: slow && {cpu: async () => slow.cpu, memory: async () => slow.memory},
  }
}

/** A report that was written by hand need not list directories: they follow from the files. */
function namesBelow({files}: Recording, path: string): string[] | undefined {
  const names = Object.keys(files)
    .filter((file) => file.startsWith(`${path}/`))
    .map((file) => file.slice(path.length + 1).split('/')[0] ?? '')
  return names.length > 0 ? [...new Set(names)] : undefined
}
