import {execFileSync, spawnSync} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {build, transform} from 'esbuild'
import type {Task} from './task.ts'
import {main as writeTypes} from './types.ts'

/** What the published package must hold, and what must not slip in. */
const NEEDED = [
  'bin/run.js',
  'dist/main.js',
  'dist/start.cjs',
  'dist/completion.js',
  'dist/NOTICES.md',
  'dist/data/models.json',
  'dist/data/gpus.json',
  'dist/library/node.js',
  'dist/library/node.d.ts',
  'dist/library/open.js',
  'dist/library/open.d.ts',
  'dist/servefit.1',
  'docs/contract.md',
  'docs/library.md',
  'dist/web/index.html',
  'oclif.manifest.json',
  'package.json',
  'README.md',
  'LICENSE',
]
const FORBIDDEN = /^(src|test|data|node_modules|\.ci|python)\/|\.cache$/
/** Unpacked, and as it is downloaded; the page comes on top. */
const MOST_BYTES = 12_000_000
const MOST_PACKED_BYTES = 1_500_000
const MOST_PACKED_BYTES_WITH_PAGE = 3_000_000

/** Packs as for publishing, looks at the list of files, then unpacks, answers one question with it, and tries the examples of the docs. */
export async function main(task: Task): Promise<number> {
  const {root} = task
  const folder = mkdtempSync(join(tmpdir(), 'servefit-package-'))
  try {
    await writeTypes(task)
    const [{files, filename, size, unpackedSize}] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {cwd: root, encoding: 'utf8'}),
    ) as [{files: {path: string; size: number}[]; filename: string; size: number; unpackedSize: number}]
    const paths = files.map(({path}) => path)
    const mostPacked = paths.some((path) => path.startsWith('dist/web/')) ? MOST_PACKED_BYTES_WITH_PAGE : MOST_PACKED_BYTES
    const problems = [
      ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
      ...paths.filter((path) => FORBIDDEN.test(path)).map((path) => `${path} does not belong in it`),
      ...(unpackedSize > MOST_BYTES ? [`${unpackedSize} bytes are more than ${MOST_BYTES}`] : []),
      ...(size > mostPacked ? [`${size} bytes packed are more than ${mostPacked}`] : []),
    ]
    execFileSync('tar', ['xzf', join(folder, filename), '-C', folder])
    const place = join(folder, 'package')
    problems.push(...deadLinks(place, paths))
    const {status, stderr} = spawnSync(process.execPath, [join(place, 'bin', 'run.js'), 'check', 'qwen3-32b', '--gpu', '1xh100-sxm', '--json'], {
      encoding: 'utf8',
      cwd: folder,
    })
    if (status !== 0) problems.push(`the unpacked command exits with ${status}: ${stderr}`)
    const examples = [...examplesIn(root, 'README.md'), ...examplesIn(root, 'docs/library.md')]
    problems.push(...(await tried(examples, root, place, join(folder, 'examples'))))
    for (const problem of problems) console.error(`package: ${problem}`)
    if (problems.length === 0)
      console.log(
        `package: ${paths.length} files, ${(size / 1e6).toFixed(2)} MB packed, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked, runs; ${examples.length} examples of the library type-check and run`,
      )
    return problems.length > 0 ? 1 : 0
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** Links of the README to files that the package does not have. */
function deadLinks(place: string, paths: readonly string[]): string[] {
  const text = readFileSync(join(place, 'README.md'), 'utf8')
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!)
  return [...new Set(targets)]
    .filter((target) => !paths.some((path) => path === target || path.startsWith(`${target}/`)))
    .map((target) => `README.md links to ${target}, which is not there`)
}

interface Example {
  from: string
  text: string
}

/** Fenced blocks of TypeScript. */
function examplesIn(root: string, file: string): Example[] {
  const blocks = readFileSync(join(root, file), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)
  return [...blocks].map(([, text], index) => ({from: `${file}, example ${index + 1}`, text: text!}))
}

/** Type-checks the examples against the unpacked package and runs them; those of `servefit/open` alone are bundled as for a page first. */
async function tried(examples: readonly Example[], root: string, place: string, folder: string): Promise<string[]> {
  mkdirSync(join(folder, 'node_modules', '@types'), {recursive: true})
  cpSync(place, join(folder, 'node_modules', 'servefit'), {recursive: true})
  for (const name of ['systeminformation', '@types/node', 'undici-types']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  const options = {strict: true, noUncheckedIndexedAccess: true, module: 'nodenext', target: 'es2022', noEmit: true, types: ['node'], skipLibCheck: false}
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({compilerOptions: options, include: ['*.ts']}))
  for (const [index, {text}] of examples.entries()) writeFileSync(join(folder, `example-${index + 1}.ts`), `${text}\nexport {}\n`)
  const checked = spawnSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder], {encoding: 'utf8'})
  const problems = checked.status === 0 ? [] : [`examples do not type-check: ${checked.stdout.trim()}`]
  for (const [index, {from, text}] of examples.entries()) {
    const file = join(folder, `example-${index + 1}.mjs`)
    const forPage = /from 'servefit\/open'/.test(text) && !/from '(?:servefit|node:[\w/]+)'/.test(text)
    if (forPage) await bundled(join(folder, `example-${index + 1}.ts`), file)
    else writeFileSync(file, (await transform(text, {loader: 'ts', format: 'esm', target: 'es2022'})).code)
    const {status, stderr} = spawnSync(process.execPath, forPage ? ['--input-type=module', '-e', ofPage(file)] : [file], {
      encoding: 'utf8',
      cwd: folder,
      env: {PATH: process.env.PATH, HOME: folder, HF_HUB_OFFLINE: '1'},
    })
    if (status !== 0) problems.push(`${from} fails: ${stderr.trim().split('\n').slice(0, 6).join('\n')}`)
  }
  return problems
}

/** One file for any browser: what is of Node would not be found. */
const bundled = (entry: string, outfile: string) =>
  build({entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', minify: true, logLevel: 'error'})

/** A page that fetches what the build step wrote. */
const ofPage = (file: string): string => `
import {readFileSync} from 'node:fs'
globalThis.fetch = async (name) => new Response(readFileSync(name, 'utf8'))
const {start} = await import(${JSON.stringify(file)})
const {verdict} = await (await start()).check({model: 'qwen3-32b', gpu: '2xrtx-4090'})
if (verdict !== 'fits') throw new Error('the bundle answers ' + verdict)
`
