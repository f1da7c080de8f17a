import {InputError} from '../../core/input-error.ts'
import {nearest} from '../../core/nearest.ts'
import type {Artifact} from './artifact.ts'
import {command} from './command.ts'
import {compose} from './compose.ts'
import {docker} from './docker.ts'
import {dynamo} from './dynamo.ts'
import {engineFile} from './engine-file.ts'
import type {Format} from './format.ts'
import {kubernetes} from './kubernetes.ts'
import {leaderWorkerSet} from './leaderworkerset.ts'
import {llmD} from './llm-d.ts'
import {ray} from './ray.ts'
import {slurm} from './slurm.ts'
import {fromAnywhere, type Startable} from './startable.ts'
import {systemd} from './systemd.ts'

/** Every way to write a start down, in the order of the contract. */
export const FORMATS: readonly Format[] = [command, engineFile, docker, compose, systemd, kubernetes, leaderWorkerSet, ray, slurm, dynamo, llmD]

/** The format of this name. @throws InputError FORMAT_UNKNOWN. */
export function formatOf(id: string): Format {
  const format = FORMATS.find((candidate) => candidate.id === id)
  if (!format)
    throw new InputError('FORMAT_UNKNOWN', `No format "${id}": expected ${FORMATS.map((known) => known.id).join(', ')}`, {
      suggestions: nearest(
        id,
        FORMATS.map((known) => known.id),
      ),
    })
  return format
}

/** @throws InputError FORMAT_UNKNOWN, FORMAT_CANNOT, or TEXT_UNUSABLE where a value cannot be passed to any program. */
export function writeFormat(id: string, startable: Startable): Artifact[] {
  const format = formatOf(id)
  try {
    return format.write(placed(startable, id))
  } catch (error) {
    if (error instanceof RangeError) throw new InputError('TEXT_UNUSABLE', error.message)
    throw error
  }
}

/** Formats that are run where they were asked for: a path that was given stays as it is. */
const RUN_HERE = ['command', 'file']

/** A startable as this format is given it. */
export const placed = (startable: Startable, format: string): Startable => (RUN_HERE.includes(format) ? startable : fromAnywhere(startable))

const SEPARATORS: Record<string, string> = {sh: '\n', sbatch: '\n'}

/** All files as one text for standard output: one as it is, scripts behind one another, others under their names. */
export function joinArtifacts(artifacts: readonly Artifact[]): string {
  if (artifacts.length === 1) return artifacts[0]!.text
  if (artifacts.every(({name}) => SEPARATORS[name.slice(name.lastIndexOf('.') + 1)] !== undefined)) return artifacts.map(({text}) => text).join('\n')
  return artifacts.map(({name, text}) => `# ---- ${name} ----\n${text}`).join('\n')
}
