import {InputError} from '../core/input-error.ts'
import {newerRevision} from '../engines/launch/needs.ts'
import {parseSetting} from '../engines/launch/settings.ts'
import {type Answer, isYes, type Result, toResult} from '../planner/answer/index.ts'
import {type Context, engineData} from '../planner/world/index.ts'
import type {Artifact} from '../render/launch/artifact.ts'
import {type LaunchReason, launchReasons} from '../render/launch/explain.ts'
import {extras} from '../render/launch/extras.ts'
import {formatOf, isInCluster, joinArtifacts, placed, startsApart, writeFormat} from '../render/launch/formats.ts'
import {startableOf} from '../render/launch/startable-from.ts'
import type {Startable} from '../render/launch/startable.ts'
import {stamped} from './stamp.ts'

/** What `config --json` prints: the answer with its artifact. */
export interface ConfigResult extends Result {
  artifact?: {
    format: string
    text: string
    files: Artifact[]
    /** Every option with the reason it is there. */
    options: LaunchReason[]
  }
  /** Paths of what --out wrote. */
  written?: string[]
}

export interface ConfigOptions {
  /** As `config --format` takes it; absent: command. */
  format?: string
  /** Options of the engine that are set by hand, as FLAG=VALUE or FLAG. */
  set?: string[]
  /** Others than this machine reach it, with an API key. */
  public?: boolean
  /** So many equal servers, with a router in front. */
  replicas?: number
}

/** An answer that can be started, or the reason why not in its result. */
export interface Started {
  answered: Answer
  result: ConfigResult
  /** Absent where the answer is no. */
  startable?: Startable
  format: string
  /** Options set by hand whose memory and speed are not counted. */
  uncounted: string[]
}

/**
 * What is started for an answer. `adapters`: LoRA adapters by the names that requests give.
 * @throws InputError MODEL_NAMELESS where there is nothing to start, and for options that the engine does not have.
 */
export async function startOf(
  context: Context,
  answered: Answer,
  {format = 'command', set = [], public: isPublic, replicas}: ConfigOptions,
  adapters: readonly {name: string; path: string}[] = [],
): Promise<Started> {
  formatOf(format)
  const settings = set.map(parseSetting)
  const {best, scenario} = answered
  const result: ConfigResult = stamped(context.catalogue, toResult(best))
  if (best.checkpoint.hfId === '' || answered.named.missing !== undefined)
    throw new InputError(
      'MODEL_NAMELESS',
      `${answered.named.missing ?? `${scenario.model} does not say which repository it belongs to`}, so there is nothing to start: give a folder with its weights (model.safetensors or its parts beside config.json), or the repository's name`,
    )
  if (!isYes(best)) return {answered, result, format, uncounted: []}
  const where = {replicas, apart: startsApart(format), inCluster: isInCluster(format)}
  const startable = placed(startableOf(context.catalogue, answered, settings, {adapters, isPublic, ...where}), format)
  if (settings.length === 0) return {answered, result, startable, format, uncounted: []}
  const names = settings.map(({name}) => `--${name.replace(/^-+/, '')}`)
  result.warnings = [...result.warnings, {code: 'not-counted', message: `set by hand and not counted in any number: ${names.join(', ')}`}]
  const {purposeOf} = await import('../engines/launch/read/purposes.ts')
  return {answered, result, startable, format, uncounted: names.filter((name) => purposeOf(name).matters)}
}

/** What is written for something that can be started: the files of its format, and those beside them. */
export interface Written {
  result: ConfigResult & Required<Pick<ConfigResult, 'artifact'>>
  files: Artifact[]
  /** What drafting would bring; absent where it would not pay. */
  offer?: string
  /** That the maker has a newer release of the checkpoint. */
  newer?: string
  /** A first request, the engine's benchmark, how to use them. */
  beside(): Artifact[]
}

/** @throws InputError FORMAT_CANNOT, TEXT_UNUSABLE. */
export async function writtenFor(context: Context, {answered, result, startable, format}: Started & {startable: Startable}): Promise<Written> {
  const {best} = answered
  const successor = newerRevision(engineData(context, best.engine.id).needs, best.checkpoint.hfId)
  const newer = successor === undefined ? undefined : `${successor} is the newer release of ${best.checkpoint.hfId} by its maker`
  if (newer !== undefined) result.warnings = [...result.warnings, {code: 'newer-checkpoint', message: newer}]
  const offer = await draftingOffer(answered)
  if (offer !== undefined) result.warnings = [...result.warnings, {code: 'drafting-offered', message: offer}]
  const files = writeFormat(format, startable)
  const artifact = {format, text: joinArtifacts(files), files, options: launchReasons(startable.launch)}
  return {result: {...result, artifact}, files, offer, newer, beside: () => extras(startable, format, offer)}
}

/** What the model's own draft layers would bring at the load that was asked about; nothing where they would not pay. */
async function draftingOffer({best, question}: Answer): Promise<string | undefined> {
  if (best.model.architecture.draft === undefined || best.workload === undefined) return undefined
  const [{draftingOptions}, {draftingWords}] = await Promise.all([import('../planner/plan/index.ts'), import('../render/drafting.ts')])
  const own = draftingOptions({evaluation: best}, question).find(({speculative: {method, draft}}) => method === 'mtp' && draft === undefined)
  return own && own.gain > 1 ? draftingWords(own) : undefined
}
