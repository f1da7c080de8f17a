import fc from 'fast-check'
import {NASTY} from './startables.ts'

/** Any text but NUL and lone surrogates, which no program argument can hold. */
export const anyText = fc
  .oneof(
    fc.string({unit: 'grapheme'}),
    fc.string({unit: 'binary'}),
    fc.constantFrom(...NASTY),
    fc.array(fc.constantFrom(...NASTY)).map((parts) => parts.join('')),
  )
  .filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text)

/** A repository, a path or nonsense in its place; never empty, which no engine takes. */
export const anyModel = anyText.filter((text) => text !== '')

/** Folders that a container can be given. */
export const anyFolder = anyText.map((text) => `/models/${text}`)

export const anyStart = fc.record({values: fc.array(anyText, {maxLength: 3}), setting: anyText, model: anyModel})
