import {rename, rm, writeFile} from 'node:fs/promises'
import {dirname, join, relative, resolve, sep} from 'node:path'
import {build, type BuildOptions, type Metafile, type Plugin} from 'esbuild'
import {NODE_BUNDLE} from './node-bundle.ts'

/** A file that esbuild wrote, by its path below the output folder. */
interface Output {
  path: string
  exports: string[]
  statics: string[]
}

function outputsOf({outputs}: Metafile, folder: string): Map<string, Output> {
  const below = (path: string) => relative(folder, resolve(path)).split(sep).join('/')
  return new Map(
    Object.entries(outputs).map(([name, {exports, imports}]) => [
      below(name),
      {
        path: below(name),
        exports,
        statics: imports.filter(({kind, external}) => kind === 'import-statement' && external !== true).map(({path}) => below(path)),
      },
    ]),
  )
}

/** What is loaded with a file at once, itself included. */
function loadedWith(outputs: Map<string, Output>, first: string): Output[] {
  const found = new Map<string, Output>()
  const visit = (path: string): void => {
    const output = outputs.get(path)
    if (!output || found.has(path)) return
    found.set(path, output)
    output.statics.forEach(visit)
  }
  visit(first)
  return [...found.values()]
}

const alias = (index: number, name: string): string => `m${index}_${name}`

/**
 * esbuild puts what the start and a later part both need into a file of its own; each such file costs a millisecond or two at every start. The start
 * is always there before a later part, so they are put back into it, and the later parts import from it. Nothing is loaded twice.
 */
export async function mergeIntoStart(metafile: Metafile, folder: string, start = 'main.js'): Promise<void> {
  const below = (from: string, path: string) => relative(folder, join(from, path)).split(sep).join('/')
  const outputs = outputsOf(metafile, folder)
  const merged = loadedWith(outputs, start)
  const shared = merged.filter(({path}) => path !== start)
  const indexOf = new Map(shared.map(({path}, index) => [path, index]))
  const later = [...outputs.values()].filter(({path}) => /\.js$/.test(path) && !merged.some((output) => output.path === path))

  const entry = join(folder, 'merged-entry.js')
  const lines = [
    `export * from './${start}'`,
    ...shared.map(({path, exports}, index) =>
      exports.length > 0 ? `export {${exports.map((name) => `${name} as ${alias(index, name)}`).join(', ')}} from './${path}'` : `import './${path}'`,
    ),
  ]
  await writeFile(entry, `${lines.join('\n')}\n`)
  const common: BuildOptions = {
    ...NODE_BUNDLE,
    external: ['systeminformation'],
    allowOverwrite: true,
  }

  /** Later parts stay files of their own, seen from where the importing file will lie. */
  const apart: Plugin = {
    name: 'parts-apart',
    setup(builder) {
      builder.onResolve({filter: /^\.\.?\//}, ({path, resolveDir, kind}) =>
        kind === 'dynamic-import' ? {path: `./${below(resolveDir, path)}`, external: true} : undefined,
      )
    },
  }
  await build({...common, entryPoints: [entry], outfile: join(folder, 'merged.js'), plugins: [apart]})

  const fromStart: Plugin = {
    name: 'from-start',
    setup(builder) {
      builder.onResolve({filter: /^\.\.?\//}, ({path, namespace, resolveDir, kind}) => {
        if (kind === 'entry-point') return undefined
        if (namespace === 'start') return {path, external: true}
        const target = below(resolveDir, path)
        if (indexOf.has(target) || target === start) return {path: target, namespace: 'start'}
        return {path, external: true}
      })
      builder.onLoad({filter: /.*/, namespace: 'start'}, ({path}) => {
        const index = indexOf.get(path)
        const names = outputs.get(path)!.exports.map((name) => (index === undefined ? name : `${alias(index, name)} as ${name}`))
        return {contents: `export {${names.join(', ')}} from '../${start}'`, resolveDir: folder}
      })
    },
  }
  for (const place of new Set(later.map(({path}) => dirname(path)))) {
    const parts = later.filter(({path}) => dirname(path) === place)
    await build({...common, entryPoints: parts.map(({path}) => join(folder, path)), outdir: join(folder, place), plugins: [fromStart]})
  }
  for (const {path} of shared) await rm(join(folder, path))
  await rm(entry)
  await rename(join(folder, 'merged.js'), join(folder, start))
}
