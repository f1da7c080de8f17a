import {InputError} from '../../core/input-error.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import {isAtLeast} from '../../engines/versions.ts'
import type {Artifact} from './artifact.ts'
import {command} from './command.ts'
import {compose} from './compose.ts'
import {docker} from './docker.ts'
import {dynamo} from './dynamo.ts'
import {engineFile} from './engine-file.ts'
import {cannot, type Format} from './format.ts'
import {kubernetes} from './kubernetes.ts'
import {leaderWorkerSet} from './leaderworkerset.ts'
import {llmD} from './llm-d.ts'
import {ray} from './ray.ts'
import {slurm} from './slurm.ts'
import {hereDocument} from './shell.ts'
import {stopPatience} from './patience.ts'
import {fromAnywhere, onHost, type Startable} from './startable.ts'
import {systemd} from './systemd.ts'

/** Every way to write a start down, in the order of the contract. */
export const FORMATS: readonly Format[] = [command, engineFile, docker, compose, systemd, kubernetes, leaderWorkerSet, ray, slurm, dynamo, llmD]

/** The format of this name. @throws InputError FORMAT_UNKNOWN. */
export function formatOf(id: string): Format {
  const format = FORMATS.find((candidate) => candidate.id === id)
  if (!format)
    throw new InputError('FORMAT_UNKNOWN', `No format ${quotedShort(id)}: expected ${FORMATS.map((known) => known.id).join(', ')}`, {
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

/** Formats that start a program on the network of its machine, where no container and no cluster stands between. */
const ON_HOST = [...RUN_HERE, 'ray', 'slurm']

/** Formats that something stops which waits a while: a supervisor, a cluster, a limit of time. */
const STOPPED_BY_OTHERS = ['docker', 'compose', 'systemd', 'kubernetes', 'leaderworkerset', 'slurm', 'llm-d']

/** Formats of one program, which can be started several times. */
const ONE_BY_ONE = [...RUN_HERE, 'ray', 'slurm']

/** Formats that run the engine's own image. */
const IN_IMAGE = ['docker', 'compose', 'systemd', 'kubernetes', 'leaderworkerset', 'llm-d']

/** Options that name files of the image; one that was set by hand stays. */
function withImageFiles(startable: Startable): Startable {
  const {inImage = [], ...launch} = startable.launch
  const added = inImage.filter(({flag}) => !launch.flags.some((own) => own.flag === flag))
  return {...startable, launch: {...launch, flags: [...launch.flags, ...added]}}
}

/** Formats with a front end of their own, which is asked for the key. */
const OWN_FRONT = ['dynamo', 'llm-d']

/**
 * Whether a format starts each of several servers. Of slices, and of replicas that the engine cannot start together, the others start one, which is started for each by
 * hand; several servers that were asked for they refuse.
 */
export const startsEach = ({slice, separate}: Startable, format: string): boolean => (slice === undefined && !separate) || !ONE_BY_ONE.includes(format)

/** Formats of a cluster, which finds machines for as many servers as are wanted. */
const CLUSTER = ['kubernetes', 'leaderworkerset', ...OWN_FRONT]

export const isInCluster = (format: string): boolean => CLUSTER.includes(format)

/** Whether what deals requests out in a format takes servers rather than ranks, so that replicas are started one by one. */
export const startsApart = (format: string): boolean => OWN_FRONT.includes(format)

/** A startable as this format is given it. @throws InputError FORMAT_CANNOT for a public one whose front end is not written here. */
export function placed(startable: Startable, format: string): Startable {
  if (startable.isPublic && OWN_FRONT.includes(format))
    throw cannot(`${format} brings its own front end, which is opened and protected there: leave --public out, or use --format kubernetes`)
  const one = startsEach(startable, format) ? startable : {...startable, replicas: undefined}
  const located = RUN_HERE.includes(format) ? one : fromAnywhere(one)
  const heard = ON_HOST.includes(format) ? onHost(located) : IN_IMAGE.includes(format) ? withImageFiles(located) : located
  return STOPPED_BY_OTHERS.includes(format) ? draining(heard) : heard
}

/** A launch that is told to answer what it took before it stops, where that takes an option. One that was set by hand stays. */
function draining(startable: Startable): Startable {
  const {launch, serving, engine} = startable
  const {drain} = serving
  if (drain === undefined || !('flag' in drain) || !isAtLeast(engine.version, drain.since)) return startable
  if (launch.flags.some(({flag}) => flag === drain.flag)) return startable
  const {seconds, because} = stopPatience(startable)
  return {...startable, launch: {...launch, flags: [...launch.flags, {flag: drain.flag, value: seconds, because: `a stop waits ${because}`}]}}
}

/**
 * All files as one text for standard output: one as it is; several as a shell script that writes each, since nothing reads more than one of them
 * from one stream.
 */
export function joinArtifacts(artifacts: readonly Artifact[]): string {
  if (artifacts.length === 1) return artifacts[0]!.text
  const names = artifacts.map(({name}) => name)
  const header = `#!/bin/sh\n# Writes ${names.slice(0, -1).join(', ')} and ${names.at(-1)} where it is run; --out FOLDER writes them without it.\nset -eu\n`
  return `${header}${artifacts.map(({name, text}) => hereDocument(name, text)).join('')}`
}
