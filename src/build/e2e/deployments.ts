/** Random deployments that servefit would start, with what it emits for them. */
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {realContext} from '../../cli/world.ts'
import {InputError} from '../../core/input-error.ts'
import {type Answer, answer, isYes} from '../../planner/answer/index.ts'
import {ScenarioSchema} from '../../planner/scenario/schema.ts'
import {engineOf} from '../../planner/world/index.ts'
import type {Artifact} from '../../render/launch/artifact.ts'
import {writeFormat} from '../../render/launch/formats.ts'
import {startableOf} from '../../render/launch/startable-from.ts'
import type {Startable} from '../../render/launch/startable.ts'
import {drawScenario, type DrawnScenario} from '../laws/scenarios.ts'

export interface Drawn {
  number: number
  scenario: DrawnScenario
  files: Artifact[]
  startable: Startable
  answered: Answer
}

/** The newest releases of an engine, the newest first; patches of the same minor release count as releases. */
export const newestReleases = (catalogue: Catalogue, engine: string, count: number): string[] =>
  engineOf(realContext(catalogue, {corrections: false, offline: true}), engine)
    .versions.slice(-count)
    .reverse()

interface Draw {
  engine: string
  releases: readonly string[]
  seed: number
  count: number
  /** Another scenario in place of what was drawn; undefined: this one is not asked. */
  change?: (drawn: DrawnScenario) => DrawnScenario | undefined
}

/** So many deployments of an engine that are answered with a yes and a command, drawn in the order of the seed; its releases take turns. */
export async function drawDeployments(catalogue: Catalogue, {engine, releases, seed, count, change = (drawn) => drawn}: Draw): Promise<Drawn[]> {
  const context = realContext(catalogue, {corrections: false, offline: true})
  const engines = [engineOf(context, engine)]
  const list: Drawn[] = []
  for (let number = 0; list.length < count; number++) {
    const {freeBytes: _free, ...drawn} = drawScenario(catalogue, engines, seed, number)
    const scenario = change({...drawn, engineVersion: releases[number % releases.length]!})
    if (!scenario) continue
    try {
      const answered = await answer(context, ScenarioSchema.parse(scenario))
      if (!isYes(answered.best)) continue
      const startable = startableOf(catalogue, answered)
      list.push({number, scenario, startable, answered, files: writeFormat('command', startable)})
    } catch (error) {
      if (!(error instanceof InputError)) throw error
    }
  }
  return list
}
