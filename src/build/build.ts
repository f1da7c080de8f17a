import {rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {bundle} from './bundle.ts'
import {cacheCode} from './code-cache.ts'
import {bundleLibrary} from './library.ts'
import {noticesOf, packagesOf} from './notices.ts'
import {writeData} from './compile-data.ts'
import {buildPage} from './page.ts'
import type {Task} from './task.ts'

/**
 * Everything that `npm run build` makes: data as JSON, the bundled commands, their manifest, the page. Built beside the last build and
 * put in its place when all went well.
 */
export async function main({root}: Task): Promise<number> {
  const fresh = join(root, `.dist-${process.pid}`)
  try {
    const problems = await writeData(root, join(fresh, 'data'))
    if (problems.length > 0) {
      console.error(`data/ has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
      return 1
    }
    const bundled = [...(await bundle(root, fresh)), ...(await bundleLibrary(root, fresh))]
    await writeFile(join(fresh, 'NOTICES.md'), noticesOf(root, packagesOf(bundled)))
    await buildPage(root, join(fresh, 'data'), join(fresh, 'web'))
    await rm(join(root, 'dist'), {recursive: true, force: true})
    await rename(fresh, join(root, 'dist'))
    // It answers a question to be compiled, with the data in their place.
    await cacheCode(root, join(root, 'dist'))
    return 0
  } finally {
    await rm(fresh, {recursive: true, force: true})
  }
}
