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
  library: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render'],
  cli: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library'],
  web: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library', 'cli'],
  mcp: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library', 'cli', 'node'],
  commands: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library', 'cli', 'node', 'mcp', 'completion', 'web'],
  completion: ['core', 'catalogue'],
  node: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library', 'cli'],
  build: ['core', 'catalogue', 'engines', 'detect', 'verify', 'import', 'planner', 'render', 'library', 'cli', 'node', 'mcp', 'completion', 'web'],
}

/** Files of the build that live beside what they check. */
const BUILD_ONLY = new Map([
  ['engines/engine-schema.ts', ['catalogue']],
  ['engines/draft-schema.ts', ['catalogue']],
])

/** Packages that core must stay free of, and where the heavy ones may stand. */
const LAZY = ['zod', 'ora', 'systeminformation', 'yaml', 'preact', 'preact-render-to-string', '@modelcontextprotocol/sdk/server/index.js']

interface File {
  path: string
  folder: string
  imports: {target: string; typeOnly: boolean; dynamic: boolean}[]
}

function importsOf(text: string): File['imports'] {
  const statics = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gms)].map((match) => ({
    target: match[2]!,
    typeOnly: match[1] !== undefined,
    dynamic: false,
  }))
  const dynamics = [...text.matchAll(/\bimport\('([^']+)'\)/g)].map((match) => ({target: match[1]!, typeOnly: false, dynamic: true}))
  return [...statics, ...dynamics]
}

function filesOf(): File[] {
  return readdirSync(source, {recursive: true, encoding: 'utf8'})
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => {
      const path = name.split(sep).join('/')
      return {path, folder: path.includes('/') ? path.slice(0, path.indexOf('/')) : '', imports: importsOf(readFileSync(join(source, name), 'utf8'))}
    })
}

/** What of a graph lies on circles: each strongly connected part of more than one file (Tarjan). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const circles: string[][] = []
  const visit = (path: string) => {
    order.set(path, order.size)
    lowest.set(path, order.get(path)!)
    open.push(path)
    for (const next of graph.get(path) ?? []) {
      if (!order.has(next)) visit(next)
      if (open.includes(next)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(next)!))
    }
    if (lowest.get(path) !== order.get(path)) return
    const part = open.splice(open.indexOf(path))
    if (part.length > 1 || graph.get(path)?.includes(path)) circles.push(part.sort())
  }
  for (const path of graph.keys()) if (!order.has(path)) visit(path)
  return circles
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

  const graph = new Map(files.map(({path, imports}) => [path, imports.filter(({target}) => target.startsWith('.')).map(({target}) => resolved(path, target))]))

  it('has no circle of any two files, imports of types and lazy ones included', () => {
    expect(circlesOf(graph)).toEqual([])
  })

  it('sees a circle that is planted: of two files, of a file with itself, and through a type', () => {
    const planted = (from: string, to: string) => new Map([...graph, [from, [...graph.get(from)!, to]]])
    expect(circlesOf(planted('core/terms.ts', 'core/memory.ts'))).toEqual([['core/memory.ts', 'core/terms.ts']])
    expect(circlesOf(planted('core/terms.ts', 'core/terms.ts'))).toEqual([['core/terms.ts']])
    // machines.ts is read by the door of its room, which models.ts of another room uses.
    expect(circlesOf(planted('planner/world/machines.ts', 'planner/answer/index.ts'))[0]).toContain('planner/answer/answer.ts')
    const text = "import type {\n  A,\n} from './a.ts'\nexport * from './b.ts'\nconst later = await import('./c.ts')\n"
    expect(importsOf(text).map(({target}) => target)).toEqual(['./a.ts', './b.ts', './c.ts'])
  })
})

describe('the planner has a room for each question', () => {
  /** `index.ts` is the door; `schema.ts` is that to what needs zod, which a plain run must not load. */
  const DOORS = ['index.ts', 'schema.ts']
  const roomOf = (path: string) => /^planner\/([^/]+)\//.exec(path)?.[1]

  it('with every file in one', () => {
    expect(files.filter(({path}) => path.startsWith('planner/') && roomOf(path) === undefined).map(({path}) => path)).toEqual([])
  })

  it('that others enter by its door', () => {
    const through = files.flatMap(({path, imports}) =>
      imports
        .filter(({target}) => target.startsWith('.'))
        .map(({target}) => ({path, to: resolved(path, target)}))
        .filter(({path, to}) => roomOf(to) !== undefined && roomOf(to) !== roomOf(path) && !DOORS.some((door) => to === `planner/${roomOf(to)}/${door}`)),
    )
    expect(through).toEqual([])
  })

  it('and whose own files do not go out and in again', () => {
    const inside = files.filter(
      ({path, imports}) =>
        roomOf(path) !== undefined && imports.some(({target}) => target.startsWith('.') && resolved(path, target) === `planner/${roomOf(path)}/index.ts`),
    )
    expect(inside.map(({path}) => path)).toEqual([])
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
