import {describe, expect, it} from 'vitest'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {servefit} from './spawn.ts'

const before = readFileSync(join(import.meta.dirname, '../../examples/before.json'), 'utf8')

describe('a file that is standard input', () => {
  it('is one of the two that diff compares, and not both', () => {
    const {code, stdout} = servefit(['diff', 'examples/before.json', '-'], {input: before})
    expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining('Nothing changed.')})
    expect(servefit(['diff', '-', '-'], {input: before})).toMatchObject({code: 2, stderr: expect.stringContaining('has been read already: give it once')})
  })

  it('is a scenario', () => {
    const {code, stdout} = servefit(['check', '--scenario', '-', '--json'], {input: '{"model": "qwen3-8b", "gpu": "1xrtx-4090"}'})
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({model: {id: 'qwen3-8b'}})
  })
})
