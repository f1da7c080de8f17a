import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, relative, sep} from 'node:path'
import {describe, expect, it} from 'vitest'

const source = join(import.meta.dirname, '..', 'src')

/** What each folder may import from, besides itself. Core imports only core; nothing imports commands. */
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  catalogue: ['core'],
  import: ['core', 'catalogue'],
  detect: ['core'],
  engines: ['core'],
  verify: ['core'],
  planner: ['core', 'catalogue', 'engines', 'detect', 'verify'],
  render: ['core', 'catalogue', 'engines', 'detect', 'verify', 'planner'],
  cli: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render'],
  commands: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'cli'],
  build: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'cli'],
}

/** Files of the build that live beside what they check. */
const BUILD_ONLY = new Map([['engines/engine-schema.ts', ['catalogue']]])

/** Packages that core must stay free of, and where the heavy ones may stand. */
const LAZY = ['zod', 'ora', 'systeminformation', 'yaml']

interface File {
  path: string
  folder: string
  imports: {target: string; typeOnly: boolean; dynamic: boolean}[]
}

function filesOf(): File[] {
  return readdirSync(source, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = name.split(sep).join('/')
      const text = readFileSync(join(source, name), 'utf8')
      const statics = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gms)].map((match) => ({
        target: match[2]!,
        typeOnly: match[1] !== undefined,
        dynamic: false,
      }))
      const dynamics = [...text.matchAll(/\bimport\('([^']+)'\)/g)].map((match) => ({target: match[1]!, typeOnly: false, dynamic: true}))
      return {path, folder: path.includes('/') ? path.slice(0, path.indexOf('/')) : '', imports: [...statics, ...dynamics]}
    })
}

const files = filesOf()
const resolved = (from: string, target: string) =>
  relative(source, join(source, dirname(from), target))
    .split(sep)
    .join('/')
const folderOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')

describe('imports go one way', () => {
  it('finds the files', () => {
    expect(files.length).toBeGreaterThan(60)
  })

  for (const [folder, allowed] of Object.entries(MAY_IMPORT))
    it(`${folder} imports only ${[folder, ...allowed].join(', ')}`, () => {
      const bad = files
        .filter((file) => file.folder === folder)
        .flatMap(({path, imports}) =>
          imports
            .filter(({target}) => target.startsWith('.'))
            .map(({target}) => ({path, to: resolved(path, target)}))
            .filter(({to}) => ![folder, ...allowed, ...(BUILD_ONLY.get(path) ?? [])].includes(folderOf(to))),
        )
      expect(bad).toEqual([])
    })

  it('has no folder without a rule', () => {
    expect([...new Set(files.map(({folder}) => folder))].filter((folder) => folder !== '' && !(folder in MAY_IMPORT))).toEqual([])
  })

  it('core imports no package and nothing of node', () => {
    const bad = files
      .filter(({folder}) => folder === 'core')
      .flatMap(({path, imports}) => imports.filter(({target}) => !target.startsWith('.')).map(({target}) => `${path} ${target}`))
    expect(bad).toEqual([])
  })

  it('no engine is named in core', () => {
    const bad = files
      .filter(({folder, path}) => folder === 'core' && /'(vllm|sglang|trtllm)'/.test(readFileSync(join(source, path), 'utf8')))
      .map(({path}) => path)
    expect(bad).toEqual([])
  })

  it('has no cycle of values', () => {
    const graph = new Map(
      files.map(({path, imports}) => [
        path,
        imports.filter(({target, typeOnly, dynamic}) => target.startsWith('.') && !typeOnly && !dynamic).map(({target}) => resolved(path, target)),
      ]),
    )
    const cycles: string[] = []
    const done = new Set<string>()
    const visit = (path: string, trail: string[]) => {
      if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
      if (done.has(path) || trail.includes(path)) return
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
      done.add(path)
    }
    for (const path of graph.keys()) visit(path, [])
    expect(cycles).toEqual([])
  })
})

describe('heavy packages are loaded where they are used', () => {
  it('`check` reaches none of them by a static import', () => {
    const reached = new Set<string>()
    const packages = new Set<string>()
    const visit = (path: string) => {
      if (reached.has(path)) return
      reached.add(path)
      for (const {target, typeOnly, dynamic} of files.find((file) => file.path === path)?.imports ?? []) {
        if (typeOnly || dynamic) continue
        if (target.startsWith('.')) visit(resolved(path, target))
        else packages.add(target)
      }
    }
    visit('commands/check.ts')
    expect([...packages].filter((name) => LAZY.includes(name))).toEqual([])
    expect(packages).toContain('@oclif/core/args')
  })
})
