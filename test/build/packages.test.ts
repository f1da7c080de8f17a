import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {versionsOf} from '../../src/build/release.ts'
import {noticesOf, packagesOf} from '../../src/build/notices.ts'

const root = join(import.meta.dirname, '..', '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  scripts: Record<string, string>
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
}

describe('the packages', () => {
  it('the wheel and the change log have the version of the npm package', () => {
    expect(new Set(Object.values(versionsOf(root)))).toEqual(new Set([manifest.version]))
  })

  it('nothing runs when the npm package is installed', () => {
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) expect(manifest.scripts).not.toHaveProperty(script)
  })

  it('the npm package asks for nothing that is bundled', () => {
    const notices = readFileSync(join(root, 'dist', 'NOTICES.md'), 'utf8')
    for (const name of Object.keys(manifest.dependencies)) expect(notices).not.toContain(`## ${name} `)
  })

  it('what is exported and built is there', () => {
    const paths = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : [target.default!]))
    for (const path of paths.filter((path) => !path.includes('*'))) expect(existsSync(join(root, path)), path).toBe(true)
  })
})

describe('notices', () => {
  it('name the packages that bundled files are from, nested ones too', () => {
    expect(
      packagesOf([
        'src/main.ts',
        'node_modules/zod/v4/a.js',
        'node_modules/@oclif/core/lib/b.js',
        'node_modules/ora/node_modules/strip-ansi/index.js',
        'node_modules/zod/c.js',
      ]),
    ).toEqual(['node_modules/@oclif/core', 'node_modules/ora/node_modules/strip-ansi', 'node_modules/zod'])
  })

  it('hold the licence of each', () => {
    const text = noticesOf(root, ['node_modules/zod'])
    expect(text).toMatch(/^## zod 4\.\d+\.\d+ \(MIT\)$/m)
    expect(text).toContain('Permission is hereby granted, free of charge')
  })

  it('refuse a package whose licence is not free', () => {
    expect(() => noticesOf(root, ['test/fixtures/library/closed-package'])).toThrow('closed-package 1.0.0 is bundled and its licence is UNLICENSED')
  })
})
