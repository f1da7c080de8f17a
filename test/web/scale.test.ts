import {describe, expect, it} from 'vitest'
import {powersOfTwo, ticksTo} from '../../src/web/views/scale.ts'

describe('places on an axis', () => {
  it('are round and reach the end', () => {
    expect(ticksTo(10)).toEqual([0, 2, 4, 6, 8, 10])
    expect(ticksTo(11)).toEqual([0, 2.5, 5, 7.5, 10, 12.5])
    expect(ticksTo(3400)).toEqual([0, 1000, 2000, 3000, 4000])
    expect(ticksTo(0.3)).toEqual([0, 0.1, 0.2, 0.3])
    expect(ticksTo(0)).toEqual([0])
  })

  it('double where loads do, and are not too many', () => {
    expect(powersOfTwo(1, 16)).toEqual([1, 2, 4, 8, 16])
    expect(powersOfTwo(1, 1024)).toEqual([1, 4, 16, 64, 256, 1024])
    expect(powersOfTwo(1, 1)).toEqual([1, 2])
  })
})
