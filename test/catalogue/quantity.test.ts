import {describe, expect, test} from 'vitest'
import {parseBandwidth, parseMemory, parseNetwork, parsePower} from '../../src/catalogue/quantity.ts'
import {InputError} from '../../src/core/input-error.ts'

describe('quantities', () => {
  test('memory is binary, in integer bytes', () => {
    expect(parseMemory('24564 MiB')).toBe(25_757_220_864) // 24564 x 1048576
    expect(parseMemory('128 GiB')).toBe(137_438_953_472) // 128 x 1073741824
    expect(parseMemory('127600748 KiB')).toBe(130_663_165_952) // 127600748 x 1024
    expect(parseMemory('121.69 GiB')).toBe(130_663_642_563) // 121 x 2^30 + 0.69 x 2^30 = 129922760704 + 740881858.56
  })

  test('bandwidth is decimal', () => {
    expect(parseBandwidth('1008 GB/s')).toBe(1_008_000_000_000)
    expect(parseBandwidth('68.3 GB/s')).toBe(68_300_000_000)
    expect(parseBandwidth('8 TB/s')).toBe(8_000_000_000_000)
  })

  test('network rates are in bits', () => {
    expect(parseNetwork('200 Gb/s')).toBe(25_000_000_000) // 200 / 8
    expect(parseNetwork('0.625 Gb/s')).toBe(78_125_000)
  })

  test('power is in watts', () => {
    expect(parsePower('450 W')).toBe(450)
  })

  test.each([
    [parseMemory, '24 GB'],
    [parseMemory, '24564'],
    [parseMemory, '24564MiB'],
    [parseMemory, '0 MiB'],
    [parseMemory, '-1 GiB'],
    [parseMemory, '1e3 GiB'],
    [parseMemory, '24 Gib'],
    [parseMemory, ' 24 GiB'],
    [parseBandwidth, '1008 GiB/s'],
    [parseBandwidth, '1008 GB'],
    [parseBandwidth, '200 Gb/s'],
    [parseNetwork, '25 GB/s'],
    [parsePower, '450'],
    [parsePower, 'N/A W'],
  ])('%o refuses "%s"', (parse, text) => {
    expect(() => parse(text)).toThrow(InputError)
  })

  test('says why a decimal unit of memory is refused', () => {
    expect(() => parseMemory('80 GB')).toThrow(/"80 GB".*KiB, MiB, GiB.*ambiguous/)
  })
})
