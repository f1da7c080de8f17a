import {type Upgrade, upgradeOf} from '../planner/diff/index.ts'
import type {Documents} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import {inOwnFields} from './answer-asked.ts'
import type {AskedScenario} from './question.ts'
import {stamped} from './stamp.ts'

export interface UpgradeOptions {
  /** Releases of the engine: the one that runs, and the one that may take its place. */
  from: string
  to: string
  /** How much worse a figure may be before it counts: 0.05 is a twentieth. Absent: 0. */
  tolerance?: number
}

/** What `diff --engine-version FROM TO --json` prints. */
export interface UpgradeReport extends Upgrade {
  dataVersion: string
}

/** What another release of the engine changes: the checkpoint and the layout are held. */
export async function upgrade(context: Context, asked: AskedScenario, options: UpgradeOptions, documents: Documents): Promise<UpgradeReport> {
  const {from, to, tolerance = 0} = options
  const {objective: _objective, engineVersion: _version, ...scenario} = await inOwnFields(context, asked, documents)
  return stamped(context.catalogue, await upgradeOf(context, scenario, [from, to], tolerance))
}
