import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {rolldown} from 'rolldown'
import {dts} from 'rolldown-plugin-dts'
import type {Task} from './task.ts'

/** The package's entries, and what declares each of them. */
const ENTRIES = {open: 'library/open.d.ts', node: 'node/index.d.ts'}

/** What the library declares, in two files and what they share: nobody has to follow how the source is cut. */
export async function declarations(root: string): Promise<Map<string, string>> {
  const folder = mkdtempSync(join(root, 'node_modules', '.types-'))
  try {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    execFileSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.types.json'), '--outDir', folder], {cwd: root, stdio: 'inherit'})
    const input = Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(folder, path)]))
    const bundle = await rolldown({input, plugins: [dts({emitDtsOnly: true, oxc: true, tsconfig: false})], logLevel: 'silent'})
    const {output} = await bundle.generate({format: 'esm', entryFileNames: '[name].d.ts', chunkFileNames: 'shared.d.ts'})
    await bundle.close()
    // Where a part was compiled is a folder of this run: without it the same source gives the same bytes.
    return new Map(
      output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file.code.replaceAll(/^\/\/ node_modules\/\.types-.*\n/gm, '')] as const] : [])),
    )
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** Writes the declarations beside the bundled library. */
export async function main({root}: Task): Promise<number> {
  const folder = join(root, 'dist', 'library')
  mkdirSync(folder, {recursive: true})
  for (const [name, text] of await declarations(root)) writeFileSync(join(folder, name), text)
  console.log(`types: ${readFileSync(join(folder, 'node.d.ts'), 'utf8').split('\n').length} lines for the package's entry`)
  return 0
}
