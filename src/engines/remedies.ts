/** Settings with which something starts that does not: each is tried before it is told. */
import type {Deployment} from '../core/deployment.ts'
import type {MemoryEstimate} from '../core/memory.ts'
import type {Reason} from '../core/terms.ts'

/** A step of the share of memory, and the least that is proposed. */
const SHARE_STEP = 0.01
const LEAST_SHARE = 0.3
/** The smallest batch of tokens that is proposed. */
const LEAST_BATCH_TOKENS = 256

/** Powers of two below a number, the largest first, down to `least`. */
function halvings(from: number, least: number): number[] {
  const values: number[] = []
  for (let value = 2 ** Math.ceil(Math.log2(from) - 1); value >= least; value /= 2) values.push(value)
  return values.filter((value) => value < from)
}

function smallerShares(from: number): number[] {
  const shares: number[] = []
  for (let hundredths = Math.ceil(from / SHARE_STEP) - 1; hundredths >= LEAST_SHARE / SHARE_STEP; hundredths--) shares.push(hundredths / 100)
  return shares
}

interface Change {
  flag: string
  changed: Partial<Deployment>
}

/** Ways to leave more room beside the cache, the gentlest of each kind first. */
function changesOf({maxNumSeqs, maxNumBatchedTokens, enforceEager}: Deployment, below: number): Change[][] {
  const kinds: Change[][] = [
    halvings(maxNumSeqs, 1).map((value) => ({flag: `--max-num-seqs ${value}`, changed: {maxNumSeqs: value}})),
    halvings(maxNumBatchedTokens, Math.max(LEAST_BATCH_TOKENS, Math.min(maxNumSeqs, maxNumBatchedTokens))).map((value) => ({
      flag: `--max-num-batched-tokens ${value}`,
      changed: {maxNumBatchedTokens: value},
    })),
    smallerShares(below).map((value) => ({flag: `--gpu-memory-utilization ${value}`, changed: {gpuMemoryUtilization: value}})),
  ]
  if (!enforceEager) kinds.push([{flag: '--enforce-eager', changed: {enforceEager: true}}])
  return kinds
}

/** One change of each kind with which it starts, in words; undefined where none does. Shares of memory are proposed below `below`. */
export function workingRemedy(
  deployment: Deployment,
  estimate: (deployment: Deployment) => MemoryEstimate,
  below: number = deployment.gpuMemoryUtilization,
): string | undefined {
  const kinds = changesOf(deployment, below)
  const working = (holds: (memory: MemoryEstimate) => boolean) =>
    kinds.flatMap((changes) => changes.find(({changed}) => holds(estimate({...deployment, ...changed}))) ?? []).map(({flag}) => flag)
  // Where the context is too long in any case, what leads to a shorter one is a way on too.
  let flags = working(({starts}) => starts)
  if (flags.length === 0) flags = working(({startProblem, largestMaxModelLen}) => !startProblem && largestMaxModelLen > 0)
  if (flags.length === 0) return undefined
  return `use ${flags.length > 1 ? `${flags.slice(0, -1).join(', ')} or ${flags.at(-1)}` : flags[0]}`
}

/** A reason whose remedy is looked for when it is first read: a plan judges hundreds of deployments, and prints few. */
export function withRemedy(reason: Omit<Reason, 'remedy'>, find: () => string | undefined): Reason {
  let found: {remedy: string | undefined} | undefined
  return {
    ...reason,
    get remedy() {
      found ??= {remedy: find()}
      return found.remedy
    },
  }
}
