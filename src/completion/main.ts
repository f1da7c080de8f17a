/** Answers a shell at the press of a key: small, since it is loaded then in the place of everything else. */
import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {withoutActing} from '../core/acting-characters.ts'
import {type Candidate, complete} from './candidates.ts'
import type {Manifest} from './manifest.ts'
import {namesOf} from './names.ts'

/** One line for each word, with a tab before what it is; `:files` and `:folders` leave it to the shell. */
export function linesOf(candidates: readonly Candidate[] | 'files' | 'folders'): string {
  if (typeof candidates === 'string') return `:${candidates}\n`
  return candidates.map(({value, description = ''}) => `${value}${description === '' ? '' : `\t${shown(description)}`}\n`).join('')
}

/** A few words on one line: control characters would move the cursor. */
const shown = (text: string): string => {
  const line = withoutActing(text, () => ' ')
  return line.length > 72 ? `${line.slice(0, 71).trimEnd()}…` : line
}

/** The words behind the program's name, the last of them at the cursor. Never fails: a shell has nowhere to put an error. */
export function answer(words: readonly string[]): void {
  try {
    const dist = dirname(fileURLToPath(import.meta.url))
    const manifest = JSON.parse(readFileSync(join(dist, '..', 'oclif.manifest.json'), 'utf8')) as Manifest
    process.stdout.write(linesOf(complete(words, manifest, namesOf(openCatalogue(join(dist, 'data'))))))
  } catch {
    process.exitCode = 1
  }
}
