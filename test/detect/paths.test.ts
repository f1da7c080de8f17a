import {posix, win32} from 'node:path'
import {describe, expect, test} from 'vitest'
import {joined, parentOf} from '../../src/detect/paths.ts'

describe('paths of another machine are read as Node does there', () => {
  test.each(['/', '/a', '/a/', '/a/b', '/a/b/c.d', 'a', 'a/b', '/root/.cache'])('%s', (path) => {
    expect(parentOf('linux', path)).toBe(posix.dirname(path))
    expect(joined('linux', path, 'hub')).toBe(posix.join(path, 'hub'))
    expect(joined(undefined, path, '.cache', 'huggingface')).toBe(posix.join(path, '.cache', 'huggingface'))
  })

  test.each(['C:\\', 'C:\\a', 'C:\\a\\b', 'C:\\Users\\ann\\.cache', 'D:\\models\\', 'a\\b'])('%s', (path) => {
    expect(parentOf('win32', path)).toBe(win32.dirname(path))
    expect(joined('win32', path, 'hub')).toBe(win32.join(path, 'hub'))
  })
})
