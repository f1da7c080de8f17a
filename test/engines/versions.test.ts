import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {compareVersions, isAtLeast, isVersion, resolveVersion} from '../../src/engines/versions.ts'

describe('order of versions', () => {
  const rising = [
    '0.5.1',
    '0.5.1.post1',
    '0.10.2',
    '0.11.0',
    '0.11.0.post1',
    '1.0.0rc3',
    '1.0.0',
    '1.1.0rc2',
    '1.1.0rc2.post2',
    '1.2.0rc6',
    '1.2.0rc6.post2',
    '1.2.0',
    '1.3.0.dev1',
    '1.3.0rc2',
    '1.3.0rc18',
    '1.3.0rc24',
    '1.3.0',
    '1.3.0.post1',
  ]

  it('sorts releases, candidates and post-releases as the package index does', () => {
    expect([...rising].reverse().sort(compareVersions)).toEqual(rising)
  })

  it.each([
    ['0.10.2', '0.11.0'], // numbers, not text
    ['0.11.0', '0.11.0.post1'],
    ['1.3.0rc18', '1.3.0'],
    ['1.3.0rc9', '1.3.0rc10'],
    ['1.2.0rc6', '1.2.0rc6.post1'],
  ])('%s is before %s', (earlier, later) => {
    expect(compareVersions(earlier, later)).toBeLessThan(0)
    expect(compareVersions(later, earlier)).toBeGreaterThan(0)
  })

  it.each([
    ['0.5', '0.5.0'],
    ['v0.5.18', '0.5.18'],
    ['0.11.0+cu128', '0.11.0'],
    ['v0.5.17-cu130', '0.5.17'],
  ])('%s is %s', (left, right) => {
    expect(compareVersions(left, right)).toBe(0)
  })

  it.each([
    'nightly-dev-20260216-d3bae71e',
    'gpt-oss-dev',
    '',
    'nightly-5b8c30d62b754b57',
    'latest',
    '0.1',
    '0.1.dev12+g1a2b3c4.d20260301',
    '0.0.0.dev1+g1a2b3c4',
  ])('takes %j for the newest', (name) => {
    expect(isVersion(name)).toBe(false)
    expect(isAtLeast(name, '99.0.0')).toBe(true)
    expect(resolveVersion(name, '0.28.0')).toMatchObject({version: '0.28.0', remark: expect.stringContaining('0.28.0')})
  })

  it('keeps a known version as it is and remarks on one that is later than the newest', () => {
    expect(resolveVersion('v0.11.0', '0.28.0')).toEqual({version: '0.11.0'})
    expect(resolveVersion(undefined, '0.28.0')).toEqual({version: '0.28.0'})
    expect(resolveVersion('0.29.1', '0.28.0')).toMatchObject({version: '0.29.1', remark: expect.stringContaining('later')})
  })

  it('is a total order', () => {
    const version = fc.oneof(
      fc.constantFrom(...rising, 'nightly'),
      fc.tuple(fc.nat(3), fc.nat(20), fc.nat(20)).map((parts) => parts.join('.')),
    )
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0)
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})
