import {readdirSync} from 'node:fs'
import {readFile, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {build, type Plugin as EsbuildPlugin} from 'esbuild'

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

/** Bundles the commands into a folder, and writes the manifest that oclif reads instead of importing them at each start. */
export async function bundle(root: string, folder: string): Promise<void> {
  const commandFolder = join(root, 'src', 'commands')
  const commands = readdirSync(commandFolder, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
  await build({
    entryPoints: [join(root, 'src', 'main.ts'), ...commands.map((file) => join(commandFolder, file))],
    outdir: folder,
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
  await writeManifest(root, folder)
}

async function writeManifest(root: string, folder: string): Promise<void> {
  const {Config} = await import('@oclif/core/config')
  const configured = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  // Loaded from the fresh folder as a plug-in of its own: the manifest in place is of the last build.
  await writeFile(join(folder, 'package.json'), JSON.stringify({...configured, oclif: {...configured.oclif, commands: './commands'}}))
  const config = await Config.load({root: folder, devPlugins: false, userPlugins: false})
  // The manifest is a field of the loaded plug-in that the interface does not name.
  const plugin = [...config.plugins.values()][0] as {manifest?: {commands: Record<string, {relativePath: string[]}>}} | undefined
  if (!plugin?.manifest) throw new Error('oclif found no commands')
  await rm(join(folder, 'package.json'))
  // Paths as they are once the folder is in its place.
  for (const command of Object.values(plugin.manifest.commands)) command.relativePath = ['dist', ...command.relativePath]
  const manifest = join(root, 'oclif.manifest.json')
  await writeFile(`${manifest}.new`, `${JSON.stringify(plugin.manifest)}\n`)
  await rename(`${manifest}.new`, manifest)
}
