import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import * as z from 'zod'
import {InputError} from '../../core/input-error.ts'

/** What a release's own sources say, as `read_engine.py` prints it, or as the shipped data says it of a release. */

const option = z.object({
  name: z.string(),
  type: z.enum(['int', 'float', 'bool', 'enum', 'json', 'str', 'list']),
  aliases: z.array(z.string()).optional(),
  choices: z.array(z.union([z.string(), z.number()])).optional(),
  default: z.unknown().optional(),
  open: z.boolean().optional(),
  deprecated: z.boolean().optional(),
  instead: z.string().optional(),
  /** What could not be read of it: the data keeps what it says. */
  unread: z.array(z.enum(['type', 'choices', 'default'])).optional(),
  source: z.string().optional(),
})

const builds = z.object({
  cudaVersion: z.string().optional(),
  cudaImage: z.array(z.string()).optional(),
  cudaSources: z.array(z.object({cudaFrom: z.string().optional(), capabilities: z.array(z.string())})).optional(),
  rocmBase: z.string().optional(),
  rocmImage: z.array(z.string()).optional(),
  hipSources: z.array(z.string()).optional(),
  requires: z.record(z.string(), z.string()).optional(),
})

const factsOfSources = z.object({
  version: z.string().nullable(),
  commit: z.string().optional(),
  /** A digest of the engine's code that turns fields into options. */
  translator: z.string().nullable(),
  options: z.array(option),
  architectures: z.array(z.string()),
  /** Class -> the last release that had it, as the engine itself says. */
  gone: z.record(z.string(), z.string()),
  /** Class -> the package that serves it now. */
  plugins: z.record(z.string(), z.string()),
  quantization: z.array(z.object({name: z.string(), minCapability: z.number().optional(), source: z.string().optional()})),
  speculativeMethods: z.array(z.string()).optional(),
  builds,
  unread: z.array(z.object({what: z.string(), where: z.string(), why: z.string()})),
})

export type Option = z.output<typeof option>
export type Builds = z.output<typeof builds>
export type Facts = z.output<typeof factsOfSources>

/** Engines whose sources can be read, by the name of their package. */
export const READABLE = ['vllm', 'sglang'] as const
export type ReadableEngine = (typeof READABLE)[number]

/**
 * Reads an unpacked source distribution or wheel. The reader is Python, since only Python parses Python; it imports
 * nothing of the engine.
 */
export function factsIn(root: string, engine: ReadableEngine, folder: string): Facts {
  const reader = join(root, 'src', 'build', 'learn', 'read_engine.py')
  const {status, stdout, stderr, error} = spawnSync('python3', [reader, engine, folder], {encoding: 'utf8', maxBuffer: 64 * 1024 * 1024})
  if (error) throw new InputError('PYTHON_MISSING', `python3 could not be started: ${error.message}. It parses the engine's sources; 3.9 or later will do`)
  if (status !== 0) throw new InputError('SOURCES_UNREADABLE', `The sources in ${folder} could not be read:\n${stderr.trim().split('\n').slice(-3).join('\n')}`)
  const facts = factsOfSources.parse(JSON.parse(stdout))
  if (facts.options.length === 0)
    throw new InputError('SOURCES_UNREADABLE', `No option of ${engine} was found in ${folder}: is it the unpacked source distribution or wheel?`)
  return facts
}
