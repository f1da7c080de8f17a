import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {type ConfigureCount, countConfigurations} from './e2e/configure.ts'
import {countParsers, type ParserCount} from './e2e/parsers.ts'
import {Scratch} from './e2e/scratch.ts'
import {serveRound} from './e2e/serve.ts'
import type {Task} from './task.ts'

const USAGE = `usage: npm run e2e -- FOLDER [parsers] [configure] [serve] [--count N] [--seed N] [--releases N] [--configs FOLDER]

What servefit emits, checked by the engines themselves. FOLDER is kept from run to run: the engines are installed there from the
package index (Python 3.10 or later, several GB, some minutes).
  parsers    random deployments (300 for each engine) through the argument parsers of the newest releases (3) of vLLM and SGLang
  configure  commands for NVIDIA cards through vLLM's create_engine_config, which checks model, card and options together, with the configurations
             of the tests and those of --configs (OWNER--NAME/config.json)
  serve      a model with random weights on vLLM's CPU build: config, start, smoke-test.sh, benchmark.sh, verify, calibrate`

/** Exits with 1 where an engine refuses what was emitted for it. */
export async function main({root, args}: Task): Promise<number> {
  const {folder, configs, parts, numbers} = asked(args)
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
  if (parts.has('configure')) {
    const result = await countConfigurations(catalogue, scratch, {root, seed: 1, count: 100, ...numbers, configs})
    tellConfigurations(result)
    failed += result.rejected.length + result.different.length
  }
  if (parts.has('serve')) {
    const steps = await serveRound(root, scratch)
    for (const {name, passed, said} of steps) console.log(`${passed ? 'passed' : 'FAILED'}  ${name}\n${said.replaceAll(/^/gm, '    ')}`)
    failed += steps.filter(({passed}) => !passed).length
  }
  return failed > 0 ? 1 : 0
}

const PARTS = ['parsers', 'configure', 'serve']

function asked(args: readonly string[]): {folder?: string; parts: Set<string>; numbers: Record<string, number>; configs?: string} {
  const numbers: Record<string, number> = {}
  const parts = new Set<string>()
  let folder: string | undefined
  let configs: string | undefined
  for (let index = 0; index < args.length; index++) {
    const word = args[index]!
    const name = /^--(count|seed|releases)$/.exec(word)?.[1]
    if (name !== undefined) numbers[name] = Number(args[++index])
    else if (word === '--configs') configs = args[++index]
    else if (PARTS.includes(word)) parts.add(word)
    else folder ??= word
  }
  return {folder, configs, parts: parts.size > 0 ? parts : new Set(PARTS), numbers}
}

function tell({engine, version, commands, rejected, remarks}: ParserCount): void {
  console.log(`${engine} ${version}: ${commands} commands, ${rejected.length} rejected`)
  for (const {refusal, words, scenario} of rejected) console.log(`  ${refusal}\n    ${words.join(' ')}\n    ${JSON.stringify(scenario)}`)
  for (const [remark, times] of remarks) console.log(`  ${times} x ${remark}`)
}

function tellConfigurations({commands, accepted, different, rejected, limits}: ConfigureCount): void {
  console.log(
    `vLLM's configuration: ${commands} commands, ${accepted} accepted, ${rejected.length} rejected, ${commands - accepted - rejected.length} not judged`,
  )
  for (const {refusal, card, words} of rejected) console.log(`  ${refusal}\n    ${card}: ${words.join(' ')}`)
  for (const {field, planned, resolved, card, words} of different)
    console.log(`  ${field}: ${planned} planned, ${resolved} resolved\n    ${card}: ${words.join(' ')}`)
  for (const [limit, times] of limits) console.log(`  not judged, ${times} x ${limit}`)
}
