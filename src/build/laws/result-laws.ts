/** What every answer keeps to, as the contract prints it. */
import {sumBytes} from '../../core/terms.ts'
import type {Result} from '../../planner/answer/index.ts'
import {CREDITS} from './memory-laws.ts'

/** Negative, missing or endless numbers anywhere in a document, by their path. */
export function badNumbers(value: unknown, path: string): string[] {
  if (value === null) return [`${path} is null`]
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? [] : [`${path} is ${value}`]
  if (Array.isArray(value)) return value.flatMap((item, index) => badNumbers(item, `${path}[${index}]`))
  if (typeof value !== 'object') return []
  const credit = CREDITS.includes(String((value as {name?: unknown}).name))
  return Object.entries(value).flatMap(([key, item]) => (credit && key === 'bytes' ? [] : badNumbers(item, path === '' ? key : `${path}.${key}`)))
}

/** Bytes and tokens are whole. */
const brokenNumbers = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, item]) =>
        typeof item === 'number' && /(?:Bytes|Tokens|bytes|largestMaxModelLen)$/.test(key) && !Number.isInteger(item)
          ? [`${path}${key} is ${item}`]
          : brokenNumbers(item, `${path}${key}.`),
      )
    : []

/** Laws that an answer breaks, in words. */
export function brokenResultLaws(result: Result): string[] {
  const {verdict, deployment, memory} = result
  const {totalBytes, budgetBytes: _budget, freeBytes: _free, ...parts} = memory.perGpu
  const held = Object.values(parts).reduce((sum: number, bytes) => sum + (bytes ?? 0), 0)
  const broken = [...badNumbers(result, ''), ...brokenNumbers(memory, 'memory.')]
  if (held !== sumBytes(memory.terms)) broken.push(`the parts add up to ${held}, the terms to ${sumBytes(memory.terms)}`)
  if ((deployment.gpuMemoryUtilization ?? 0) > 1) broken.push(`a share of memory of ${deployment.gpuMemoryUtilization}`)
  if (verdict !== 'fits' && verdict !== 'tight') return broken
  const there = totalBytes - deployment.reservedBytesPerGpu
  if (held > there) broken.push(`${verdict} with ${held} bytes where ${there} are there`)
  if (deployment.maxModelLen > memory.largestMaxModelLen)
    broken.push(`${verdict} with a context of ${deployment.maxModelLen}, and ${memory.largestMaxModelLen} is the longest`)
  return broken
}
