import {readdirSync, readFileSync} from 'node:fs'
import {readFile, rename, rm, writeFile} from 'node:fs/promises'
import {join, sep} from 'node:path'
import {build, type Plugin as EsbuildPlugin} from 'esbuild'
import type {Manifest} from '../completion/manifest.ts'
import {manPage} from './man.ts'
import {mergeIntoStart} from './merge-chunks.ts'
import {NODE_BUNDLE} from './node-bundle.ts'

/**
 * Parts of oclif that no command of ours reaches: spinners of its own, the file search that the manifest makes needless, plug-ins
 * named by wildcards, TypeScript sources, WSL's names. A stub that fails loudly stands in their place: start-up pays for each.
 */
const STUBBED = /^(cli-spinners|tinyglobby|minimatch|typescript|wsl-utils)$/
const stubs: EsbuildPlugin = {
  name: 'stub-unused',
  setup(builder) {
    builder.onResolve({filter: STUBBED}, ({path}) => ({path, namespace: 'stub'}))
    builder.onLoad({filter: /.*/, namespace: 'stub'}, ({path}) => ({
      // oclif makes a spinner when standard error is a terminal, and never starts it.
      contents:
        path === 'cli-spinners'
          ? "module.exports = {line: {interval: 130, frames: ['-']}, dots2: {interval: 80, frames: ['-']}}"
          : `const fail = () => {throw new Error(${JSON.stringify(`${path} is not bundled`)})}; module.exports = new Proxy({}, {get: () => fail})`,
    }))
  },
}

/** The SDK's own check of schemas, which the tools do not use: they check with the schemas that they are made from. */
const withoutAjv: EsbuildPlugin = {
  name: 'without-ajv',
  setup(builder) {
    builder.onResolve({filter: /validation\/ajv-provider\.js$/}, ({path}) => ({path, namespace: 'without-ajv'}))
    builder.onLoad({filter: /.*/, namespace: 'without-ajv'}, () => ({contents: 'export class AjvJsonSchemaValidator {}'}))
  },
}

/** oclif sorts its commands with a collator; making one costs more than all the rest of its loading. Ids are ASCII. */
const plainOrder: EsbuildPlugin = {
  name: 'plain-order',
  setup(builder) {
    builder.onLoad({filter: /@oclif[\\/]core[\\/]lib[\\/]config[\\/]plugin\.js$/}, async ({path}) => {
      const text = await readFile(path, 'utf8')
      const sorted = '(a, b) => a.id.localeCompare(b.id)'
      if (!text.includes(sorted)) throw new Error(`${path} has changed: "${sorted}" is not there`)
      return {contents: text.replace(sorted, '(a, b) => (a.id < b.id ? -1 : 1)'), loader: 'js'}
    })
  },
}

/** `servefit:commands`: every file of src/commands by its id (models/show.ts is models:show), so that a new command is a file. */
const commandRegistry = (folder: string): EsbuildPlugin => ({
  name: 'command-registry',
  setup(builder) {
    builder.onResolve({filter: /^servefit:commands$/}, ({path}) => ({path, namespace: 'registry'}))
    builder.onLoad({filter: /.*/, namespace: 'registry'}, () => {
      const files = readdirSync(folder, {recursive: true, encoding: 'utf8'})
        .filter((file) => file.endsWith('.ts'))
        .map((file) => file.split(sep).join('/'))
        .sort()
      const imports = files.map((file, index) => `import command${index} from ${JSON.stringify(`./${file}`)}`)
      const entries = files.map((file, index) => `${JSON.stringify(file.replace(/(\/index)?\.ts$/, '').replaceAll('/', ':'))}: command${index}`)
      return {contents: `${imports.join('\n')}\nexport const COMMANDS = {${entries.join(', ')}}`, resolveDir: folder, loader: 'ts'}
    })
  },
})

/**
 * Bundles everything into one module, with what is heavy in chunks of their own, and writes the manifest that oclif reads instead of
 * importing the commands at each start. Few files: loading a module costs a millisecond or two, whatever its size. Returns the files that went in.
 */
export async function bundle(root: string, folder: string): Promise<string[]> {
  const {metafile} = await build({
    entryPoints: [join(root, 'src', 'main.ts')],
    metafile: true,
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    ...NODE_BUNDLE,
    splitting: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    external: ['systeminformation'],
    plugins: [stubs, withoutAjv, plainOrder, commandRegistry(join(root, 'src', 'commands'))],
    // Some bundled packages are CommonJS and ask for `require`.
    banner: {js: "import {createRequire as nodeRequire} from 'node:module'; const require = nodeRequire(import.meta.url);"},
  })
  await mergeIntoStart(metafile, folder)
  await build({
    entryPoints: [join(root, 'src', 'completion', 'main.ts')],
    outfile: join(folder, 'completion.js'),
    ...NODE_BUNDLE,
  })
  const manifest = await writeManifest(root, folder)
  await writeFile(join(folder, 'servefit.1'), manPage(manifest, packageOf(root).description))
  return Object.keys(metafile.inputs)
}

const packageOf = (root: string): {description: string} => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

async function writeManifest(root: string, folder: string): Promise<Manifest> {
  const {Config} = await import('@oclif/core/config')
  const configured = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  // Loaded from the fresh folder as a plug-in of its own: the manifest in place is of the last build.
  const asPlugin = join(folder, 'package.json')
  await writeFile(asPlugin, JSON.stringify({...configured, oclif: {...configured.oclif, commands: {...configured.oclif.commands, target: './main.js'}}}))
  const config = await Config.load({root: folder, devPlugins: false, userPlugins: false})
  // The manifest is a field of the loaded plug-in that the interface does not name.
  const plugin = [...config.plugins.values()][0] as {manifest?: object} | undefined
  if (!plugin?.manifest) throw new Error('oclif found no commands')
  await rm(asPlugin)
  const manifest = join(root, 'oclif.manifest.json')
  await writeFile(`${manifest}.new`, `${JSON.stringify(plugin.manifest)}\n`)
  await rename(`${manifest}.new`, manifest)
  return plugin.manifest as Manifest
}
