import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

/** Licences that ask for no more than their text and the names of their holders. */
const FREE = /^(?:MIT|ISC|BSD-[23]-Clause|Apache-2\.0|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Unlicense)$/

/** Packages that paths of bundled files lie in, by their folders below the root. */
export function packagesOf(paths: Iterable<string>): string[] {
  const folders = new Set<string>()
  for (const path of paths) {
    const match = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)
    if (match) folders.add(match[0].replace(/\/$/, ''))
  }
  return [...folders].sort()
}

/** The licence of every package that is part of a bundled file. @throws Error for one that is not free, or has no text. */
export function noticesOf(root: string, folders: readonly string[]): string {
  const parts = folders.map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {name: string; version: string; license?: string}
    if (license === undefined || !FREE.test(license)) throw new Error(`${name} ${version} is bundled and its licence is ${license ?? 'not stated'}`)
    const file = readdirSync(join(root, folder)).find((entry) => /^(?:licen[cs]e|copying)(?:\.(?:md|txt))?$/i.test(entry))
    const text =
      file !== undefined && existsSync(join(root, folder, file)) ? readFileSync(join(root, folder, file), 'utf8').trim() : `${license}, as its package states.`
    return `## ${name} ${version} (${license})\n\n${text.replaceAll(/^/gm, '    ')}\n`
  })
  return `# Notices\n\nThese packages are part of the files in this folder. Each is under its own licence.\n\n${parts.join('\n')}`
}
