import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseAllDocuments} from 'yaml'
import {openCatalogue} from '../../catalogue/catalogue.ts'
import {realContext} from '../../cli/world.ts'
import {InputError} from '../../core/input-error.ts'
import {ENGINES} from '../../engines/registry.ts'
import {startOf, writtenFor} from '../../library/config.ts'
import {answer, isYes} from '../../planner/answer/index.ts'
import {ScenarioSchema} from '../../planner/scenario/schema.ts'
import {engineOf} from '../../planner/world/index.ts'
import type {Artifact} from '../../render/launch/artifact.ts'
import {FORMATS} from '../../render/launch/formats.ts'
import {drawScenario} from '../laws/scenarios.ts'
import {type Assault, pick, type Part, printable} from './assault.ts'
import {ran} from './child.ts'
import {NASTY} from './hostile.ts'

/** What engines are started with in the scripts: each is a stub that writes down what it is given. */
const PROGRAMS = ['vllm', 'sglang', 'trtllm-serve', 'python3', 'python', 'docker', 'podman', 'mpirun', 'srun']

/** An option that takes any text, by engine: the name that requests give. */
const NAME_OPTION: Record<string, string> = {vllm: 'served-model-name', sglang: 'served-model-name', trtllm: 'served_model_name'}

/** Scripts that others can reach ask for a key. */
const KEYS = {VLLM_API_KEY: 'k', SGLANG_API_KEY: 'k', TRTLLM_API_KEY: 'k', HF_TOKEN: 'k'}

/** Start files for deployments with hostile texts in them, read as shells and parsers of YAML read them. */
export const artifacts: Part = {
  name: 'artifacts',
  share: 12,
  async run(assault) {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
    try {
      const stubs = join(folder, 'bin')
      mkdirSync(stubs)
      for (const program of PROGRAMS) {
        writeFileSync(join(stubs, program), `#!/bin/sh\nfor word do printf '%s\\0' "$word" >> "$SERVEFIT_WORDS"; done\n`)
        chmodSync(join(stubs, program), 0o755)
      }
      await attack(assault, folder, stubs)
    } finally {
      rmSync(folder, {recursive: true, force: true})
    }
  },
}

async function attack(assault: Assault, folder: string, stubs: string): Promise<void> {
  const catalogue = openCatalogue(join(assault.root, 'dist', 'data'))
  const context = realContext(catalogue, {corrections: false, offline: true})
  const engines = Object.keys(ENGINES).map((id) => engineOf(context, id))
  for (let number = 0; !assault.isOver; number++) {
    const random = assault.random(number + 2 ** 20)
    const {freeBytes: _free, engineVersion: _release, ...scenario} = drawScenario(catalogue, engines, assault.seed, number)
    const nasty = pick(random, NASTY)
    const format = pick(random, FORMATS).id
    const reproduce = `format ${format} with ${printable(JSON.stringify(nasty))} of ${JSON.stringify(scenario)}`
    try {
      const answered = await answer(context, ScenarioSchema.parse(scenario))
      if (!isYes(answered.best)) continue
      const option = NAME_OPTION[answered.best.engine.id]!
      const started = await startOf(context, answered, {format, set: [`${option}=${nasty}`], public: number % 3 === 0})
      if (!started.startable) continue
      const written = await writtenFor(context, {...started, startable: started.startable})
      assault.count(`${format} files`)
      // TensorRT-LLM takes this name on its command line, not in its file; vLLM's and SGLang's files are read as a command line, where it would be a flag.
      const isBeside = format === 'file' && (option === NAME_OPTION.trtllm || nasty.startsWith('-'))
      if (WORDS_AS_THEY_ARE.has(format) && !isBeside) comesBack(assault, {files: written.files, nasty, reproduce})
      for (const artifact of [...written.files, ...written.beside()]) await look(assault, {artifact, format, nasty, folder, stubs, reproduce})
    } catch (error) {
      if (error instanceof InputError) assault.count('refused')
      else assault.found({what: `${(error as Error).message}\n${(error as Error).stack?.split('\n').slice(1, 4).join('\n')}`, reproduce})
    }
  }
}

interface Look {
  artifact: Artifact
  format: string
  nasty: string
  folder: string
  stubs: string
  reproduce: string
}

const isScript = (name: string, text: string): boolean => /\.(?:sh|slurm|sbatch)$/.test(name) || /^#!.*sh\b/.test(text)
const isYaml = (name: string): boolean => /\.ya?ml$/.test(name)

async function look(assault: Assault, {artifact: {name, text}, format, nasty, folder, stubs, reproduce}: Look): Promise<void> {
  if (isScript(name, text)) {
    for (const shell of ['bash', 'sh']) {
      const {code, stderr} = await ran(shell, ['-n'], {input: text, env: {PATH: process.env.PATH ?? ''}})
      assault.count('scripts read by a shell')
      if (code !== 0) assault.found({what: `${shell} -n refuses ${name}: ${printable(stderr.slice(0, 300))}`, reproduce})
    }
    if (format === 'command' && name === 'serve.sh') await run(assault, {text, name, nasty, folder, stubs, reproduce})
  }
  if (!isYaml(name)) return
  const documents = parseAllDocuments(text, {uniqueKeys: true})
  const list = Array.isArray(documents) ? documents : []
  assault.count('YAML documents', list.length)
  for (const document of list) for (const {message} of document.errors) assault.found({what: `${name} is no YAML: ${message}`, reproduce})
}

/** Formats whose words stand in YAML one by one. */
const WORDS_AS_THEY_ARE = new Set(['file', 'compose', 'kubernetes'])

/** The text stands among the words of a manifest, as it was given. */
function comesBack(assault: Assault, {files, nasty, reproduce}: {files: readonly Artifact[]; nasty: string; reproduce: string}): void {
  const yaml = files.filter(({name}) => isYaml(name))
  const words = yaml.flatMap(({text}) => {
    const documents = parseAllDocuments(text)
    return Array.isArray(documents) ? documents.flatMap((document) => textsIn(document.toJS())) : []
  })
  if (yaml.length === 0) return
  assault.count('texts read back from YAML')
  // Compose and Kubernetes put in variables: a dollar of ours is written twice.
  const isIt = (word: string) => [word, word.replaceAll('$$', '$')].some((plain) => plain === nasty || plain.endsWith(`=${nasty}`))
  if (!words.some(isIt)) assault.found({what: `${yaml.map(({name}) => name).join(', ')}: the text does not come back`, reproduce})
}

/** All texts of a document, however deep. */
const textsIn = (value: unknown): string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []

/** The script itself, with stubs for what it starts: the text arrives as it was given. */
async function run(
  assault: Assault,
  {text, name, nasty, folder, stubs, reproduce}: Omit<Look, 'artifact' | 'format'> & {text: string; name: string},
): Promise<void> {
  const words = join(folder, 'words')
  writeFileSync(words, '')
  const {code, stderr, timedOut} = await ran('sh', [], {
    input: text,
    env: {PATH: `${stubs}:${process.env.PATH ?? ''}`, HOME: folder, SERVEFIT_WORDS: words, ...KEYS},
    cwd: folder,
    timeoutSeconds: 30,
  })
  const given = readFileSync(words, 'utf8').split('\0')
  assault.count('commands started')
  if (timedOut) assault.found({what: `${name} does not end`, reproduce})
  else if (!given.some((word) => word === nasty || word.endsWith(`=${nasty}`)))
    assault.found({
      what: `${name}: the text does not arrive (exit code ${code}): ${printable(stderr.slice(0, 200))}; given: ${printable(given.slice(0, 40).join(' '))}`,
      reproduce,
    })
}
