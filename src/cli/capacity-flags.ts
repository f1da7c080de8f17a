import {isAbsolute, join} from 'node:path'
import {InputError} from '../core/input-error.ts'
import type {CapacityFiles, CapacityGiven} from '../library/capacity-question.ts'
import type {Link, Preference} from '../planner/scenario/index.ts'
import {deploymentFlags, scenarioFrom} from './flags.ts'
import {objectivesFrom} from './slo-flags.ts'
import {readText} from './world.ts'

/** What the flags of `capacity` say, in the words of its file. */
export function capacityGiven(flags: Record<string, unknown>): CapacityGiven {
  const fixed = Object.fromEntries(Object.keys(deploymentFlags).flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])))
  const {model: _model, workload: _load, engine, ...request} = scenarioFrom((flags.model as string | undefined) ?? '', fixed)
  return {
    model: flags.model as string | undefined,
    machines: flags.machine as string[] | undefined,
    gpus: flags.gpu as string[] | undefined,
    nodes: flags.nodes as number | undefined,
    link: flags.link as Link | undefined,
    prices: flags.price as string[] | undefined,
    limits: flags.slo as string | undefined,
    slo: objectivesFrom(flags),
    growth: flags.growth as string | undefined,
    trace: flags.trace as string | undefined,
    users: flags.users as number | undefined,
    requestRate: flags['request-rate'] as number | undefined,
    prefixHitRate: flags['prefix-hit-rate'] as number | undefined,
    thinkSeconds: flags['think-seconds'] as number | undefined,
    inputTokens: flags['input-tokens'] as number | undefined,
    outputTokens: flags['output-tokens'] as number | undefined,
    months: monthsFrom(flags.months as string | undefined),
    spare: flags.spare as number | undefined,
    maxUtilisation: flags['max-utilisation'] as number | undefined,
    kwhPrice: flags['kwh-price'] as number | undefined,
    engine,
    prefer: flags.prefer as Preference | undefined,
    request,
  }
}

/** Files on this machine's disk, those that a file names seen from where it lies. */
export const capacityFiles = (folder: string): CapacityFiles => ({
  folder,
  join: (below, path) => (isAbsolute(path) ? path : join(below, path)),
  text: readText,
  lines: async (path, what) => {
    const {lineStream} = await import('./lines.ts')
    return lineStream(path, what, {mostCharacters: MOST_TRACE_CHARACTERS})
  },
})

/** A request of a trace is a short line; those of published ones list the hashes of its blocks. */
const MOST_TRACE_CHARACTERS = 1_000_000

function monthsFrom(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined
  const months = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (months.length > 60 || !months.every((month) => Number.isInteger(month) && month >= 0 && month <= 600))
    throw new InputError('MONTHS_INVALID', `--months ${text}: expected months from now, such as 0,6,12`)
  return months
}
