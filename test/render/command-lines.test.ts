import {spawnSync} from 'node:child_process'
import {describe, expect, it} from 'vitest'
import {commandLines} from '../../src/render/command-lines.ts'

const COMMANDS = [
  'servefit config qwen3-32b --gpu 2xrtx-4090 --input 2000 --output 500 --users 8',
  'servefit config RedHatAI/Qwen3-32B-quantized.w4a16 --gpu h100 --input 1024 --output 512 --users 140 --engine sglang --kv-cache fp8 --tp 1 --max-model-len 40960',
  `servefit check './my model/it'\\''s here' --gpu 1xrtx-4090 --speculative-config '{"method": "mtp", "num_speculative_tokens": 1}' --enforce-eager`,
  'servefit check qwen3-32b --gpu 2xcpu:memory=512GiB,bandwidth=400GB/s,vendor=cpu --no-prefix-caching --users 3',
]

/** What a shell makes of pasted text: the arguments of every command named servefit. */
function pasted(text: string): string[][] {
  const {stdout, status} = spawnSync('bash', ['-ec', `servefit() { printf '%s\\0' "$@"; printf '\\0'; }\n${text}\n`], {encoding: 'utf8'})
  expect(status).toBe(0)
  return stdout
    .split('\0\0')
    .slice(0, -1)
    .map((call) => call.split('\0'))
}

describe.skipIf(spawnSync('bash', ['--version']).status !== 0)('a command that is pasted', () => {
  it.each([24, 40, 60, 80, 120])('is the same one at %i columns', (columns) => {
    for (const command of COMMANDS) {
      const shown = commandLines(command, {columns, tableColumns: columns}, 18)
      expect(pasted(shown), shown).toEqual(pasted(command))
      // Every line but the last goes on.
      expect(
        shown
          .split('\n')
          .slice(0, -1)
          .every((line) => line.endsWith(' \\')),
      ).toBe(true)
    }
  })

  it('keeps within the columns, and flags with their values', () => {
    for (const command of COMMANDS.slice(0, 2))
      for (const [at, line] of commandLines(command, {columns: 80, tableColumns: 80}, 18).split('\n').entries()) {
        expect(line.length + (at === 0 ? 18 : 0), line).toBeLessThanOrEqual(80)
        expect(line).not.toMatch(/--[\w-]+ \\$/)
      }
  })

  it('stands on one line where nobody watches, and is not broken where the parts are not clear', () => {
    for (const command of COMMANDS) expect(commandLines(command, {columns: 80, tableColumns: Number.POSITIVE_INFINITY}, 18)).toBe(command)
    const odd = `servefit check it's --gpu 2xrtx-4090 --users 8 --input 2000 --output 500 --max-model-len 40960`
    expect(commandLines(odd, {columns: 60, tableColumns: 60}, 18)).toBe(odd)
  })
})
