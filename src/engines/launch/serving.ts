import type {Accelerator} from '../../core/accelerator.ts'
import {isAtLeast} from '../versions.ts'

/** A published container image; `data/engines/<engine>.yaml`. */
export interface EngineImage {
  vendor: string
  repository: string
  /** `{version}` stands for the release. */
  tag: string
  since?: string
  /** AMD targets that it is built for; absent: all. */
  gfx?: string[]
  /** Architectures of the accelerator, or of the processor, that it is built for; absent: all. */
  architectures?: string[]
  /** What it starts by itself; absent: the words it is given. */
  entrypoint?: string[]
  /** Digests of tags that are known, of the index of all platforms. */
  digests?: Record<string, string>
  /** It also runs as this user, with a home folder that the group may write to. */
  nonRoot?: NonRoot & {since: string}
}

/** Whom a container runs as in the place of root, and that user's home folder. */
export interface NonRoot {
  user: number
  group: number
  home: string
}

/** How an engine is reached and configured once it runs; part of `data/engines/<engine>.yaml`. */
export interface EngineServing {
  images: EngineImage[]
  port: number
  /** Address it listens at unless told otherwise; absent: all of them. */
  defaultHost?: string
  healthPath: string
  metricsPath?: string
  configFile: {flag: string; format: string; keys: 'hyphen' | 'field'}
  /** Folders below the home folder where it keeps what it compiled, with the last release that does. */
  compileCaches?: {folder: string; until?: string}[]
  /** Whether what it is answering is answered to the end when it is told to stop: always, or with this option. */
  drain?: {always: true} | {flag: string; since: string}
}

/**
 * The last image whose vendor, release and target fit, as `repository:tag` with its digest where that is known, and whom it can run as in the place of root; undefined where none is known.
 * @param variant ending of the tag of another build than the default one (`cu130`).
 */
export function imageFor(
  {images}: EngineServing,
  {vendor, gfxTarget, architecture}: Accelerator,
  version: string,
  variant?: string,
): {image: string; nonRoot?: NonRoot} | undefined {
  const fitting = images.filter(
    (image) =>
      image.vendor === vendor &&
      (image.since === undefined || isAtLeast(version, image.since)) &&
      (image.gfx === undefined || (gfxTarget !== undefined && image.gfx.includes(gfxTarget))) &&
      (image.architectures === undefined || (architecture !== undefined && image.architectures.includes(architecture))),
  )
  const image = fitting.at(-1)
  if (!image) return undefined
  const usual = image.tag.replaceAll('{version}', version)
  const tag = variant === undefined ? usual : `${usual.replace(/-cu\d+$/, '')}-${variant}`
  const digest = image.digests && Object.hasOwn(image.digests, tag) ? `@${image.digests[tag]}` : ''
  const {user, group, home, since} = image.nonRoot ?? {since: undefined}
  return {
    image: `${image.repository}:${tag}${digest}`,
    ...(since !== undefined && isAtLeast(version, since) && {nonRoot: {user: user!, group: group!, home: home!}}),
  }
}

/** Whether the engine's images start it by themselves, so that what they start must be replaced. */
export const imagesStartEngine = ({images}: EngineServing): boolean => images.some(({entrypoint}) => entrypoint !== undefined)
