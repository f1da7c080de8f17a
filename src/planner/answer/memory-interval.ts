/** Low and high ends of what the memory holds: the room for requests may be off by the margin. */
import {requestBytes} from '../../core/memory.ts'
import {contextLimit} from '../../engines/context.ts'
import type {Evaluation} from './evaluation.ts'
import {largest} from './largest.ts'
import {marginOf} from './margin.ts'
import {subjectOf} from './speed-input.ts'

/** Whole tokens. The estimate stands beside it in the result. */
export interface Range {
  low: number
  high: number
}

export interface MemoryInterval {
  kvCacheTokens: Range
  largestMaxModelLen: Range
}

type Held = Pick<Evaluation, 'memory' | 'deployment' | 'engine' | 'model' | 'checkpoint' | 'machine'>

/**
 * The interval of the cache and of the longest context: what the room would hold with the margin less and the margin more. Undefined for a
 * model that keeps nothing between steps.
 * @param longest the longest context that the result tells.
 */
export function memoryInterval(held: Held, longest: number): MemoryInterval | undefined {
  const {memory, deployment, engine} = held
  if (memory.kvBytesPerToken <= 0) return undefined
  const subject = subjectOf(held)
  const room = requestBytes(memory)
  const isGiven = deployment.kvCacheBytes !== undefined || deployment.kvCacheBlocks !== undefined
  const margin = isGiven ? 0 : marginOf(subject, deployment, memory, engine).bytes
  const [less, more] = [Math.max(0, room - margin), Math.max(0, room + margin)]
  if (room <= 0 || memory.kvCacheTokens <= 0) {
    const most = Math.floor(more / memory.kvBytesPerToken)
    return {kvCacheTokens: {low: 0, high: most}, largestMaxModelLen: {low: 0, high: Math.max(longest, Math.min(most, contextLimit(subject, deployment)))}}
  }
  const limit = Math.max(longest, contextLimit(subject, deployment))
  // What one request takes of the room grows with its length: the longest that a smaller or larger room holds. Where any starts, the room need only be there.
  const startsWithAny = memory.startsBeyond === true && longest > memory.largestMaxModelLen
  const holds = (bytes: number) => largest(limit, (tokens) => memory.requestsOfTokens(tokens) * (bytes / room) >= 1, true)
  const tokens = (bytes: number) => Math.floor(memory.kvCacheTokens * (bytes / room))
  const most = Math.min(tokens(more), deployment.kvCacheTokens ?? Number.POSITIVE_INFINITY)
  return {
    kvCacheTokens: {low: tokens(less), high: Math.max(most, memory.kvCacheTokens)},
    largestMaxModelLen: {
      low: startsWithAny ? (holds(less) > 0 ? longest : 0) : Math.min(longest, holds(less)),
      high: startsWithAny || memory.startProblem ? longest : Math.max(longest, holds(more)),
    },
  }
}
