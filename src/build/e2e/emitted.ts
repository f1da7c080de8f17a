/** The words that a program is given when an emitted shell command is run: the shell itself takes them apart. */
import {spawnSync} from 'node:child_process'
import {chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

const PROGRAMS = ['vllm', 'sglang', 'python3', 'trtllm-serve']

/** Programs that write down their words instead of starting anything. */
export class Recorder {
  readonly #folder = mkdtempSync(join(tmpdir(), 'servefit-words-'))

  constructor() {
    for (const name of PROGRAMS) {
      const path = join(this.#folder, name)
      writeFileSync(path, `#!/bin/sh\nprintf '%s\\0' ${name} "$@" > "$SERVEFIT_WORDS"\n`)
      chmodSync(path, 0o755)
    }
  }

  /** @throws Error where the text starts none of the programs, or the shell does not take it. */
  wordsOf(text: string): string[] {
    const path = join(this.#folder, 'words')
    rmSync(path, {force: true})
    const environment = {PATH: `${this.#folder}:/usr/bin:/bin`, SERVEFIT_WORDS: path, HEAD_ADDRESS: '192.0.2.1'}
    const {status, stderr} = spawnSync('sh', ['-eu', '-c', text], {cwd: this.#folder, env: environment, encoding: 'utf8'})
    if (status !== 0) throw new Error(`the shell says: ${stderr.trim()}\n${text}`)
    return readFileSync(path, 'utf8').split('\0').slice(0, -1)
  }

  close(): void {
    rmSync(this.#folder, {recursive: true, force: true})
  }
}
