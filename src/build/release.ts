import {execFileSync, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import type {Task} from './task.ts'

/** The version that a release has in each place that names it. */
export function versionsOf(root: string): Record<string, string | undefined> {
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  return {
    'package.json': (JSON.parse(read('package.json')) as {version: string}).version,
    'package-lock.json': (JSON.parse(read('package-lock.json')) as {version: string}).version,
    'python/pyproject.toml': /^version = "(.*)"$/m.exec(read('python/pyproject.toml'))?.[1],
    'CHANGELOG.md': /^## (\S+)/m.exec(read('CHANGELOG.md'))?.[1],
  }
}

/** Everything that is published, into `release/`, with checksums; nothing is published. Stops at the first thing that is wrong. */
export async function main({root}: Task): Promise<number> {
  const folder = join(root, 'release')
  const versions = versionsOf(root)
  if (new Set(Object.values(versions)).size !== 1) {
    console.error(
      `release: the versions differ: ${Object.entries(versions)
        .map(([place, version]) => `${place} ${version ?? 'none'}`)
        .join(', ')}`,
    )
    return 1
  }
  const git = (...args: string[]) => execFileSync('git', args, {cwd: root, encoding: 'utf8'}).trim()
  const isClean = git('status', '--porcelain') === ''
  if (!isClean) console.log('release: the working tree has changes: this is no release, only a trial')
  rmSync(folder, {recursive: true, force: true})
  mkdirSync(folder)
  const tasks = [['build'], ['types'], ['check-package'], ['check-nodes'], ['check-wheel']]
  for (const [task, ...args] of tasks) {
    const {status} = spawnSync(process.execPath, [join(root, 'src', 'build', 'run.mjs'), task!, ...args], {cwd: root, stdio: ['ignore', 'inherit', 'inherit']})
    if (status !== 0) return stopped(task!)
  }
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {cwd: root})
  const wheel = spawnSync(process.execPath, [join(root, 'src', 'build', 'run.mjs'), 'wheel', folder], {cwd: root, stdio: ['ignore', 'inherit', 'ignore']})
  if (wheel.status !== 0) console.log('release: no wheel, as no package index can be reached')
  const page = join(root, 'dist', 'web')
  if (existsSync(page)) packedPage(page, join(folder, `servefit-web-${versions['package.json']}.tar.gz`))
  const {dataVersion} = JSON.parse(readFileSync(join(root, 'dist', 'data', 'version.json'), 'utf8')) as {dataVersion: string}
  const npm = execFileSync('npm', ['--version'], {cwd: root, encoding: 'utf8'}).trim()
  const facts = {version: versions['package.json'], commit: git('rev-parse', 'HEAD'), isClean, dataVersion, node: process.version, npm}
  writeFileSync(join(folder, 'release.json'), `${JSON.stringify(facts, undefined, 2)}\n`)
  const names = readdirSync(folder).sort()
  const sums = names
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${name}\n`,
    )
    .join('')
  writeFileSync(join(folder, 'SHA256SUMS'), sums)
  console.log(`release: ${facts.version} of ${facts.commit.slice(0, 12)}, data ${dataVersion}:\n${sums}Nothing was published: docs/releasing.md says how.`)
  return 0
}

/** The page's folder as an archive: the same files give the same bytes, where tar can do that. */
function packedPage(page: string, archive: string): void {
  const isGnu = spawnSync('tar', ['--version'], {encoding: 'utf8'}).stdout.includes('GNU')
  const same = isGnu ? ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'] : []
  const tar = spawnSync('tar', [...same, '-cf', '-', '-C', page, '.'], {maxBuffer: 1 << 28})
  if (tar.status !== 0) throw new Error(`tar exits with ${tar.status}: ${tar.stderr}`)
  writeFileSync(archive, gzipSync(tar.stdout, {level: 9}))
}

function stopped(task: string): number {
  console.error(`release: stopped at ${task}`)
  return 1
}
