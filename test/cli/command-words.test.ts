import {describe, expect, it} from 'vitest'
import {commandWords} from '../../src/cli/command-words.ts'

describe('the question as a command', () => {
  const known = {'cpu-offload-bytes': {}, 'reserved-bytes-per-gpu': {}, users: {}}

  it('has bytes as they are typed, where that is exact', () => {
    const words = (flags: Record<string, unknown>) => commandWords('qwen3-32b', flags, known)
    expect(words({'cpu-offload-bytes': 100 * 1024 ** 3})).toBe('qwen3-32b --cpu-offload-bytes 100GiB')
    expect(words({'reserved-bytes-per-gpu': 1.5 * 1024 ** 3})).toBe('qwen3-32b --reserved-bytes-per-gpu 1536MiB')
    expect(words({'cpu-offload-bytes': 10_000_000_001, users: 1024 ** 3})).toBe('qwen3-32b --cpu-offload-bytes 10000000001 --users 1073741824')
    expect(words({'cpu-offload-bytes': 0})).toBe('qwen3-32b --cpu-offload-bytes 0')
  })
})
