import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseAllDocuments} from 'yaml'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {Machine} from '../../src/core/accelerator.ts'
import type {Deployment, DeploymentRequest} from '../../src/core/deployment.ts'
import {InputError} from '../../src/core/input-error.ts'
import type {Checkpoint, Model} from '../../src/core/model.ts'
import type {Engine, Launch} from '../../src/engines/engine.ts'
import {checkFlag, type FlagTable} from '../../src/engines/flags.ts'
import {type Context, engineOf} from '../../src/planner/world/context.ts'
import {subjectOf} from '../../src/planner/answer/speed-input.ts'
import {layoutsFor} from '../../src/planner/answer/layouts.ts'
import {machineFromName} from '../../src/planner/world/machines.ts'
import {FORMATS} from '../../src/render/launch/formats.ts'
import {startableOf} from '../../src/render/launch/startable-from.ts'

/** The compiled catalogue: `npm test` builds it first. */
const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const context = {catalogue, engines: new Map()} as unknown as Context

const MACHINES: [name: string, nodes: number][] = [
  ['desktop-rtx-4090-1x', 1],
  ['desktop-rtx-3090-2x', 1],
  ['workstation-rtx-5090-4x', 1],
  ['rtx-pro-6000-server-8x', 1],
  ['l40s-8x', 1],
  ['dgx-a100-80gb', 1],
  ['dgx-h100', 1],
  ['dgx-h200', 2],
  ['dgx-b200', 1],
  ['dgx-spark', 1],
  ['mi300x-8x', 1],
  ['mi355x-8x', 2],
]

/** The newest release of each engine and one about a year older, before many spellings changed. */
const VERSIONS: Record<string, string[]> = {vllm: ['0.28.0', '0.10.2'], sglang: ['0.5.18', '0.5.3'], trtllm: ['1.3.0rc24', '1.0.0']}

/** Requests that bring out flags which a plain question leaves at their defaults; taken in turn. */
const REQUESTS: DeploymentRequest[] = [
  {},
  {kvCache: 'fp8', maxModelLen: 16_384},
  {maxNumSeqs: 64, maxNumBatchedTokens: 4096},
  {gpuMemoryUtilization: 0.8, enforceEager: true},
  {speculative: {method: 'mtp', tokens: 1}},
  {maxModelLen: 8192, cpuOffloadBytes: 3 * 2 ** 30},
]

interface Case {
  model: Model
  checkpoint: Checkpoint
  machine: Machine
  engine: Engine
  deployment: Deployment
  launch: Launch
  label: string
}

/** Every model on every machine with every engine and version; checkpoint, layout and request change from one to the next. */
function* cases(): Generator<Case> {
  const machines = MACHINES.map(([name, nodes]) => ({name, machine: machineFromName(catalogue, name, nodes)}))
  let turn = 0
  for (const {id} of catalogue.modelEntries) {
    const model = catalogue.model(id)
    for (const {name, machine} of machines) {
      for (const [engineId, versions] of Object.entries(VERSIONS)) {
        const engine = engineOf(context, engineId)
        for (const engineVersion of versions) {
          turn += 1
          const checkpoint = model.checkpoints[turn % model.checkpoints.length]!
          const subject = subjectOf({model, checkpoint, machine})
          const asked = {...REQUESTS[turn % REQUESTS.length], engineVersion}
          const layouts = layoutsFor(model.architecture, machine, asked)
          const deployment = engine.resolve(subject, layouts[turn % layouts.length]!)
          yield {
            model,
            checkpoint,
            machine,
            engine,
            deployment,
            launch: engine.launch(subject, deployment),
            label: `${checkpoint.hfId} on ${name}, ${engineId} ${engineVersion}`,
          }
        }
      }
    }
  }
}

