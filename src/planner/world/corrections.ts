/**
 * What an engine's own log corrected: bytes that a release takes on a GPU beyond (or below) the prediction, kept in the user's
 * configuration by `verify --save`. Later answers for that GPU, engine and minor release carry them as a term.
 */
import type {MemoryEstimate, MemoryPart} from '../../core/memory.ts'
import type {Deployment} from '../../core/deployment.ts'
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import type {Engine, EngineData, Subject} from '../../engines/engine.ts'
import {compareVersions, minorOf, resolveVersion} from '../../engines/versions.ts'

/** The difference that one log showed. */
export interface Correction {
  gpu: string
  engine: string
  engineVersion: string
  /** Day of the log's reading, as 2026-01-31. */
  date: string
  /** What the engine takes beside weights and cache, more than predicted; bytes on the fullest GPU. */
  overheadBytes: number
  /** What this checkpoint's weights take more than predicted, on the ranks of `from`: it says nothing of other checkpoints. */
  weightsBytes?: number
  /** What ran when it was measured, and what the log and the prediction said of it. */
  from: CorrectionSource
}

/** Fields behind the layout are absent in corrections that older versions kept. */
export interface CorrectionSource {
  hfId: string
  weights: string
  tp: number
  pp: number
  dp: number
  kvCache?: string
  maxModelLen?: number
  gpuMemoryUtilization?: number
  /** The build that ran, where it was judged by the release that the correction is kept for. */
  build?: string
  /** How the start ended. */
  outcome?: string
  /** Room for the cache on the fullest GPU. */
  predictedCacheBytes?: number
  reportedCacheBytes?: number
}

/** What a checkpoint is called: its repository, or the model of files that name none. */
export const nameOfCheckpoint = ({checkpoint, model}: Pick<Subject, 'checkpoint' | 'model'>): string => checkpoint.hfId || model.id

const sameCheckpoint = ({from}: Correction, subject: Subject): boolean => from.hfId === nameOfCheckpoint(subject) && from.weights === subject.checkpoint.weights
const sameLayout = ({from}: Correction, {tp = 1, pp = 1, dp = 1}: Pick<Partial<Deployment>, 'tp' | 'pp' | 'dp'>): boolean =>
  from.tp === tp && from.pp === pp && from.dp === dp

/** Releases between two of one minor, in the order of versions; as a rank, the nearest highest. */
function nearness(releases: readonly string[], from: string, to: string): number {
  const order = [...new Set([...releases, from, to])].sort(compareVersions)
  return -Math.abs(order.indexOf(from) - order.indexOf(to))
}

/**
 * The correction that is closest to a question: of the same GPU, the same layout and checkpoint before others, then of the very release, then of the
 * nearest of its minor, then the newest.
 */
export function correctionFor(
  corrections: readonly Correction[],
  subject: Subject,
  version: string,
  layout: Pick<Partial<Deployment>, 'tp' | 'pp' | 'dp'>,
): Correction | undefined {
  const fitting = corrections.filter(({gpu, engineVersion}) => gpu === subject.gpu.accelerator.id && minorOf(engineVersion) === minorOf(version))
  const releases = fitting.map(({engineVersion}) => engineVersion)
  const rank = (correction: Correction): number[] => [
    (sameLayout(correction, layout) ? 2 : 0) + (sameCheckpoint(correction, subject) ? 1 : 0),
    nearness(releases, correction.engineVersion, version),
  ]
  const isCloser = (one: Correction, other: Correction): boolean => {
    const [a, b] = [rank(one), rank(other)]
    const at = a.findIndex((value, index) => value !== b[index])
    return at < 0 ? one.date >= other.date : a[at]! > b[at]!
  }
  return fitting.reduce<Correction | undefined>((best, next) => (best === undefined || isCloser(next, best) ? next : best), undefined)
}

/** A correction beside those that are kept: it takes the place of an earlier one of the same checkpoint, layout, GPU and release. */
export function withCorrection(corrections: readonly Correction[], fresh: Correction): Correction[] {
  const key = ({gpu, engine, engineVersion, from}: Correction) =>
    JSON.stringify([gpu, engine, engineVersion, from.hfId, from.weights, from.tp, from.pp, from.dp])
  return [...corrections.filter((old) => key(old) !== key(fresh)), fresh]
}

