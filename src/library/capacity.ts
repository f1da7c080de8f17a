import {type CapacityReport, capacity as found} from '../planner/capacity/index.ts'
import type {Lengths} from '../planner/capacity/index.ts'
import type {Documents} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import {capacityQuestion} from './capacity-question.ts'
import type {Question} from './question.ts'
import {stamped} from './stamp.ts'

/** What arrives for one model, and what was fixed of its deployment. */
export interface CapacityLoad extends Omit<Question, 'id' | 'model' | 'gpu' | 'machine' | 'nodes' | 'prefer' | 'workload' | 'slo' | 'command'> {
  name?: string
  /** Mean tokens, or how they spread. */
  inputTokens?: Lengths
  outputTokens?: Lengths
  prefixHitRate?: number
  /** One of three: requests a second, people, or a file of requests in JSON Lines or CSV. */
  requestRate?: number
  users?: number
  trace?: string
  /** Pause between an answer and the next request of the same person. */
  thinkSeconds?: number
  /** Latency limits, or `none`; absent: the interactive ones. */
  slo?: Question['slo'] | 'none' | 'interactive'
  /** `5%/month` or `80%/year`. */
  growth?: string | number
}

/** A fleet and its load, as a file of `capacity` holds them. */
export interface CapacityQuestion extends CapacityLoad {
  description?: string
  /** One model, with its load beside it; or several, each with its own. */
  model?: string
  models?: (CapacityLoad & {model: string})[]
  /** Absent: the catalogue is searched. */
  machines?: (string | {gpu?: string; machine?: string; nodes?: number; price?: string})[]
  months?: number[]
  spare?: number
  maxUtilisation?: number
  kwhPrice?: number
}

/** How many machines of each kind carry a load. @throws InputError CAPACITY_INVALID. */
export async function capacity(context: Context, question: CapacityQuestion, {text}: Documents): Promise<CapacityReport & {dataVersion: string}> {
  const {checkedCapacity} = await import('../planner/capacity/schema.ts')
  const files = {folder: '', join: (_folder: string, path: string) => path, text}
  const {report} = await found(context, await capacityQuestion(context, checkedCapacity(question, 'question'), {}, files))
  return stamped(context.catalogue, report)
}
