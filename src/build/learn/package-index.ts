import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import * as z from 'zod'
import {InputError} from '../../core/input-error.ts'
import {compareVersions} from '../../engines/versions.ts'

/** Packages by the engine's name. */
export const PACKAGES = {vllm: 'vllm', sglang: 'sglang', trtllm: 'tensorrt-llm'} as const
export type Learned = keyof typeof PACKAGES

const answer = z.record(z.string(), z.array(z.object({version: z.string(), uploaded: z.string().optional()})))

export interface Release {
  version: string
  /** The day on which the index got its first file. */
  uploaded?: string
}

/** Releases in rising order, as the index that pip is set to lists them; nothing where it does not answer in time. */
export function releasesOnIndex(root: string, engines: readonly Learned[], seconds: number): Map<Learned, Release[]> {
  const reader = join(root, 'src', 'build', 'learn', 'read_index.py')
  const names = engines.map((engine) => PACKAGES[engine])
  const {status, stdout} = spawnSync('python3', [reader, String(seconds), ...names], {encoding: 'utf8', timeout: seconds * 4000, maxBuffer: 64 * 1024 * 1024})
  let read: z.output<typeof answer> = {}
  try {
    if (status === 0) read = answer.parse(JSON.parse(stdout))
  } catch {
    // Whatever it printed, it is no list of releases.
  }
  return new Map(engines.map((engine) => [engine, (read[PACKAGES[engine]] ?? []).sort((left, right) => compareVersions(left.version, right.version))]))
}

/** The unpacked package of a release, fetched once and kept. Wheels where there is no source distribution. */
export function fetchedSources(root: string, engine: Learned, version: string): string {
  const cache = join(root, 'node_modules', '.cache', 'servefit-learn')
  const folder = join(cache, `${engine}-${version}`)
  if (existsSync(folder)) return folder
  mkdirSync(cache, {recursive: true})
  const scratch = mkdtempSync(join(tmpdir(), 'servefit-learn-'))
  try {
    const unpacked = sourceDistribution(scratch, engine, version) ?? wheel(scratch, engine, version)
    if (unpacked === undefined)
      throw new InputError(
        'RELEASE_UNAVAILABLE',
        `pip could not fetch ${PACKAGES[engine]} ${version}: is it a release on the index, and does the index answer? --from FOLDER reads an unpacked package`,
      )
    moved(unpacked, folder)
    return folder
  } finally {
    rmSync(scratch, {recursive: true, force: true})
  }
}

/** pip unpacks a source distribution before it asks for its metadata; that step needs the engine's build tools and may fail. */
function sourceDistribution(scratch: string, engine: Learned, version: string): string | undefined {
  const inner = join(scratch, 'source')
  mkdirSync(inner)
  const wanted = ['--no-deps', '--no-binary', ':all:', '--no-build-isolation', '--no-clean', '-d', join(scratch, 'files')]
  spawnSync('python3', ['-m', 'pip', 'download', `${PACKAGES[engine]}==${version}`, '--pre', ...wanted], {
    encoding: 'utf8',
    env: {...process.env, TMPDIR: inner},
    timeout: 180_000,
  })
  const holders = readdirSync(inner).filter((name) => statSync(join(inner, name)).isDirectory())
  for (const holder of holders) {
    const found = readdirSync(join(inner, holder)).find(
      (name) => statSync(join(inner, holder, name)).isDirectory() && existsSync(join(inner, holder, name, 'PKG-INFO')),
    )
    if (found !== undefined) return join(inner, holder, found)
  }
  return undefined
}

function wheel(scratch: string, engine: Learned, version: string): string | undefined {
  const files = join(scratch, 'wheels')
  const wanted = ['--no-deps', '--only-binary', ':all:', '--python-version', '3.12', '-d', files]
  spawnSync('python3', ['-m', 'pip', 'download', `${PACKAGES[engine]}==${version}`, '--pre', ...wanted], {encoding: 'utf8', timeout: 600_000})
  const found = existsSync(files) ? readdirSync(files).find((name) => name.endsWith('.whl')) : undefined
  if (found === undefined) return undefined
  const unpacked = join(scratch, 'unpacked')
  const {status} = spawnSync('python3', ['-m', 'zipfile', '-e', join(files, found), unpacked])
  return status === 0 ? unpacked : undefined
}

/** Across file systems a rename is refused: then it is copied. */
function moved(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    spawnSync('cp', ['-r', from, to])
  }
}
