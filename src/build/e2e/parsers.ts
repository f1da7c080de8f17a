/** What servefit emits against the argument parsers of the newest releases. */
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {drawDeployments, newestReleases} from './deployments.ts'
import {Recorder} from './emitted.ts'
import type {Scratch} from './scratch.ts'

const SCRIPTS: Record<string, string> = {vllm: 'parse-vllm.py', sglang: 'parse-sglang.py'}

export interface ParserCount {
  engine: string
  version: string
  commands: number
  rejected: {words: string[]; scenario: unknown; refusal: string}[]
  /** Deprecated spellings, by what the parser says of them. */
  remarks: Map<string, number>
}

interface Case {
  id: string
  argv: string[]
  scenario: unknown
}

/** Commands of random deployments, each through the parser of the release that it was made for; several nodes have one each. */
export async function countParsers(catalogue: Catalogue, scratch: Scratch, {seed, count, releases}: {seed: number; count: number; releases: number}) {
  const recorder = new Recorder()
  const counts: ParserCount[] = []
  try {
    for (const engine of Object.keys(SCRIPTS)) {
      const versions = newestReleases(catalogue, engine, releases)
      const cases = new Map<string, Case[]>(versions.map((version) => [version, []]))
      for (const {number, scenario, files} of await drawDeployments(catalogue, {engine, releases: versions, seed, count})) {
        for (const {name, text} of files) cases.get(scenario.engineVersion!)!.push({id: `${number} ${name}`, argv: recorder.wordsOf(text).slice(1), scenario})
      }
      for (const [version, list] of cases) counts.push(judged(engine, version, list, scratch))
    }
  } finally {
    recorder.close()
  }
  return counts
}

function judged(engine: string, version: string, cases: readonly Case[], scratch: Scratch): ParserCount {
  const said = scratch.ask(
    SCRIPTS[engine]!,
    scratch.code(engine, version),
    cases.map(({id, argv}) => JSON.stringify({id, argv})),
  )
  const answers = new Map(said.map((line) => JSON.parse(line) as {id: string; refusal: string | null; remark?: string | null}).map((one) => [one.id, one]))
  const result: ParserCount = {engine, version, commands: cases.length, rejected: [], remarks: new Map()}
  for (const {id, argv, scenario} of cases) {
    const {refusal, remark} = answers.get(id) ?? {refusal: 'the parser gave no answer'}
    if (refusal !== null) result.rejected.push({words: argv, scenario, refusal})
    if (remark) result.remarks.set(remark, (result.remarks.get(remark) ?? 0) + 1)
  }
  return result
}
