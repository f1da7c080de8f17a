import {spawnSync} from 'node:child_process'
import {mkdirSync, readdirSync, statSync} from 'node:fs'
import {join} from 'node:path'
import type {Task} from './task.ts'

/** Builds the Python wheel of what `npm run build` made, into `release/`, or into the folder that is named. */
export async function main({root, args: [folder = join(root, 'release')]}: Task): Promise<number> {
  mkdirSync(folder, {recursive: true})
  const {status, error} = spawnSync(
    'python3',
    ['-m', 'pip', 'wheel', '--quiet', '--disable-pip-version-check', '--no-deps', '--wheel-dir', folder, join(root, 'python')],
    {
      stdio: 'inherit',
    },
  )
  if (error) console.error(`wheel: python3 cannot be run (${error.message})`)
  if (status !== 0) return 1
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.whl')))
    console.log(`wheel: ${join(folder, name)}, ${(statSync(join(folder, name)).size / 1e6).toFixed(2)} MB`)
  return 0
}