/** Bytes that a correction adds for this question. */
const correctedBytes = (correction: Correction, subject: Subject, layout: Pick<Partial<Deployment>, 'tp' | 'pp' | 'dp'>): number =>
  correction.overheadBytes +
  (correction.weightsBytes !== undefined && sameCheckpoint(correction, subject) && sameLayout(correction, layout) ? correction.weightsBytes : 0)

const sourceWords = ({from, engineVersion, gpu}: Correction, engine: Engine): string =>
  `${from.hfId} on ${from.tp * from.pp * from.dp} x ${gpu} under ${engine.title} ${engineVersion}`

/** The engine's parameters with `bytes` more taken by every process. A view: the rest of the data is read only where it is asked for. */
export function withMoreRuntime(data: EngineData, bytes: number): EngineData {
  const {overheads} = data
  const runtimeBytes = Object.fromEntries(Object.entries(overheads.runtimeBytes).map(([vendor, own]) => [vendor, own + bytes]))
  return Object.create(data, {overheads: {value: {...overheads, runtimeBytes, correctionBytes: bytes}, enumerable: true}}) as EngineData
}

/** The larger of the parts that a correction may take from: what the engine holds beside weights and cache. */
function largestOverhead({terms}: Pick<MemoryEstimate, 'terms'>): {part: MemoryPart; bytes: number} {
  const of = (part: MemoryPart) => ({part, bytes: sumBytes(terms.filter((term) => term.part === part))})
  const [runtime, activation] = [of('runtime'), of('activation')]
  return activation.bytes > runtime.bytes ? activation : runtime
}

/** The same estimate with what was corrected as a term of its own: totals stay what they are. */
function withTerm(memory: MemoryEstimate, correction: Correction, bytes: number, engine: Engine): MemoryEstimate {
  const terms = memory.terms.map((term) => (term.name === 'runtime' ? {...term, bytes: term.bytes - bytes} : term))
  // What is less than predicted comes off the larger part: no part is below nothing.
  const part = bytes >= 0 ? 'runtime' : largestOverhead({terms}).part
  const at = terms.findIndex(({part}) => part === 'kv-cache' || part === 'state')
  const term = {
    name: `correction from ${correction.date}`,
    bytes,
    kind: 'measured' as const,
    part,
    because: `the start-up log of ${sourceWords(correction, engine)} showed ${bytesInWords(Math.abs(bytes))} ${bytes < 0 ? 'less' : 'more'} than predicted`,
  }
  return {...memory, terms: at < 0 ? [...terms, term] : [...terms.slice(0, at), term, ...terms.slice(at)]}
}

/**
 * An engine whose answers carry what logs corrected. Where nothing was measured it answers as before.
 * `create` makes the engine from its data, as the registry does.
 */
export function correctedEngine(base: Engine, create: (data: EngineData) => Engine, data: EngineData, corrections: readonly Correction[]): Engine {
  const made = new Map<number, Engine>()
  const taking = (bytes: number): Engine => {
    const engine = made.get(bytes) ?? create(withMoreRuntime(data, bytes))
    made.set(bytes, engine)
    return engine
  }
  const find = (subject: Subject, version: string, layout: Pick<Partial<Deployment>, 'tp' | 'pp' | 'dp'>) => {
    const correction = correctionFor(corrections, subject, version, layout)
    return correction && {correction, bytes: correctedBytes(correction, subject, layout)}
  }
  return {
    ...base,
    resolve(subject, request) {
      const found = find(subject, resolveVersion(request.engineVersion, base.newestVersion).version, request)
      return (found ? taking(found.bytes) : base).resolve(subject, request)
    },
    memory(subject, deployment) {
      const found = find(subject, deployment.engineVersion, deployment)
      const plain = base.memory(subject, deployment)
      if (!found) return plain
      const bytes = Math.max(found.bytes, -largestOverhead(plain).bytes)
      return withTerm(taking(bytes).memory(subject, deployment), found.correction, bytes, base)
    },
    support(subject, deployment) {
      const support = base.support(subject, deployment)
      const found = find(subject, deployment.engineVersion, deployment)
      if (!found) return support
      const message = `memory is corrected by ${bytesInWords(Math.abs(found.bytes))} ${found.bytes < 0 ? 'less' : 'more'} for the engine, from the log of ${sourceWords(found.correction, base)} read on ${found.correction.date} (--no-corrections ignores it)`
      return {...support, warnings: [...support.warnings, {code: 'corrected', message}]}
    },
  }
}
