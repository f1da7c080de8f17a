import {describe, expect, it} from 'vitest'
import {minimise, solveSymmetric} from '../../../src/build/fit/optimise.ts'
import {shareOf} from '../../../src/build/fit/report.ts'

describe('fitting', () => {
  // 4x + y = 9, x + 3y = 5: x = 2, y = 1.
  it('solves a symmetric system', () => {
    const [x, y] = solveSymmetric([Float64Array.of(4, 1), Float64Array.of(1, 3)], Float64Array.of(9, 5))!
    expect(x).toBeCloseTo(2, 12)
    expect(y).toBeCloseTo(1, 12)
  })

  // y = exp(a) t^b through three points of 3 t^2, with a prior too wide to matter: a = ln 3, b = 2.
  it('finds the parameters of a power law, whatever one outlier says', () => {
    const points = [
      [1, 3],
      [2, 12],
      [4, 48],
      [8, 192],
      [16, 768],
      [3, 2700],
    ] as const
    const {parameters} = minimise(
      {
        prior: [0, 1],
        deviations: [10, 10],
        residuals: ([a, b]) => Float64Array.from(points, ([t, y]) => (a! + b! * Math.log(t) - Math.log(y)) / 0.01),
      },
      60,
    )
    expect(parameters[0]).toBeCloseTo(Math.log(3), 1)
    expect(parameters[1]).toBeCloseTo(2, 1)
  })

  it('splits names the same way every time, about in half', () => {
    const shares = Array.from({length: 1000}, (_, index) => shareOf(`case-${index}`, 1))
    expect(shares[0]).toBe(shareOf('case-0', 1))
    expect(shares.filter((share) => share < 0.5).length).toBeGreaterThan(430)
    expect(shares.filter((share) => share < 0.5).length).toBeLessThan(570)
  })
})
