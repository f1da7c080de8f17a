import {spawnSync} from 'node:child_process'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {root} from './spawn.ts'

// util-linux; on other systems the flags differ, and there is nothing to run.
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

/** Runs the command in a terminal of this many columns. */
function inTerminal(command: string, columns: number): string {
  const {stdout} = spawnSync('script', ['-qec', `stty cols ${columns}; node ${join(root, 'bin', 'run.js')} ${command}`, '/dev/null'], {
    encoding: 'utf8',
    env: {PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm-256color', HF_HUB_OFFLINE: '1'},
  })
  return stdout
}

const plain = (text: string) => text.replaceAll(/\u001B\[[0-9;?]*[a-zA-Z]/g, '').replaceAll('\r', '')

describe.skipIf(!hasScript)('in a terminal', () => {
  it('answers, in colour', () => {
    const text = inTerminal('check qwen3-32b --gpu 2xh100-sxm', 80)
    expect(text).toContain('\u001B[1m')
    expect(plain(text)).toMatch(/^Qwen3 32B on 2 x H100/)
    expect(plain(text)).toContain('Next')
  })

  for (const columns of [60, 80, 120])
    it(`nothing wraps at ${columns} columns`, () => {
      for (const command of [
        'check deepseek-v4-pro --gpu 2xrtx-4090',
        'check qwen3-32b --gpu 2xrtx-4090 --users 8',
        'models show glm-5.1',
        'gpus',
        'compare qwen3-32b --gpu 2xrtx-4090',
      ]) {
        const lines = plain(inTerminal(command, columns)).split('\n')
        // A command to copy and a repository's name are not broken: they may stand out.
        expect(
          lines.filter((line) => line.length > columns && !/servefit |\S{40}/.test(line)),
          command,
        ).toEqual([])
      }
    })
})
