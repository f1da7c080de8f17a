import {rm} from 'node:fs/promises'
import {join, resolve} from 'node:path'
import {buildPage} from './page.ts'
import type {Task} from './task.ts'

/** `npm run build:web -- [FOLDER]`: the page as one folder of static files for any host; data as the last build compiled them. */
export async function main({root, args}: Task): Promise<number> {
  const folder = resolve(args[0] ?? join(root, 'dist', 'web'))
  if (args[0] === undefined) await rm(folder, {recursive: true, force: true})
  await buildPage(root, join(root, 'dist', 'data'), folder)
  console.log(`the page is in ${folder}`)
  return 0
}
