import {InputError} from '../core/input-error.ts'
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
  for (const [name, value] of Object.entries({from, to}))
    if (typeof value !== 'string' || value === '')
      throw new InputError('ENGINE_VERSIONS', `upgrade: ${name} is missing: expected a release of the engine, such as 0.33.0`)
  if (!(typeof tolerance === 'number' && tolerance >= 0))
    throw new InputError('TOLERANCE_INVALID', `upgrade: tolerance ${JSON.stringify(tolerance)}: expected a share such as 0.05`)
  const {objective: _objective, engineVersion: _version, ...scenario} = await inOwnFields(context, asked, documents)
  return stamped(context.catalogue, await upgradeOf(context, scenario, [from, to], tolerance))
}
