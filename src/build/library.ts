import {join} from 'node:path'
import {build} from 'esbuild'

/**
 * Bundles the library: `open.js`, which needs nothing of Node, and `node.js`, which adds the packaged data and this machine. They share their parts; what is
 * heavy lies apart and is loaded where it is used. Returns the files that went in.
 */
export async function bundleLibrary(root: string, folder: string): Promise<string[]> {
  const {metafile} = await build({
    metafile: true,
    entryPoints: {open: join(root, 'src', 'library', 'open.ts'), node: join(root, 'src', 'node', 'index.ts')},
    outdir: join(folder, 'library'),
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    // Of packages the form for any place, not that for Node.
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    external: ['node:*', 'systeminformation'],
    logLevel: 'error',
  })
  return Object.keys(metafile.inputs)
}
