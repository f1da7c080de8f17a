import {dirname, isAbsolute, join, resolve} from 'node:path'
import {InputError} from '../core/input-error.ts'
import {checkedScenario, type FileScenario, layered, type RawScenario} from '../planner/scenario/schema.ts'
import {readDocument} from './document.ts'

/** Files that may stand on one another. */
const MOST_LAYERS = 10
/** Files that one scenario may take in: each may name several, and they others. */
const MOST_FILES = 100

/** A scenario from a file, with those that it extends below it. @throws InputError. */
export async function readScenario(path: string, assumed: {inputTokens: number; outputTokens: number}): Promise<FileScenario> {
  return checkedScenario(await rawScenario(path, [], {files: 0}), path, assumed)
}

async function rawScenario(path: string, trail: readonly string[], taken: {files: number}): Promise<RawScenario> {
  const place = resolve(path)
  if (trail.includes(place)) throw new InputError('SCENARIO_CIRCULAR', `${path} extends itself`)
  if (trail.length >= MOST_LAYERS) throw new InputError('SCENARIO_CIRCULAR', `${path}: more than ${MOST_LAYERS} files extend one another`)
  taken.files += 1
  if (taken.files > MOST_FILES)
    throw new InputError('SCENARIO_CIRCULAR', `${path}: more than ${MOST_FILES} files are taken in by way of extends: expected a scenario that stands on a few`)
  const value = await readDocument(path, 'a scenario')
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError('SCENARIO_INVALID', `${path}: expected a scenario, fields with values`)
  const {extends: below, ...own} = value as RawScenario
  const fields = withPaths(own, dirname(path))
  if (below === undefined) return fields
  const names = Array.isArray(below) ? below : [below]
  let merged: RawScenario = {}
  for (const name of names) {
    if (typeof name !== 'string') throw new InputError('SCENARIO_INVALID', `${path}: extends takes the path of a file, or a list of them`)
    merged = layered(merged, await rawScenario(isAbsolute(name) ? name : join(dirname(path), name), [...trail, place], taken))
  }
  return layered(merged, fields)
}

/** Paths in a file are meant from where it lies. */
function withPaths(scenario: RawScenario, folder: string): RawScenario {
  const moved = {...scenario}
  for (const name of ['model', 'machine']) {
    const value = moved[name]
    if (typeof value === 'string' && /^\.{1,2}[\\/]/.test(value)) {
      const joined = join(folder, value)
      moved[name] = isAbsolute(joined) || joined.startsWith('..') ? joined : `./${joined}`
    }
  }
  return moved
}
