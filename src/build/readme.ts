import {spawnSync} from 'node:child_process'
import {readFile, rename, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Task} from './task.ts'

/** A fenced block whose first line is a command of ours: what follows is what it printed. */
const PICTURE = /(```console\n\$ servefit ([^\n]*)\n)[\s\S]*?(```)/g

/**
 * Pictures of real output: every `$ servefit ...` block of the README is run and its output put in its place. With --check
 * nothing is written, and a picture that is no longer true is an error.
 */
export async function main({root, args}: Task): Promise<number> {
  const path = join(root, 'README.md')
  const text = await readFile(path, 'utf8')
  const fresh = text.replaceAll(PICTURE, (_whole, head: string, words: string, tail: string) => {
    const {stdout} = spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...words.split(' ')], {
      encoding: 'utf8',
      env: {PATH: process.env.PATH, HOME: root, HF_HUB_OFFLINE: '1', NO_COLOR: '1', COLUMNS: '80'},
    })
    return `${head}${stdout.trimEnd()}\n${tail}`
  })
  if (args.includes('--check')) {
    if (fresh === text) return 0
    console.error('README.md shows what the commands no longer print: npm run readme')
    return 1
  }
  await writeFile(`${path}.new`, fresh)
  await rename(`${path}.new`, path)
  return 0
}
