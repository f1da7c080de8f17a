import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {qualityPage} from './quality/quality-page.ts'
import type {Task} from './task.ts'
import {withCatalogue} from './with-catalogue.ts'

const PAGE = join('docs', 'quality.md')

/** Writes docs/quality.md from data/quality. With --check nothing is written, and a page that is no longer true is an error. */
export function main({root, args}: Task): Promise<number> {
  return withCatalogue(root, async (catalogue) => {
    const page = qualityPage(catalogue)
    if (!args.includes('--check')) {
      writeFileSync(join(root, PAGE), page)
      return 0
    }
    if (readFileSync(join(root, PAGE), 'utf8') === page) return 0
    console.error(`${PAGE} is not what data/quality says: npm run quality`)
    return 1
  })
}
