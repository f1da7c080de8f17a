import {InputError} from '../../core/input-error.ts'
import type {Artifact} from './artifact.ts'
import type {FormatId} from './format-ids.ts'
import type {Startable} from './startable.ts'

/** One way to write a start down. @throws InputError where it cannot express the deployment. */
export interface Format {
  id: FormatId
  summary: string
  write(startable: Startable): Artifact[]
  /** What stands around the launch itself, and why. Absent: nothing does. */
  around?(startable: Startable): Around[]
}

/** A part of a start file that is not the engine's, and why it is there. */
export interface Around {
  what: string
  because: string
}

export const cannot = (message: string): InputError => new InputError('FORMAT_CANNOT', message)

/** For formats of one machine. */
export function requireOneNode({launch}: Startable, what: string): void {
  if (launch.nodes) throw cannot(`${what} starts one machine; this deployment takes ${launch.nodes.count}: use --format command, slurm, ray or leaderworkerset`)
}

/** For formats of one server. */
export function requireOneServer({replicas = 1}: Startable, what: string): void {
  if (replicas > 1)
    throw cannot(`${what} starts one server, and this takes ${replicas} with a router in front: use --format compose, docker, systemd or kubernetes`)
}

export function requireImage({image, engine, vendor}: Startable): string {
  if (image === undefined)
    throw cannot(`no container image of ${engine.title} ${engine.version} is known for this ${vendor.toUpperCase()} GPU: use --format command`)
  return image
}
