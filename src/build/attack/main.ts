import {parseArgs} from 'node:util'
import type {Task} from '../task.ts'
import {artifacts} from './artifacts.ts'
import {Assault, type Part} from './assault.ts'
import {endChildren} from './child.ts'
import {files} from './files.ts'
import {hub} from './hub.ts'
import {longBatch} from './long-batch.ts'
import {saves} from './saves.ts'
import {scenarios} from './scenarios.ts'
import {terminals} from './terminals.ts'

const PARTS: readonly Part[] = [scenarios, files, hub, terminals, saves, artifacts, longBatch]

/** However late it is, no part is left out. */
const LEAST_SECONDS = 5

const USAGE = `usage: npm run attack -- [--seed N] [--minutes M] [--part NAME]...

Attacks the built servefit for M minutes (10) with random and with hostile input, in the parts ${PARTS.map(({name}) => name).join(', ')}.
What breaks is printed with the input that shows it, and the exit code is 1. The same seed asks the same questions.`

interface Asked {
  seed: number
  minutes: number
  parts: readonly Part[]
}

/** What was asked for; undefined where it cannot be understood. */
export function asked(args: readonly string[]): Asked | undefined {
  try {
    const {values} = parseArgs({args: [...args], options: {seed: {type: 'string'}, minutes: {type: 'string'}, part: {type: 'string', multiple: true}}})
    const seed = Number(values.seed ?? Date.now() % 2 ** 31)
    const minutes = Number(values.minutes ?? 10)
    const parts = PARTS.filter(({name}) => values.part === undefined || values.part.includes(name))
    const known = (values.part ?? []).every((name) => PARTS.some((part) => part.name === name))
    return known && Number.isSafeInteger(seed) && seed >= 0 && minutes > 0 && minutes <= 24 * 60 ? {seed, minutes, parts} : undefined
  } catch {
    return undefined
  }
}

/** `npm run attack`. */
export async function main({root, args}: Task): Promise<number> {
  const question = asked(args)
  if (!question) {
    console.error(USAGE)
    return 2
  }
  const {seed, minutes, parts} = question
  console.log(`seed ${seed}, ${minutes} minutes`)
  const began = performance.now()
  const until = began + minutes * 60_000
  let findings = 0
  const attack = async (part: Part, seconds: number): Promise<void> => {
    const assault = new Assault({root, part: part.name, seed, seconds})
    const from = performance.now()
    try {
      await part.run(assault)
    } catch (error) {
      assault.found({what: `the part broke off: ${(error as Error).message}`, reproduce: (error as Error).stack ?? ''})
    }
    findings += assault.findings
    console.log(`${assault.summary()} (${Math.round((performance.now() - from) / 1000)} s)`)
  }
  try {
    const beside = parts.filter(({share}) => share === 0).map((part) => attack(part, minutes * 60))
    // What one part took too much the others have less.
    let shares = parts.reduce((sum, {share}) => sum + share, 0)
    for (const part of parts) {
      if (part.share === 0) continue
      await attack(part, Math.max(LEAST_SECONDS, ((until - performance.now()) / 1000) * (part.share / shares)))
      shares -= part.share
    }
    await Promise.all(beside)
  } finally {
    endChildren()
  }
  console.log(`${findings === 0 ? 'no finding' : `${findings} findings`} in ${Math.round((performance.now() - began) / 1000)} s, seed ${seed}`)
  return findings > 0 ? 1 : 0
}
