import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {countParsers, type ParserCount} from './e2e/parsers.ts'
import {Scratch} from './e2e/scratch.ts'
import type {Task} from './task.ts'

const USAGE = `usage: npm run e2e -- FOLDER [parsers] [--count N] [--seed N] [--releases N]

What servefit emits, checked by the engines themselves. FOLDER is kept from run to run: the engines are installed there from the
package index (Python 3.10 or later, several GB, some minutes).
  parsers  random deployments (300 for each engine) through the argument parsers of the newest releases (3) of vLLM and SGLang`

/** Exits with 1 where an engine refuses what was emitted for it. */
export async function main({root, args}: Task): Promise<number> {
  const {folder, parts, numbers} = asked(args)
  if (folder === undefined) {
    console.error(USAGE)
    return 2
  }
  const scratch = new Scratch(folder, join(root, 'src', 'build', 'e2e'))
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  scratch.install()
  let failed = 0
  if (parts.has('parsers')) {
    const counts = await countParsers(catalogue, scratch, {seed: 1, count: 300, releases: 3, ...numbers})
    for (const count of counts) tell(count)
    failed += counts.reduce((sum, {rejected}) => sum + rejected.length, 0)
  }
  return failed > 0 ? 1 : 0
}

const PARTS = ['parsers']

function asked(args: readonly string[]): {folder?: string; parts: Set<string>; numbers: Record<string, number>} {
  const numbers: Record<string, number> = {}
  const parts = new Set<string>()
  let folder: string | undefined
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    const name = /^--(count|seed|releases)$/.exec(word)?.[1]
    if (name !== undefined) numbers[name] = Number(args[++index])
    else if (PARTS.includes(word)) parts.add(word)
    else folder ??= word
  }
  return {folder, parts: parts.size > 0 ? parts : new Set(PARTS), numbers}
}

function tell({engine, version, commands, rejected, remarks}: ParserCount): void {
  console.log(`${engine} ${version}: ${commands} commands, ${rejected.length} rejected`)
  for (const {refusal, words, scenario} of rejected) console.log(`  ${refusal}\n    ${words.join(' ')}\n    ${JSON.stringify(scenario)}`)
  for (const [remark, times] of remarks) console.log(`  ${times} x ${remark}`)
}
