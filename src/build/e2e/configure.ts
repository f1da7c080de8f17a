/** What servefit emits against vLLM's own configuration, which checks model, card and options together, on a card that only answers questions. */
import {cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {drawDeployments, type Drawn} from './deployments.ts'
import {Recorder} from './emitted.ts'
import {CPU_RELEASE, type Scratch} from './scratch.ts'

export interface ConfigureCount {
  commands: number
  accepted: number
  /** Accepted, but with another value than the plan has. */
  different: {words: string[]; card: string; field: string; planned: unknown; resolved: unknown}[]
  rejected: {words: string[]; card: string; refusal: string}[]
  /** What the stand-in cannot do, by its words. */
  limits: Map<string, number>
}

interface Answered {
  id: string
  refusal: string | null
  standIn: boolean
  resolved?: Record<string, number>
}

/** Folders with a `config.json`, by the repository that it was taken from: those of the tests, and of a folder of `OWNER--NAME/config.json`. */
function configFolders(catalogue: Catalogue, root: string, scratch: Scratch, more: string | undefined): Map<string, string> {
  const folders = new Map<string, string>()
  const fixtures = join(root, 'test', 'fixtures', 'configs')
  for (const file of readdirSync(fixtures)) {
    const text = readFileSync(join(fixtures, file), 'utf8')
    const entry = catalogue.modelEntries.find(({id}) => id === file.replace(/\.json$/, ''))
    // Some are cut to what servefit reads.
    if (entry === undefined || !('model_type' in JSON.parse(text)) || !NAMES_CONTEXT.test(text)) continue
    const {hfId} = catalogue.model(entry.id)
    folders.set(hfId, withTokenizer(scratch, hfId, {'config.json': text}))
  }
  for (const name of more === undefined ? [] : readdirSync(more)) {
    const file = join(more!, name, 'config.json')
    // Python writes Infinity, which is no JSON: the key is looked for as text.
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (!/"model_type"\s*:/.test(text) || !NAMES_CONTEXT.test(text)) continue
    const names = readdirSync(join(more!, name)).filter((file) => file.endsWith('.json'))
    const hfId = name.replace('--', '/')
    folders.set(hfId, withTokenizer(scratch, hfId, Object.fromEntries(names.map((file) => [file, readFileSync(join(more!, name, file), 'utf8')]))))
  }
  return folders
}

/** A configuration that is cut to some of its fields may name no context, and the engine would take its class's own for it. */
const NAMES_CONTEXT = /"(?:max_position_embeddings|model_max_length|n_positions|max_sequence_length|seq_length)"\s*:/

/** A folder of these files with a tokenizer beside them, which vLLM looks into where a parser of reasoning is named. */
function withTokenizer(scratch: Scratch, hfId: string, files: Record<string, string>): string {
  const folder = join(scratch.folder, 'configs', hfId.replace('/', '--'))
  mkdirSync(folder, {recursive: true})
  const model = scratch.tinyModel()
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(model, name), join(folder, name))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** The same command with the model's folder for its repository. */
const placed = (words: readonly string[], hfId: string, folder: string): string[] => words.map((word) => (word === hfId ? folder : word))

/** Commands for NVIDIA cards of models whose configuration is at hand, through `create_engine_config`. */
export async function countConfigurations(
  catalogue: Catalogue,
  scratch: Scratch,
  {root, seed, count, configs}: {root: string; seed: number; count: number; configs?: string},
): Promise<ConfigureCount> {
  const folders = configFolders(catalogue, root, scratch, configs)
  const known = [...folders.keys()].filter((hfId) => catalogue.modelEntries.some(({checkpointIds}) => checkpointIds.includes(hfId)))
  const nvidia = (id: string | undefined) => id !== undefined && catalogue.gpus.find((gpu) => gpu.id === id)?.vendor === 'nvidia'
  const drawn = await drawDeployments(catalogue, {
    engine: 'vllm',
    releases: [CPU_RELEASE],
    seed,
    count,
    change: (scenario) => {
      const name = scenario.gpu?.replace(/^\d+x/, '')
      return name !== undefined && nvidia(name) ? {...scenario, model: known[Math.abs(hash(scenario)) % known.length]!} : undefined
    },
  })
  const recorder = new Recorder()
  const cases = new Map<string, {words: string[]; drawn: Drawn}>()
  try {
    for (const one of drawn) for (const {name, text} of one.files) cases.set(`${one.number} ${name}`, {words: recorder.wordsOf(text).slice(1), drawn: one})
  } finally {
    recorder.close()
  }
  const lines = [...cases].map(
    ([
      id,
      {
        words,
        drawn: {answered, startable},
      },
    ]) => {
      const [gpu] = answered.machine.gpus
      const {hfId} = answered.best.checkpoint
      return JSON.stringify({
        id,
        argv: placed(words, hfId, folders.get(hfId) ?? hfId),
        name: cardName(answered),
        capability: String(gpu!.accelerator.computeCapability!.toFixed(1)),
        // NVML names no size for memory that is the system's: the engine goes without one up to 0.32.0 (get_batch_defaults).
        ...(!gpu!.accelerator.unifiedMemory && {memoryBytes: gpu!.memoryBytes}),
        count: startable.gpusPerNode,
      })
    },
  )
  const result: ConfigureCount = {commands: cases.size, accepted: 0, different: [], rejected: [], limits: new Map()}
  for (const line of scratch.ask('configure-vllm.py', undefined, lines)) {
    const {id, refusal, standIn, resolved} = JSON.parse(line) as Answered
    const {
      words,
      drawn: {answered},
    } = cases.get(id)!
    const card = cardName(answered)
    if (refusal !== null && standIn) {
      const kind = refusal.replaceAll(/\s+/g, ' ').slice(0, 160)
      result.limits.set(kind, (result.limits.get(kind) ?? 0) + 1)
    } else if (refusal !== null) result.rejected.push({words, card, refusal})
    else {
      result.accepted += 1
      const planned = answered.best.deployment as unknown as Record<string, unknown>
      for (const [field, value] of Object.entries(resolved ?? {}))
        if (planned[field] !== undefined && planned[field] !== value) result.different.push({words, card, field, planned: planned[field], resolved: value})
    }
  }
  return result
}

/** As a driver prints it. */
const cardName = ({machine}: Drawn['answered']): string => machine.gpus[0]!.accelerator.aliases[0] ?? machine.gpus[0]!.accelerator.name

/** A number of a scenario, the same on every run. */
const hash = (scenario: unknown): number => [...JSON.stringify(scenario)].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7)
