import {execFileSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'

/** Tests read compiled data and run the bundled command: both are built once when they are not there. `npm test` builds first. */
export function setup(): void {
  const root = join(import.meta.dirname, '..')
  if (existsSync(join(root, 'dist', 'main.js')) && existsSync(join(root, 'dist', 'data', 'models.json'))) return
  execFileSync(process.execPath, [join(root, 'src', 'build', 'run.mjs'), 'build'], {cwd: root, stdio: 'inherit'})
}
