import {readdirSync, readFileSync} from 'node:fs'
import {join, sep} from 'node:path'
import {describe, expect, it} from 'vitest'
import {dictionary, own} from '../src/core/dictionary.ts'

const source = join(import.meta.dirname, '..', 'src')

/** A constant or a field that is a table by string, and what it begins with: `const WORDS: Readonly<Record<string, string>> = {`. */
const TABLE =
  /^[ \t]*(?:export )?(?:const|let|(?:private )?readonly) (\w+): (?:Readonly<|Partial<)*Record<string, [^=\n]*(?:=>[^=\n]*)* = (\{|Object\.fromEntries)/gm

/** Words that every plain object answers to. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', '__defineGetter__', 'isPrototypeOf']

describe('tables by string have the keys that they were given and no others', () => {
  it('each is made as a dictionary', () => {
    const plain = readdirSync(source, {recursive: true, encoding: 'utf8'})
      .filter((name) => name.endsWith('.ts') && !name.startsWith(`build${sep}`))
      .flatMap((name) => [...readFileSync(join(source, name), 'utf8').matchAll(TABLE)].map(([, table]) => `${name}: ${table}`))
    expect(plain).toEqual([])
  })

  it('the search for others finds them', () => {
    for (const line of [
      'const A: Record<string, string> = {a: "b"}',
      'export const B: Readonly<Record<string, (x: number) => string>> = {',
      '  private readonly c: Partial<Record<string, number[]>> = {}',
      'const D: Record<string, string> = Object.fromEntries(ROWS)',
    ])
      expect([...line.matchAll(TABLE)], line).toHaveLength(1)
    expect([...'const E: Record<string, string> = dictionary({a: "b"})'.matchAll(TABLE)]).toEqual([])
  })

  it('a dictionary answers to none of the words that objects inherit, and takes each as a key of its own', () => {
    const words = dictionary<number>({a: 1})
    expect(words.a).toBe(1)
    for (const word of INHERITED) expect(words[word], word).toBeUndefined()
    for (const [index, word] of INHERITED.entries()) words[word] = index
    expect(Object.keys(words)).toEqual(['a', ...INHERITED])
    expect(JSON.parse('{"a": 1}').constructor).toBe(Object)
    expect(own(JSON.parse('{"a": 1}'), 'constructor')).toBeUndefined()
    expect(own({a: 1}, 'a')).toBe(1)
    expect(own(undefined, 'a')).toBeUndefined()
  })
})
