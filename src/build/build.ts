import {main as bundle} from './bundle.ts'
import {main as compileData} from './compile-data.ts'
import type {Task} from './task.ts'

/** Everything that `npm run build` makes: data as JSON, the bundled commands, their manifest. */
export async function main(task: Task): Promise<number> {
  const code = await compileData(task)
  return code === 0 ? bundle(task) : code
}
