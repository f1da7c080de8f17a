import type {Objectives} from './scenario.ts'

/**
 * Limits that choose a load where neither a load nor limits are given: people who read along, and do not wait long for the first word. 20 tokens a
 * second are about four times the pace of reading (238 words a minute, Brysbaert 2019, doi 10.1016/j.jml.2019.104047, at 1.3 tokens a word: 5 a
 * second). They choose the load and never a verdict.
 */
export const INTERACTIVE_LIMITS: Readonly<Objectives> = {ttftMs: 2000, tpotMs: 50}
