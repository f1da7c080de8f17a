import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {canBeRelease, compareVersions, isAtLeast, isUnlisted, isVersion, resolveVersion} from '../../src/engines/versions.ts'

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

  it.each([
    ['0.34.0', true],
    ['0.45.2', true], // twelve minor releases on
    ['0.46.0', false],
    ['1.0.0', false],
    ['9.9.9', false],
    ['0.33.0', true],
    ['0.8.0', true],
    ['nightly', true], // taken for the newest
    ['0.33.1rc1.dev300+g1a2b3c4', true],
  ])('%s may have come since 0.33.0: %s', (version, may) => {
    expect(canBeRelease(version, ['0.32.0', '0.33.0'])).toBe(may)
  })

  it('judges a release by its own line: a later major one is none', () => {
    expect(['1.4.0', '1.16.0', '1.17.0', '2.0.0'].map((version) => canBeRelease(version, ['1.3.0rc29', '1.4.0rc0', '1.4.0rc1']))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('judges an engine that counts in the third number by that: the next minor release may have come, none after it', () => {
    const known = ['0.4.10', ...Array.from({length: 22}, (_, at) => `0.5.${at + 2}`)]
    const may = ['0.5.24', '0.5.23.post1', '0.5.35', '0.5.36', '0.6.0', '0.6.3', '0.7.0', '0.11.0', '1.0.0'].map((version) => canBeRelease(version, known))
    // 0.5.35 is twelve after 0.5.23.
    expect(may).toEqual([true, true, true, false, true, true, false, false, false])
  })

  it('knows a plain release that was never made from builds and from what lies outside the list', () => {
    const known = ['0.8.0', '0.9.0', '0.9.0.1', '0.10.0']
    expect(['0.9.1', '0.9.0.post1'].map((version) => isUnlisted(version, known))).toEqual([true, true])
    expect(['0.9.0.1', 'v0.9.0', '0.7.0', '0.11.0', '0.9.1rc1.dev3', 'nightly'].map((version) => isUnlisted(version, known))).toEqual(Array(6).fill(false))
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

// setuptools-scm: the last tag that main can see and the commits since. 0.23.0 and 0.24.0 are cut of main about a thousand commits apart.
describe('builds of main', () => {
  it.each([
    ['0.23.1rc1.dev300+g1a2b3c4', '0.23.0'], // soon after the cut of 0.23.0
    ['0.23.1rc1.dev1229+g1bf3b12d5', '0.24.0'], // shortly before that of 0.24.0
    ['0.32.0rc1.dev190+g3f1bcfd82', '0.31.0'], // main is called by the release to come
    ['0.32.0rc1.dev900', '0.32.0'],
    ['v0.28.1rc1.dev130', '0.28.0'],
  ])('%s is judged as %s', (build, release) => {
    expect(compareVersions(build, release)).toBe(0)
    expect(resolveVersion(build, '0.33.0').remark).toContain(`the rules of ${release} are assumed`)
  })

  it.each([
    ['0.11.1rc8.dev14+gaa384b3c0', '0.11.1'], // candidates were tagged on main itself: before the release that they became
    ['1.3.0rc18', '1.3.0'],
    ['0.32.0rc1', '0.32.0'], // a candidate, not a build of main
  ])('%s stays before %s', (build, release) => expect(compareVersions(build, release)).toBeLessThan(0))
})
