import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {Section} from '../../../src/build/fit/accuracy-page.ts'
import type {Errors} from '../../../src/build/fit/report.ts'

const sections = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', '..', 'src', 'build', 'fit', 'left-out.json'), 'utf8')) as Section[]

/** Mean over what was left out in turn. */
function meanOf(title: string, of: 'throughput' | 'tpot' | 'ttft', what: keyof Errors): number {
  const {rows} = sections.find((section) => section.title === title)!
  return rows.reduce((sum, [, score]) => sum + score[of]![what], 0) / rows.length
}

// What the last fit predicted of measurements that it had not seen: a fit that does worse is not to be shipped.
it.each([
  ['A random half of the measurements left out', 'throughput', 'mean', 0.065],
  ['A random half of the measurements left out', 'tpot', 'median', 0.05],
  ['A random half of the measurements left out', 'ttft', 'median', 0.12],
  ['One model left out', 'throughput', 'mean', 0.11],
  ['One GPU left out', 'throughput', 'mean', 0.09],
] as const)('%s: %s, %s at most %d', (title, of, what, most) => {
  expect(meanOf(title, of, what)).toBeLessThanOrEqual(most)
})

// An interval of 80%: of measurements that the fit had not seen about as many lie inside. A class of hardware that nobody measured is given more.
it.each([
  ['A random half of the measurements left out', 0.88],
  ['The same, with the launch flags unknown', 0.88],
  ['One model left out', 0.88],
  ['One GPU left out', 0.92],
])('%s: three in four lie inside the interval, and at most %d', (title, most) => {
  const {inside} = sections.find((section) => section.title === title)!
  for (const share of Object.values(inside!)) {
    expect(share).toBeGreaterThanOrEqual(0.74)
    expect(share).toBeLessThanOrEqual(most)
  }
})
