import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Catalogue, openCatalogue} from '../catalogue/catalogue.ts'
import {writeData} from './compile-data.ts'

/** Does something with the catalogue as `data/` is now, compiled for the purpose; 1 where the files have errors, which are told. */
export async function withCatalogue(root: string, use: (catalogue: Catalogue) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-'))
  try {
    const problems = await writeData(root, folder)
    if (problems.length === 0) return await use(openCatalogue(folder))
    console.error(problems.join('\n'))
    return 1
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}
