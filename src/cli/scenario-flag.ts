import * as Flags from '@oclif/core/flags'
import {InputError} from '../core/input-error.ts'
import {ASSUMED_LOAD, assumedLoad, type Objectives, type Scenario} from '../planner/scenario/index.ts'
import type {FileScenario} from '../planner/scenario/schema.ts'
import {objectivesFrom} from './slo-flags.ts'
import {flagsFor} from './engine-flags.ts'
import {choiceFlags, deploymentFlags, machineFlags, scenarioFrom, workloadFlags} from './flags.ts'
import {dictionary} from '../core/dictionary.ts'

export const scenarioFlags = {
  scenario: Flags.string({
    description: 'a YAML or JSON file with the question, with the same fields as batch; it may extend other files, and flags win',
    helpValue: 'FILE',
  }),
}

const MISSING = 'expected a name, a repository or a path'

/** A question with what only a file says about it. */
export interface AskedScenario extends Scenario {
  objective?: string
  slo?: Objectives
}

/**
 * The scenario of an argument and flags, over that of `--scenario` where one is given. `oneUser`: a load that nobody stated is that of one person.
 * @throws InputError where neither names a model.
 */
export async function askedScenario(
  model: string | undefined,
  flags: Record<string, unknown>,
  {oneUser = true, command}: {oneUser?: boolean; command?: string[]} = {},
): Promise<AskedScenario> {
  const adapters = [flags.lora, flags['lora-rank'], flags['lora-target-modules'], flags['enable-lora']].every((flag) => flag === undefined)
    ? undefined
    : await (await import('./lora-flag.ts')).askedAdapters(flags)
  const withAdapters = <S extends AskedScenario>(scenario: S): S => (adapters ? {...scenario, lora: adapters.lora} : scenario)
  if (typeof flags.scenario !== 'string') {
    if (model === undefined && command === undefined) throw new InputError('ARGUMENT_MISSING', `Missing MODEL: ${MISSING}`)
    const scenario = withAdapters({...withLimits(scenarioFrom(model ?? '', flags), flags), ...(command && {command})})
    const given = flags.concurrency !== undefined || oneUser
    return given ? scenario : {...scenario, workload: {...scenario.workload!, concurrency: undefined}}
  }
  const {readScenario} = await import('./scenario-file.ts')
  const {layered} = await import('../planner/scenario/schema.ts')
  const {inputTokens, outputTokens} = ASSUMED_LOAD
  const file = await readScenario(flags.scenario, {inputTokens, outputTokens})
  const named = model ?? file.model ?? ((command ?? file.command) ? '' : undefined)
  if (named === undefined) throw new InputError('ARGUMENT_MISSING', `Missing MODEL: ${flags.scenario} names none; ${MISSING}`)
  const merged = layered(file as Record<string, unknown>, givenBy(named, flags)) as FileScenario
  const open = !oneUser || merged.workload?.requestRate !== undefined
  return withAdapters(
    withLimits(
      {
        ...merged,
        ...(command && {command}),
        model: named,
        workload: {...assumedLoad(merged.maxModelLen, merged.workload), ...(open && {concurrency: undefined}), ...merged.workload},
      } as AskedScenario,
      flags,
    ),
  )
}

/** Nothing was said of the load, neither in flags nor in a file: what the answer is for is assumed. */
export const isLoadAssumed = (flags: Record<string, unknown>): boolean =>
  flags.scenario === undefined && ['concurrency', 'input-tokens', 'output-tokens', 'request-rate'].every((name) => flags[name] === undefined)

/** Nobody said how long prompts and answers are. */
export const areLengthsAssumed = (flags: Record<string, unknown>): boolean =>
  flags.scenario === undefined && flags['input-tokens'] === undefined && flags['output-tokens'] === undefined

/** The limits of flags over those that a file has. */
function withLimits<S extends AskedScenario>(scenario: S, flags: Record<string, unknown>): S {
  const slo = objectivesFrom(flags, scenario.slo)
  return Object.keys(slo).length > 0 ? {...scenario, slo} : scenario
}

/** What flags alone say, without what is assumed. */
function givenBy(model: string, flags: Record<string, unknown>): Record<string, unknown> {
  const {workload, ...scenario} = scenarioFrom(model, flags)
  const names = Object.keys(workloadFlags).filter((name) => flags[name] !== undefined)
  const load = Object.fromEntries(
    names
      .map((name) => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()))
      .map((name) => [name, (workload as unknown as Record<string, unknown>)[name]]),
  )
  return {...scenario, ...(names.length > 0 && {workload: load})}
}

/** The flags that spell out a scenario which came from a file or, `always`, from a command; for "next" lines. */
export function flagsOf(scenario: Scenario, flags: Record<string, unknown>, always = false): Record<string, unknown> {
  if (flags.scenario === undefined && scenario.command === undefined && !always) return flags
  const spelled: Record<string, unknown> = dictionary({...flags, scenario: undefined})
  const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const known = new Set([...Object.keys(machineFlags), ...Object.keys(choiceFlags), ...Object.keys(deploymentFlags), ...Object.keys(workloadFlags)])
  for (const [name, value] of [...Object.entries(scenario), ...Object.entries(scenario.workload ?? {})])
    if (known.has(kebab(name)) && value !== undefined) spelled[kebab(name)] = value
  // Folders of adapters say more than their number.
  return {...spelled, ...flagsFor(flags.lora === undefined ? scenario : {...scenario, lora: undefined})}
}
