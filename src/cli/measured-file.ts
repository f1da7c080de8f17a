/** The one file that `verify --save` and `calibrate` keep in the user's configuration, and every answer looks for. */
import {existsSync, readFileSync} from 'node:fs'
import {homedir} from 'node:os'
import {dirname, isAbsolute, join} from 'node:path'
import {InputError} from '../core/input-error.ts'
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
    throw broken(`is not JSON (${(error as Error).message.slice(0, 120)})`)
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
  if (!existsSync(path)) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new InputError('MEASURED_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
  }
  return parseMeasured(text, path)
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

/** How long another process is waited for that writes the file; a lock that is older than this was left by one that died. */
const LOCK_MILLISECONDS = 5000
const LOCK_STEP_MILLISECONDS = 25

/** Runs alone among processes that write the same file: what two of them learn at once is kept. @throws InputError FILE_UNWRITABLE. */
async function alone<T>(path: string, run: () => Promise<T>): Promise<T> {
  const {mkdir, rm, stat} = await import('node:fs/promises')
  const lock = `${path}.lock`
  await mkdir(dirname(path), {recursive: true}).catch(() => undefined)
  for (;;) {
    try {
      await mkdir(lock)
      break
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException
      if (code !== 'EEXIST') throw new InputError('FILE_UNWRITABLE', `${path} cannot be written (${code ?? 'error'})`)
      const age = await stat(lock).then(
        ({mtimeMs}) => Date.now() - mtimeMs,
        () => 0,
      )
      if (age > LOCK_MILLISECONDS) await rm(lock, {recursive: true, force: true})
      else await new Promise((resolve) => setTimeout(resolve, LOCK_STEP_MILLISECONDS))
    }
  }
  try {
    return await run()
  } finally {
    await rm(lock, {recursive: true, force: true})
  }
}

/** Adds to what is there and writes it whole: a file beside it first, then moved. Returns the path. */
export async function saveMeasured(env: Record<string, string | undefined>, change: (measured: Measured) => Measured): Promise<string> {
  const path = measuredPath(env)
  return alone(path, async () => {
    const changed = change(readMeasured(env) ?? {corrections: [], calibrations: []})
    const {saveFile} = await import('./save-file.ts')
    await saveFile(path, `${JSON.stringify({schemaVersion: SCHEMA_VERSION, ...changed}, undefined, 2)}\n`, {force: true})
    return path
  })
}
