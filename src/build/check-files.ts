import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {homedir, tmpdir} from 'node:os'
import {dirname, join, relative} from 'node:path'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {InputError} from '../core/input-error.ts'
import {ENGINES} from '../engines/registry.ts'
import {extras} from '../render/launch/extras.ts'
import {FORMATS, writeFormat} from '../render/launch/formats.ts'
import {startableOf} from '../render/launch/startable-from.ts'
import {verifiers} from './check-files/verifiers.ts'
import {drawDeployments, newestReleases} from './e2e/deployments.ts'
import type {DrawnScenario} from './laws/scenarios.ts'
import type {Task} from './task.ts'
import {withCatalogue} from './with-catalogue.ts'

/**
 * Start files of random deployments in every format, read by the programs that others check such files with. `node src/build/run.mjs
 * check-files [--count N] [--seed N] [--out FOLDER]`. What is not on this machine is installed into the user's cache, or left out with a line.
 * Fails where any of them finds something.
 */
export function main({root, args}: Task): Promise<number> {
  const given = (name: string): string | undefined => (args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : undefined)
  const kept = given('out')
  return withCatalogue(root, async (catalogue) => {
    const out = kept ?? mkdtempSync(join(tmpdir(), 'servefit-files-'))
    try {
      const files = await writeFiles(catalogue, out, Number(given('count') ?? 100), Number(given('seed') ?? 1))
      return checked(files, out, join(root, 'src', 'build', 'check-files'))
    } finally {
      if (kept === undefined) rmSync(out, {recursive: true, force: true})
    }
  })
}

/** Where what is installed is kept from run to run. */
const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'servefit', 'check-files')

/** Every format of so many deployments, engines in turn, every third one open to others; formats that a deployment has not are left out. */
async function writeFiles(catalogue: Catalogue, out: string, count: number, seed: number): Promise<string[]> {
  const files: string[] = []
  const counts = new Map<string, number>()
  const ids = Object.keys(ENGINES)
  for (const [place, engine] of ids.entries()) {
    const own = Math.floor(count / ids.length) + (place < count % ids.length ? 1 : 0)
    let asked = 0
    const drawn = await drawDeployments(catalogue, {
      engine,
      releases: newestReleases(catalogue, engine, 3),
      seed,
      count: own,
      change: (scenario) => (asked++ % 4 === 3 ? onTwoMachines(scenario) : scenario),
    })
    for (const {number, answered} of drawn) {
      for (const {id} of FORMATS) {
        try {
          const startable = startableOf(catalogue, answered, [], {isPublic: number % 3 === 0})
          const written = [...writeFormat(id, startable), ...extras(startable, id)]
          for (const {name, text} of written) {
            const file = join(out, `${engine}-${number}-${id}`, name)
            mkdirSync(dirname(file), {recursive: true})
            writeFileSync(file, text)
            files.push(file)
          }
          counts.set(id, (counts.get(id) ?? 0) + 1)
        } catch (error) {
          if (!(error instanceof InputError)) throw error
        }
      }
    }
  }
  console.log(`${count} deployments, seed ${seed}: ${[...counts].map(([id, times]) => `${id} ${times}`).join(', ')}; ${files.length} files`)
  return files
}

/** The same model on two machines of eight cards, which formats for several nodes are for. */
function onTwoMachines({machine: _machine, dp: _dp, ep: _ep, dpAttention: _attention, ...scenario}: DrawnScenario): DrawnScenario {
  return {...scenario, gpu: '8xh200-sxm', nodes: 2, tp: 8, pp: 2}
}

function checked(files: readonly string[], out: string, here: string): number {
  let found = 0
  for (const {name, reads, check} of verifiers(cacheFolder(), here)) {
    const own = files.filter(reads)
    const result = check(own)
    if (typeof result === 'string') {
      console.log(`${name}: left out (${result})`)
      continue
    }
    console.log(`${name}: ${own.length} files, ${result.length === 1 ? '1 finding' : `${result.length} findings`}`)
    for (const {file, said} of result.slice(0, 40)) console.log(`  ${relative(out, file)}: ${said}`)
    found += result.length
  }
  return found > 0 ? 1 : 0
}
