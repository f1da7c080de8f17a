import type {Objectives} from './scenario.ts'

/**
 * Limits that hold where people read along and nobody said how long they may wait: the first token within 2 s, and 20 tokens a second for each of
 * them. A convention of this planner, not a measurement: `--slo-ttft-ms` and its like replace it.
 */
export const INTERACTIVE_LIMITS: Readonly<Objectives> = {ttftMs: 2000, tpotMs: 50}
