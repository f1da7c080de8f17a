import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'
import {memorySource} from '../../src/import/byte-source.ts'
import {readSafetensorsHeader} from '../../src/import/safetensors-header.ts'
import {safetensors, withHeader} from './support/safetensors.ts'
import {effortOf} from '../effort.ts'

const read = (bytes: Uint8Array, sizeBytes = bytes.length) => readSafetensorsHeader(memorySource('model.safetensors', bytes, sizeBytes))
const tensor = (fields: object) => JSON.stringify({w: {dtype: 'BF16', shape: [2, 2], data_offsets: [0, 8], ...fields}})

describe('the header of a safetensors file', () => {
  it('gives names, types, shapes and bytes', async () => {
    expect(
      await read(
        safetensors([
          ['a.weight', 'BF16', [3, 4]],
          ['b', 'F8_E4M3', [5]],
          ['empty', 'F32', [0, 7]],
          ['scalar', 'F32', []],
        ]),
      ),
    ).toEqual([
      {name: 'a.weight', dtype: 'BF16', shape: [3, 4], bytes: 24},
      {name: 'b', dtype: 'F8_E4M3', shape: [5], bytes: 5},
      {name: 'empty', dtype: 'F32', shape: [0, 7], bytes: 0},
      {name: 'scalar', dtype: 'F32', shape: [], bytes: 4},
    ])
  })

  it('reads one that is longer than the first piece, and escapes', async () => {
    const many = Array.from({length: 5000}, (_, index) => [`model.layers.${index}.é"\\.weight`, 'BF16', [1]] as const)
    const tensors = await read(safetensors(many))
    expect(tensors).toHaveLength(5000)
    expect(tensors[4999]!.name).toBe('model.layers.4999.é"\\.weight')
  })

  const HOSTILE: Record<string, [Uint8Array, string, RegExp]> = {
    'a header of 10 GB': [withHeader('{}', 0, 10_000_000_000n), 'SAFETENSORS_INVALID', /10,000,000,000 bytes/],
    'a header of 2^64 - 1 bytes': [withHeader('{}', 0, 2n ** 64n - 1n), 'SAFETENSORS_INVALID', /claims/],
    'a header longer than the file': [withHeader('{}', 0, 5000n), 'FILE_TRUNCATED', /cut off/],
    'an empty header': [withHeader('          ', 0, 0n), 'SAFETENSORS_INVALID', /0 bytes/],
    'no JSON': [withHeader('not a header'), 'SAFETENSORS_INVALID', /expected "{"/],
    'no UTF-8': [Uint8Array.of(4, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0xfd, 0xfc), 'SAFETENSORS_INVALID', /UTF-8/],
    'a list': [withHeader('[1, 2, 3]'), 'SAFETENSORS_INVALID', /expected "{"/],
    'duplicate tensors': [
      withHeader('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
      'SAFETENSORS_INVALID',
      /"w" twice/,
    ],
    'duplicate fields': [withHeader('{"w":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}}', 1), 'SAFETENSORS_INVALID', /"dtype" twice/],
    'a negative dimension': [withHeader(tensor({shape: [-2, -2]}), 8), 'SAFETENSORS_INVALID', /-2/],
    'a dimension that is no number': [withHeader(tensor({shape: [2, 2]}).replace('[2,2]', '[NaN,2]'), 8), 'SAFETENSORS_INVALID', /NaN/],
    'a fractional dimension': [withHeader(tensor({shape: [2.5, 2]}), 8), 'SAFETENSORS_INVALID', /2\.5/],
    'a dimension of 10^400': [withHeader(tensor({}).replace('[2,2]', `[1${'0'.repeat(400)}]`), 8), 'SAFETENSORS_INVALID', /whole number/],
    'more elements than can be counted': [withHeader(tensor({shape: [2 ** 40, 2 ** 40]}), 8), 'SAFETENSORS_INVALID', /counted/],
    'a hundred dimensions': [withHeader(tensor({shape: Array.from({length: 100}, () => 1)}), 8), 'SAFETENSORS_INVALID', /more than 8/],
    'offsets beyond the file': [withHeader(tensor({data_offsets: [1_000_000, 1_000_008]}), 8), 'FILE_TRUNCATED', /beyond/],
    'offsets that run backwards': [withHeader(tensor({data_offsets: [8, 0]}), 8), 'SAFETENSORS_INVALID', /-8 bytes/],
    'offsets that do not fit the shape': [withHeader(tensor({data_offsets: [0, 6]}), 8), 'SAFETENSORS_INVALID', /take 8/],
    'tensors on top of one another': [
      withHeader('{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}', 8),
      'SAFETENSORS_INVALID',
      /overlap/,
    ],
    'an unknown type': [withHeader(tensor({dtype: 'BF17'}), 8), 'SAFETENSORS_INVALID', /BF17/],
    'a type named like a built-in': [withHeader(tensor({dtype: 'constructor'}), 8), 'SAFETENSORS_INVALID', /constructor/],
    'nesting 100,000 deep': [withHeader(`{"w":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 'SAFETENSORS_INVALID', /expected/],
    'nested metadata': [withHeader('{"__metadata__":{"a":{"b":{}}}}'), 'SAFETENSORS_INVALID', /text in quotes/],
    'text after the end': [withHeader('{} {}'), 'SAFETENSORS_INVALID', /after the end/],
    'a name without an end': [withHeader('{"weight'), 'SAFETENSORS_INVALID', /does not end/],
    'a name of a megabyte': [withHeader(`{"${'x'.repeat(2 ** 20)}":1}`), 'SAFETENSORS_INVALID', /longer than/],
    'nothing but its length': [new Uint8Array(8), 'SAFETENSORS_INVALID', /8 bytes long/],
  }
  for (const [name, [bytes, code, message]] of Object.entries(HOSTILE)) {
    it(`refuses ${name}`, async () => {
      const effort = await effortOf(() => expect(read(bytes)).rejects.toMatchObject({name: 'InputError', code, message: expect.stringMatching(message)}))
      expect(effort).toBeLessThan(100)
    })
  }

  it('refuses a million tensors soon', async () => {
    const entries: string[] = []
    for (let index = 0; index < 1_000_000; index++) entries.push(`"${index}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)
    const bytes = withHeader(`{${entries.join()}}`)
    const effort = await effortOf(() =>
      expect(read(bytes)).rejects.toMatchObject({code: 'SAFETENSORS_INVALID', message: expect.stringContaining('more than 250,000')}),
    )
    expect(effort).toBeLessThan(500)
  })

  it('names the file and what to do when it is cut off', async () => {
    const whole = safetensors([['a', 'BF16', [100, 100]]])
    await expect(read(whole.subarray(0, whole.length - 1))).rejects.toThrow(
      'model.safetensors is cut off: its tensors end 1 bytes beyond it. Download it again',
    )
  })

  it('ends in tensors or an InputError whatever the bytes', async () => {
    const good = safetensors([
      ['a.weight', 'BF16', [3, 4]],
      ['b.weight', 'I32', [2, 2]],
    ])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {minLength: 1, maxLength: 6}), fc.nat(good.length), async (changes, length) => {
        const bytes = good.slice(0, length)
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        try {
          for (const {bytes: size} of await read(bytes)) expect(Number.isSafeInteger(size) && size >= 0).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(InputError)
        }
      }),
      {numRuns: 500},
    )
  })
})
