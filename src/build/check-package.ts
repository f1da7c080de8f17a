import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Task} from './task.ts'

/** What the published package must hold, and what must not slip in. */
const NEEDED = [
  'bin/run.js',
  'dist/main.js',
  'dist/data/models.json',
  'dist/data/gpus.json',
  'dist/web/index.html',
  'oclif.manifest.json',
  'package.json',
  'README.md',
  'LICENSE',
]
const FORBIDDEN = /^(src|test|data|node_modules|\.ci)\//
const MOST_BYTES = 8_000_000

/** Packs as for publishing, looks at the list of files, then unpacks and answers one question with it. */
export async function main({root}: Task): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-package-'))
  try {
    const [{files, filename, unpackedSize}] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {cwd: root, encoding: 'utf8'}),
    ) as [{files: {path: string}[]; filename: string; unpackedSize: number}]
    const paths = files.map(({path}) => path)
    const problems = [
      ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
      ...paths.filter((path) => FORBIDDEN.test(path)).map((path) => `${path} does not belong in it`),
      ...(unpackedSize > MOST_BYTES ? [`${unpackedSize} bytes are more than ${MOST_BYTES}`] : []),
    ]
    execFileSync('tar', ['xzf', join(folder, filename), '-C', folder])
    const {status, stderr} = spawnSync(process.execPath, [join(folder, 'package', 'bin', 'run.js'), 'check', 'qwen3-32b', '--gpu', '1xh100-sxm', '--json'], {
      encoding: 'utf8',
      cwd: folder,
    })
    if (status !== 0) problems.push(`the unpacked command exits with ${status}: ${stderr}`)
    for (const problem of problems) console.error(`package: ${problem}`)
    if (problems.length === 0) console.log(`package: ${paths.length} files, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked, runs`)
    return problems.length > 0 ? 1 : 0
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
