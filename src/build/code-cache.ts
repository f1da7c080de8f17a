import {spawnSync} from 'node:child_process'
import {rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {build} from 'esbuild'
import {NODE_BUNDLE} from './node-bundle.ts'

/** What the start is compiled from, and V8's compiled form of it beside it. */
const SOURCE = 'start.cjs'
const CODE_CACHE = 'start.cache'
/** What is run once so that the functions which a start needs are in the compiled form. */
const WARMED = ['check', 'qwen3-32b', '--gpu', '8xh100-sxm', '--json']

/**
 * Half of a start is V8 parsing the bundle. So the bundle becomes a script that `main.js` hands to V8 together with the compiled form of it that this
 * build made. V8 refuses a form that another version of itself wrote and compiles as it always did: the package, which is for any Node, ships none.
 *
 * `main.js` keeps its name and its exports, which oclif and the later parts import.
 */
export async function cacheCode(root: string, folder: string): Promise<void> {
  const main = join(folder, 'main.js')
  const {outputFiles} = await build({
    entryPoints: [main],
    write: false,
    ...NODE_BUNDLE,
    format: 'cjs',
    external: ['systeminformation', './chunks/*'],
    define: {'import.meta.url': 'importMetaUrl'},
    logOverride: {'empty-import-meta': 'silent'},
  })
  const names = await exportsOf(main)
  // Read as one byte a character, which is twice as quick: what is not ASCII is spelled out. `import` of a script needs its module.
  const text = outputFiles[0]!.text.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  await writeFile(join(folder, SOURCE), `(function(module,exports,require,importMetaUrl,importModule){${text.replace(/\bimport\(/g, 'importModule(')}\n})`)
  await writeFile(main, `${LOADER}export const {${names}} = module.exports\n`)
  await rm(join(folder, CODE_CACHE), {force: true})

  const writer = join(folder, 'cache-writer.mjs')
  const made = join(folder, `${CODE_CACHE}.new`)
  const args = [pathToFileURL(join(root, 'bin', 'run.js')).href, made, ...WARMED]
  await writeFile(writer, `${LOADER}${WRITER}`)
  const {status, stderr} = spawnSync(process.execPath, [writer, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: {...process.env, HF_HUB_OFFLINE: '1'},
    maxBuffer: 1 << 26,
  })
  await rm(writer)
  if (status !== 0) throw new Error(`the start cannot be compiled ahead: ${stderr}`)
  await rename(made, join(folder, CODE_CACHE))
}

async function exportsOf(file: string): Promise<string> {
  const {metafile} = await build({entryPoints: [file], metafile: true, write: false, format: 'esm', bundle: false, logLevel: 'error', outdir: 'unused'})
  return Object.values(metafile.outputs)[0]!.exports.join(',')
}

const LOADER = `import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {fileURLToPath} from 'node:url'
import {Script} from 'node:vm'
const beside = (name) => fileURLToPath(new URL(name, import.meta.url))
let cachedData
try {
  cachedData = readFileSync(beside('./${CODE_CACHE}'))
} catch {}
const script = new Script(readFileSync(beside('./${SOURCE}'), 'latin1'), {filename: beside('./${SOURCE}'), cachedData})
const module = {exports: {}}
script.runInThisContext()(module, module.exports, createRequire(import.meta.url), import.meta.url, (name) => import(name))
`

/** Answers one question, then writes what V8 compiled for it. */
const WRITER = `import {writeFileSync} from 'node:fs'
const [node, file, executed, target, ...asked] = process.argv
process.argv = [node, file, ...asked]
process.stdout.write = () => true
process.on('exit', () => writeFileSync(target, script.createCachedData()))
await module.exports.start(executed)
`
