/** What every memory estimate keeps to, whatever is asked. */
import type {Deployment} from '../../core/deployment.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import {contextLimit} from '../../engines/context.ts'
import {sumBytes} from '../../core/terms.ts'
import type {Engine, Subject} from '../../engines/engine.ts'

/** Terms that give memory back. */
export const CREDITS: readonly string[] = ['weights: offloaded to host memory', 'weights: tables kept in host memory']

const FIGURES = [
  'totalBytes',
  'budgetBytes',
  'kvBytesPerToken',
  'stateBytesPerSequence',
  'kvCacheTokens',
  'maxConcurrencyAtMaxModelLen',
  'largestMaxModelLen',
] as const

/** Figures that cannot be. */
function badFigures({gpuMemoryUtilization}: Deployment, memory: MemoryEstimate): string[] {
  const broken: string[] = []
  for (const name of FIGURES) if (!(Number.isFinite(memory[name]) && memory[name] >= 0)) broken.push(`${name} is ${memory[name]}`)
  for (const {name, bytes} of memory.terms) {
    if (!Number.isInteger(bytes)) broken.push(`the term "${name}" is ${bytes}`)
    if (bytes < 0 && !CREDITS.includes(name)) broken.push(`the term "${name}" is ${bytes}`)
  }
  if (sumBytes(memory.terms.filter(({part}) => part === 'weights')) < 0) broken.push('more weights are offloaded than there are')
  if (!Number.isInteger(memory.kvCacheBytes) || !Number.isInteger(memory.kvCacheTokens)) broken.push('the cache is not whole')
  if (!(gpuMemoryUtilization >= 0 && gpuMemoryUtilization <= 1)) broken.push(`a share of memory of ${gpuMemoryUtilization}`)
  return broken
}

/** What starts has room for all its terms. */
function overfull({gpu}: Subject, {reservedBytesPerGpu}: Deployment, {starts, startProblem, terms, totalBytes}: MemoryEstimate): string[] {
  if (starts && startProblem) return [`it starts, and does not: ${startProblem.message}`]
  const there = Math.min(totalBytes, gpu.freeBytes ?? totalBytes) - reservedBytesPerGpu
  const sum = sumBytes(terms)
  return starts && sum > there ? [`it starts with terms of ${sum} bytes where ${there} are there`] : []
}

/** SGLang starts with any pool: there a length counts as starting when a request of it can be served. */
function holds(engine: Engine, subject: Subject, deployment: Deployment, maxModelLen: number): boolean {
  const {starts, kvCacheTokens} = engine.memory(subject, {...deployment, maxModelLen})
  return starts && (engine.id !== 'sglang' || kvCacheTokens >= maxModelLen)
}

/** The longest context starts, and one token more does not. */
function falseLongest(engine: Engine, subject: Subject, deployment: Deployment, {largestMaxModelLen: longest}: MemoryEstimate): string[] {
  const limit = contextLimit(subject, deployment)
  if (longest > limit) return [`the longest context of ${longest} is beyond the model's ${limit}`]
  if (longest > 0 && !holds(engine, subject, deployment, longest)) return [`the longest context of ${longest} does not start`]
  return longest < limit && holds(engine, subject, deployment, longest + 1) ? [`${longest + 1} tokens start too, ${longest} are said to be the most`] : []
}

/** Cache tokens that one state slot more or less is worth: SGLang hands out whole slots, and what one leaves goes to the cache. */
const slotTokens = ({speculative}: Deployment, {stateBytesPerSequence, kvBytesPerToken, statePoolBytes}: MemoryEstimate): number =>
  statePoolBytes === undefined || kvBytesPerToken === 0 ? 0 : ((1 + (speculative?.tokens ?? 0)) * stateBytesPerSequence) / kvBytesPerToken + 1

/** With less memory there is never more cache. */
function gainsFromLess(engine: Engine, subject: Subject, deployment: Deployment, memory: MemoryEstimate): string[] {
  const most = memory.kvCacheTokens + slotTokens(deployment, memory)
  const less: [string, Partial<Deployment>][] = [
    ['1 GiB more set aside', {reservedBytesPerGpu: deployment.reservedBytesPerGpu + 2 ** 30}],
    ['three quarters of the share', {gpuMemoryUtilization: deployment.gpuMemoryUtilization * 0.75}],
  ]
  return less.flatMap(([name, changed]) => {
    const {kvCacheTokens} = engine.memory(subject, {...deployment, ...changed})
    return kvCacheTokens > most ? [`${name}: the cache grows from ${memory.kvCacheTokens} to ${kvCacheTokens} tokens`] : []
  })
}

/** Laws that an engine's estimate breaks, in words. */
export function brokenMemoryLaws(engine: Engine, subject: Subject, deployment: Deployment): string[] {
  const memory = engine.memory(subject, deployment)
  return [
    ...badFigures(deployment, memory),
    ...overfull(subject, deployment, memory),
    ...falseLongest(engine, subject, deployment, memory),
    ...gainsFromLess(engine, subject, deployment, memory),
  ]
}
