import {spawnSync} from 'node:child_process'
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {readdir, readFile, rename, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Task} from './task.ts'

/** A fenced block whose first line is a command of ours: what follows is what it printed. */
const PICTURE = /(```console\n\$ (servefit [^\n]*)\n)[\s\S]*?(```)/g

/**
 * Pictures of real output: every `$ servefit ...` block of the README and of docs/ is run and its output put in its place. With --check
 * nothing is written, and a picture that is no longer true is an error.
 */
export async function main({root, args}: Task): Promise<number> {
  const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).sort()
  const bin = mkdtempSync(join(tmpdir(), 'servefit-readme-'))
  const program = join(bin, 'servefit')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin', 'run.js')}" "$@"\n`)
  chmodSync(program, 0o755)
  const stale: string[] = []
  try {
    for (const name of ['README.md', ...docs.map((page) => join('docs', page))]) {
      const path = join(root, name)
      const text = await readFile(path, 'utf8')
      const fresh = text.replaceAll(PICTURE, (_whole, head: string, line: string, tail: string) => `${head}${printed(line, root, bin)}\n${tail}`)
      if (fresh === text) continue
      stale.push(name)
      if (args.includes('--check')) continue
      await writeFile(`${path}.new`, fresh)
      await rename(`${path}.new`, path)
    }
  } finally {
    rmSync(bin, {recursive: true, force: true})
  }
  if (!args.includes('--check') || stale.length === 0) return 0
  console.error(`${stale.join(', ')}: what the commands print has changed: npm run readme`)
  return 1
}

/** What a line prints in a shell, offline; wrong input is no picture. */
function printed(line: string, root: string, bin: string): string {
  const {status, stdout, stderr} = spawnSync('sh', ['-c', line], {
    cwd: root,
    encoding: 'utf8',
    env: {PATH: `${bin}:${process.env.PATH}`, HOME: bin, HF_HUB_OFFLINE: '1', NO_COLOR: '1', COLUMNS: '80'},
  })
  if (status !== 0 && status !== 1) throw new Error(`${line} ends with ${status}: ${stderr}`)
  return stdout.trimEnd()
}
