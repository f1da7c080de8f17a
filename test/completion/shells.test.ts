import {spawnSync} from 'node:child_process'
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {COMPLETION_SCRIPTS} from '../../src/completion/scripts.ts'
import {root, servefit} from '../commands/spawn.ts'

/** A folder with the program on its path and each shell's script. */
let folder = ''
const isThere = (shell: string) => spawnSync(shell, ['--version']).status === 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-completion-'))
  mkdirSync(join(folder, 'bin'))
  mkdirSync(join(folder, 'some-folder'))
  writeFileSync(join(folder, 'some-file.yaml'), '')
  writeFileSync(join(folder, 'bin', 'servefit'), `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'bin', 'run.js')}" "$@"\n`)
  chmodSync(join(folder, 'bin', 'servefit'), 0o755)
  for (const [shell, script] of Object.entries(COMPLETION_SCRIPTS)) writeFileSync(join(folder, `script.${shell}`), script)
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

function asked(shell: string, args: string[], env: Record<string, string> = {}): string[] {
  const {stdout, stderr, status} = spawnSync(shell, args, {
    encoding: 'utf8',
    cwd: folder,
    env: {PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder, TERM: 'dumb', ...env},
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout.split('\n').filter((line) => line !== '')
}

/** What completing this line at its end comes to, as each shell puts it in. */
const COMPLETERS: Record<string, (line: string) => string[]> = {
  bash: (line) =>
    asked('bash', ['--norc', '-c', 'source script.bash; COMP_LINE=$LINE COMP_POINT=${#LINE}; _servefit; printf "%s\\n" "${COMPREPLY[@]}"'], {LINE: line}),
  // The parts that only work at a terminal are stood in for; the words and the answer are zsh's own.
  zsh: (line) =>
    asked(
      'zsh',
      [
        '-f',
        '-c',
        'compdef() { }; _files() { print -l :files; }; _describe() { print -rl -- "${(@P)3}"; }; source ./script.zsh; words=("${(z)LINE}"); [[ $LINE == *" " ]] && words+=(""); CURRENT=${#words}; _servefit',
      ],
      {LINE: line},
    ).map((word) => (word.startsWith(':') ? word : word.replaceAll('\\:', '\u0000').split(':')[0]!.replaceAll('\u0000', ':'))),
  fish: (line) => asked('fish', ['--no-config', '-c', 'source script.fish; complete -C "$LINE"'], {LINE: line}).map((word) => word.split('\t')[0]!),
}

describe.each(Object.keys(COMPLETERS))('%s', (shell) => {
  const completed = COMPLETERS[shell]!

  it.skipIf(!isThere(shell))('completes commands, models, cards behind their number, formats and files', () => {
    expect(completed('servefit che')).toEqual(['check'])
    expect(completed('servefit check qwen3-32')).toEqual(['qwen3-32b'])
    expect(completed('servefit check qwen3-32b --gpu 2xrtx-5090-d')).toContain('2xrtx-5090-d')
    expect(completed('servefit plan x --machine dgx-h2')).toEqual(['dgx-h200'])
    expect(completed('servefit config x --format comp')).toEqual(['compose'])
    expect(completed('servefit models sh')).toEqual(['show'])
    expect(completed('servefit check --scenario ')).toEqual(shell === 'zsh' ? [':files'] : expect.arrayContaining(['some-file.yaml']))
  })
})

describe('bash', () => {
  it.skipIf(!isThere('bash'))('puts in only what stands behind = or :', () => {
    expect(COMPLETERS.bash!('servefit config x --format=comp')).toEqual(['compose'])
  })
})

describe('servefit completion', () => {
  it('prints the script of a shell, by default of the one in use', () => {
    expect(servefit(['completion', 'zsh']).stdout).toBe(COMPLETION_SCRIPTS.zsh)
    expect(servefit(['completion'], {env: {SHELL: '/usr/bin/fish'}}).stdout).toBe(COMPLETION_SCRIPTS.fish)
    const {code, stderr} = servefit(['completion'], {env: {SHELL: '/bin/tcsh'}})
    expect(code).toBe(2)
    expect(stderr).toContain('bash, zsh, fish')
  })

  it('scripts are sound', () => {
    if (isThere('shellcheck')) expect(spawnSync('shellcheck', ['-s', 'bash', '-e', 'SC2207', join(folder, 'script.bash')], {encoding: 'utf8'}).stdout).toBe('')
    if (isThere('zsh')) expect(spawnSync('zsh', ['-n', join(folder, 'script.zsh')], {encoding: 'utf8'}).stderr).toBe('')
    if (isThere('fish')) expect(spawnSync('fish', ['-n', join(folder, 'script.fish')], {encoding: 'utf8'}).stderr).toBe('')
  })
})
