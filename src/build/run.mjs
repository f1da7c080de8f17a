// Runs a build task written in TypeScript on any Node that cannot: node src/build/run.mjs TASK [ARGUMENTS]
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {build} from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const [task, ...args] = process.argv.slice(2)
const isTask = (name) => existsSync(join(here, `${name}.ts`)) && /^export (async )?function main\(/m.test(readFileSync(join(here, `${name}.ts`), 'utf8'))
if (!/^[a-z][a-z0-9/-]*$/.test(task ?? '') || !isTask(task)) {
  const tasks = readdirSync(here, {recursive: true}).flatMap((path) => (path.endsWith('.ts') ? path.slice(0, -'.ts'.length) : []))
  console.error(`usage: node src/build/run.mjs TASK [ARGUMENTS]\n\nTASK is one of ${tasks.filter(isTask).sort().join(', ')}.`)
  process.exit(2)
}
const folder = mkdtempSync(join(root, 'node_modules', '.servefit-'))
const file = join(folder, 'task.mjs')
try {
  await build({
    entryPoints: [join(here, `${task}.ts`)],
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'error',
  })
  const {main} = await import(pathToFileURL(file))
  process.exitCode = (await main({root, args})) ?? 0
} finally {
  rmSync(folder, {recursive: true, force: true})
}
