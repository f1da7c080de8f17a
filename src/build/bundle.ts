import {readdirSync} from 'node:fs'
import {rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {build, type Plugin as EsbuildPlugin} from 'esbuild'
import type {Task} from './task.ts'

/**
 * Parts of oclif that no command of ours reaches (spinners of its own, and the file search that the manifest makes
 * needless) are replaced by a stub that fails loudly.
 */
const STUBBED = /^(cli-spinners|tinyglobby)$/
const stubs: EsbuildPlugin = {
  name: 'stub-unused',
  setup(builder) {
    builder.onResolve({filter: STUBBED}, ({path}) => ({path, namespace: 'stub'}))
    builder.onLoad({filter: /.*/, namespace: 'stub'}, ({path}) => ({
      contents: path === 'cli-spinners' ? 'module.exports = {}' : `const fail = () => {throw new Error(${JSON.stringify(`${path} is not bundled`)})}; module.exports = {render: fail, glob: fail, globSync: fail}`,
    }))
  },
}

export async function main({root}: Task): Promise<number> {
  await rm(join(root, 'dist', 'chunks'), {recursive: true, force: true})
  const commandFolder = join(root, 'src', 'commands')
  const commands = readdirSync(commandFolder, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
  await build({
    entryPoints: [join(root, 'src', 'main.ts'), ...commands.map((file) => join(commandFolder, file))],
    outdir: join(root, 'dist'),
    outbase: join(root, 'src'),
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minify: true,
    legalComments: 'none',
    keepNames: false,
    external: ['systeminformation'],
    plugins: [stubs],
    logLevel: 'error',
    // Some bundled packages are CommonJS and ask for `require`.
    banner: {js: "import {createRequire as nodeRequire} from 'node:module'; const require = nodeRequire(import.meta.url);"},
  })
  await writeManifest(root)
  return 0
}

/** oclif reads this instead of importing every command at each start. */
async function writeManifest(root: string): Promise<void> {
  const {Config} = await import('@oclif/core/config')
  await rm(join(root, 'oclif.manifest.json'), {force: true})
  const config = await Config.load({root, devPlugins: false, userPlugins: false})
  // The manifest is a field of the loaded plug-in that the interface does not name.
  const plugin = [...config.plugins.values()][0] as {manifest?: unknown} | undefined
  if (!plugin?.manifest) throw new Error('oclif found no commands at the root')
  await writeFile(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest)}\n`)
}