/** Leaves of the file's content by dotted path; a null or an empty mapping is a leaf. */
function leaves(content: Record<string, unknown>, path = ''): [string, unknown][] {
  return Object.entries(content).flatMap(([key, value]) => {
    const own = path === '' ? key : `${path}.${key}`
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value as Record<string, unknown>, own)
      : [[own, value] as [string, unknown]]
  })
}

function givenTo({flags, file, nodes}: Launch): [string, unknown][] {
  const ofNode = [...(nodes?.own?.every ?? []), ...(nodes?.own?.followers ?? []), ...(nodes?.ray ?? [])].map(({flag, value}): [string, unknown] => [
    flag,
    typeof value === 'object' ? ((value as {of: string}).of === 'rank' ? 1 : 'node-0') : value,
  ])
  return [
    ...flags.map(({flag, value}): [string, unknown] => [flag, value]),
    ...ofNode,
    ...(file ? [[file.flag, file.name] as [string, unknown], ...leaves(file.content)] : []),
  ]
}

describe('every model, machine, engine and version', () => {
  const all = [...cases()]

  it('is a product worth the name', () => {
    expect(all.length).toBe(catalogue.modelEntries.length * MACHINES.length * 6)
    expect(new Set(all.flatMap(({launch}) => givenTo(launch).map(([flag]) => flag))).size).toBeGreaterThan(45)
  })

  it('gives only options that exist in that version, with legal values, each once and with a reason', () => {
    const known = new Map<string, string | undefined>()
    const wrong: string[] = []
    for (const {engine, deployment, launch, label} of all) {
      const table = catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
      const given = givenTo(launch)
      for (const [flag, value] of given) {
        const key = `${engine.id} ${deployment.engineVersion} ${flag} ${JSON.stringify(value)}`
        if (!known.has(key)) known.set(key, checkFlag(table, deployment.engineVersion, flag, value)?.message)
        const problem = known.get(key)
        if (problem !== undefined) wrong.push(`${label}: ${problem}`)
      }
      const names = launch.flags.map(({flag}) => flag)
      if (new Set(names).size !== names.length) wrong.push(`${label}: an option stands twice: ${names.join(' ')}`)
      for (const {flag, because} of launch.flags) if (/^$|\n|undefined|NaN/.test(because)) wrong.push(`${label}: ${flag}: ${because}`)
    }
    expect(wrong.slice(0, 20)).toEqual([])
  })

  it('comes out in every format that can express it, as YAML that parses, twice the same', () => {
    const written = new Map<string, number>()
    const wrong: string[] = []
    // Every machine goes through all formats in turn: some can be written for several nodes only.
    const turns = new Map<Machine, number>()
    for (let index = 0; index < all.length; index += 11) {
      const {model, checkpoint, machine, engine, deployment, label} = all[index]!
      const turn = turns.get(machine) ?? 0
      turns.set(machine, turn + 1)
      const format = FORMATS[turn % FORMATS.length]!
      const best = {model, checkpoint, machine, engine, deployment, memory: {terms: []}} as unknown as Parameters<typeof startableOf>[1]['best']
      try {
        const start = startableOf(catalogue, {best, machine, left: []})
        const files = format.write(start)
        if (JSON.stringify(format.write(start)) !== JSON.stringify(files)) wrong.push(`${label}: ${format.id} differs when written again`)
        for (const {name, text} of files.filter((file) => file.name.endsWith('.yaml'))) {
          for (const {errors, warnings} of parseAllDocuments(text, {version: '1.1'}))
            if (errors.length + warnings.length > 0) wrong.push(`${label}: ${name}: ${[...errors, ...warnings][0]}`)
        }
        written.set(format.id, (written.get(format.id) ?? 0) + 1)
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        if (error.code !== 'FORMAT_CANNOT') wrong.push(`${label}: ${format.id}: ${error.message}`)
      }
    }
    expect(wrong.slice(0, 20)).toEqual([])
    for (const {id} of FORMATS) expect(written.get(id) ?? 0, id).toBeGreaterThan(id === 'ray' ? 0 : 5)
  })
})
