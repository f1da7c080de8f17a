/** The one file that `verify --save` and `calibrate` keep in the user's configuration, and every answer looks for. */
import {closeSync, constants, fstatSync, openSync, readFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {isAbsolute, join} from 'node:path'
import {InputError} from '../core/input-error.ts'
import {jsonProblem} from '../core/json-problem.ts'
import type {Correction, LocalCalibration} from '../planner/world/index.ts'
import {harmless} from '../render/style.ts'

export interface Measured {
  corrections: Correction[]
  calibrations: LocalCalibration[]
}

const SCHEMA_VERSION = 1

/** $XDG_CONFIG_HOME/servefit, or ~/.config/servefit; a relative XDG_CONFIG_HOME is ignored, as its specification asks. */
export function settingsFolder(env: Record<string, string | undefined>): string {
  const {XDG_CONFIG_HOME: configured, HOME: home} = env
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(home !== undefined && home !== '' ? home : homedir(), '.config')
  return join(base, 'servefit')
}

export const measuredPath = (env: Record<string, string | undefined>): string => join(settingsFolder(env), 'measured.json')

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0 && value.length <= 4096
const isDay = (value: unknown): value is string => typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value)
const isNumber = (value: unknown, min: number, max: number): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max
const isBytes = (value: unknown): value is number => isNumber(value, -(2 ** 50), 2 ** 50) && Number.isInteger(value)

const isCorrection = (value: unknown): value is Correction =>
  isObject(value) &&
  isText(value.gpu) &&
  isText(value.engine) &&
  isText(value.engineVersion) &&
  isDay(value.date) &&
  isBytes(value.overheadBytes) &&
  (value.weightsBytes === undefined || isBytes(value.weightsBytes)) &&
  isObject(value.from) &&
  isText(value.from.hfId) &&
  isText(value.from.weights) &&
  [value.from.tp, value.from.pp, value.from.dp].every((size) => isNumber(size, 1, 4096)) &&
  [value.from.kvCache, value.from.outcome, value.from.build].every((word) => word === undefined || isText(word)) &&
  [value.from.predictedCacheBytes, value.from.reportedCacheBytes].every((bytes) => bytes === undefined || isBytes(bytes)) &&
  [value.from.maxModelLen, value.from.gpuMemoryUtilization].every((size) => size === undefined || isNumber(size, 0, 1e12))

const isMetricErrors = (value: unknown): boolean =>
  isObject(value) &&
  ['ttftMs', 'tpotMs', 'outputTokensPerSecond'].includes(value.metric as string) &&
  isNumber(value.figures, 1, 1e9) &&
  isNumber(value.before, 0, 1e9) &&
  isNumber(value.after, 0, 1e9)

const isCalibration = (value: unknown): value is LocalCalibration =>
  isObject(value) &&
  isText(value.gpu) &&
  isText(value.engine) &&
  isDay(value.date) &&
  isNumber(value.runs, 1, 1e9) &&
  isNumber(value.medianErrorBefore, 0, 1e9) &&
  isNumber(value.medianErrorAfter, 0, 1e9) &&
  (value.metrics === undefined || (Array.isArray(value.metrics) && value.metrics.every(isMetricErrors))) &&
  Array.isArray(value.fitted) &&
  value.fitted.every(isText) &&
  isObject(value.factors) &&
  isNumber(value.factors.bandwidth, 0.01, 100) &&
  isNumber(value.factors.compute, 0.01, 100) &&
  isNumber(value.factors.hostMilliseconds, -1000, 1000)

function parseMeasured(text: string, path: string): Measured {
  const broken = (why: string) =>
    new InputError('MEASURED_INVALID', `${path} ${why}: repair it, or move it away to start afresh; it is never overwritten in this state`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw broken(`is not JSON (${jsonProblem(text, error)})`)
  }
  if (!isObject(value) || !Array.isArray(value.corrections) || !Array.isArray(value.calibrations))
    throw broken('does not hold "corrections" and "calibrations"')
  if (value.schemaVersion !== SCHEMA_VERSION) throw broken(`has schemaVersion ${JSON.stringify(value.schemaVersion)}, this servefit writes ${SCHEMA_VERSION}`)
  const corrections: unknown[] = value.corrections
  const calibrations: unknown[] = value.calibrations
  const wrong = corrections.findIndex((one) => !isCorrection(one))
  if (wrong >= 0) throw broken(`has a correction that is not one (corrections[${wrong}])`)
  const other = calibrations.findIndex((one) => !isCalibration(one))
  if (other >= 0) throw broken(`has a calibration that is not one (calibrations[${other}])`)
  return {corrections: corrections as Correction[], calibrations: calibrations as LocalCalibration[]}
}

/**
 * What was measured on the user's machines; undefined where nothing was ever saved, which costs one look at the disk.
 *
 * @throws InputError MEASURED_INVALID, MEASURED_UNREADABLE.
 */
export function readMeasured(env: Record<string, string | undefined>): Measured | undefined {
  const path = measuredPath(env)
  const text = textOf(path)
  return text === undefined ? undefined : parseMeasured(text, path)
}

/** What was learnt on a machine takes some hundred bytes for each card, engine and release. */
const MOST_BYTES = 16 * 2 ** 20

/** The text of the file at once, since every start looks for it; undefined where there is none. What is no file is not waited for. */
function textOf(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const found = fstatSync(file)
    const unreadable = (why: string) => new InputError('MEASURED_UNREADABLE', `${path} ${why}: expected what verify --save and calibrate write`)
    if (!found.isFile()) throw unreadable('is not a file')
    if (found.size > MOST_BYTES) throw unreadable(`has more than ${MOST_BYTES / 2 ** 20} MiB`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (error instanceof InputError) throw error
    throw new InputError('MEASURED_UNREADABLE', `${path} cannot be read (${code ?? 'error'})`)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** The same for answers, which do without it when it is broken, and say so to people. */
export function measuredForAnswers(env: Record<string, string | undefined>): Measured | undefined {
  try {
    return readMeasured(env)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    process.stderr.write(`servefit: ${harmless(error.message)}. Until then answers ignore corrections.\n`)
    return undefined
  }
}

/** Adds to what is there and writes it whole: a file beside it first, then moved. A link is followed. Returns the path. */
export async function saveMeasured(env: Record<string, string | undefined>, change: (measured: Measured) => Measured): Promise<string> {
  const path = measuredPath(env)
  const [{alone}, {saveFile, targetOf}] = await Promise.all([import('./file-lock.ts'), import('./save-file.ts')])
  const target = await targetOf(path)
  await alone(target, async (stillAlone) => {
    const changed = change(readMeasured(env) ?? {corrections: [], calibrations: []})
    const text = `${JSON.stringify({schemaVersion: SCHEMA_VERSION, ...changed}, undefined, 2)}\n`
    await saveFile(target, text, {force: true, before: stillAlone})
  })
  return path
}
