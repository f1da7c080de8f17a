/** Which engine a command starts, and with which words. */
import type {EngineId} from '../../../core/deployment.ts'
import {InputError} from '../../../core/input-error.ts'
import {isAtLeast, isVersion} from '../../versions.ts'
import {readShell} from './shell.ts'
import {dictionary} from '../../../core/dictionary.ts'

export interface Program {
  engine: EngineId
  /** Release that the image's tag names. */
  version?: string
  /** What runs in a container. */
  image?: string
  environment: Record<string, string>
  /** Words behind the program. */
  args: string[]
  /** How it is started: some take the model as the first word, some as a flag only. */
  entry: 'vllm-serve' | 'vllm-module' | 'sglang-serve' | 'sglang-module' | 'trtllm-serve'
  /** Files that the text of the command writes. */
  files: Record<string, string>
  /** Variables of the shell whose values are not known. */
  unknown: string[]
  /** Words before the program that are passed over: a launcher, the container's options. */
  around: string[]
}

const EXPECTED = 'vllm serve ..., sglang serve ..., python3 -m sglang.launch_server ..., trtllm-serve ..., docker run ... IMAGE ..., or a compose file'

/** Engines by the repository of their images. */
const IMAGES: [RegExp, EngineId][] = [
  [/(?:^|\/)(?:vllm-openai(?:-[a-z]+)?|vllm(?:-dev|-cpu|-tpu|-xpu|-hpu)?)$/, 'vllm'],
  [/(?:^|\/)sglang(?:-[a-z]+)?$/, 'sglang'],
  [/(?:^|\/)(?:tensorrt-llm|tensorrt_llm)(?:\/[a-z]+)?$/, 'trtllm'],
]

/** `vllm/vllm-openai:v0.11.0` is vLLM 0.11.0; what follows the release in a tag is the build (`-cu129`, `-rocm700-mi30x`). */
export function engineOfImage(image: string): {engine: EngineId; version?: string} | undefined {
  const [, repository = '', tag = ''] = /^([^@]*?)(?::([^/:@]+))?(?:@.*)?$/.exec(image.trim()) ?? []
  const engine = IMAGES.find(([pattern]) => pattern.test(repository.toLowerCase()))?.[1]
  if (engine === undefined) return undefined
  const [release] = /^v?\d+\.\d+(?:\.\d+)*(?:\.?(?:rc|post|a|b|dev)\d+)*/i.exec(tag) ?? []
  const version = release?.replace(/^v/i, '')
  // NVIDIA names its own builds of vLLM and SGLang by year and month (25.09-py3): that is no release of the engine.
  const isDated = /nvcr\.io\//.test(repository) && engine !== 'trtllm'
  return {engine, ...(version !== undefined && isVersion(version) && !isDated && {version})}
}

/** Reads the words of a command, or the one word that is a whole text. @throws InputError COMMAND_UNKNOWN where it starts no engine that is known. */
export function readProgram(words: readonly string[]): Program {
  const isText = words.length === 1 && /\s/.test(words[0]!)
  const shell = isText ? readShell(words[0]!) : {commands: [parted(words)], files: {}, unknown: []}
  for (const {words: command, environment} of shell.commands) {
    const found = programIn(command, environment)
    if (found) return {...found, files: {...shell.files, ...found.files}, unknown: [...new Set([...shell.unknown, ...found.unknown])]}
  }
  const first = words[0] ?? ''
  throw new InputError('COMMAND_ENGINE_UNKNOWN', `"${words.join(' ').slice(0, 80)}" starts no engine that servefit reads: expected ${EXPECTED}`, {
    suggestions: /^(?:vlm|vlmm|vllm)$/i.test(first) ? ['vllm serve'] : /^sg/i.test(first) ? ['sglang serve'] : [],
  })
}

/** Assignments before the program, as a shell has them. */
function parted(words: readonly string[]): {words: string[]; environment: Record<string, string>} {
  const environment: Record<string, string> = dictionary()
  let at = 0
  for (; at < words.length; at++) {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[at]!) ?? []
    if (name === undefined) break
    environment[name] = value ?? ''
  }
  return {words: words.slice(at), environment}
}

/** Launchers whose own words come before the program. Their flags with a value, where they have such. */
const LAUNCHERS: Record<string, RegExp> = dictionary({
  sudo: /^-[ugpCrt]$/,
  nohup: /^$/,
  exec: /^$/,
  time: /^$/,
  env: /^-[uCS]$/,
  numactl: /^$/,
  nice: /^-n$/,
  stdbuf: /^-[ioe]$/,
  uv: /^--(?:with|python|from|extra|index|project)$/,
  uvx: /^--(?:with|python|from)$/,
  run: /^$/,
  mpirun: /^(?:-np|-n|-x|-H|--hostfile|--host|--map-by|--bind-to|-mca|--mca)$/,
  srun: /^-[A-Za-z]$/,
  torchrun: /^$/,
  'trtllm-llmapi-launch': /^$/,
})

const baseName = (word: string): string => word.slice(word.lastIndexOf('/') + 1)

function programIn(words: readonly string[], environment: Record<string, string>): Program | undefined {
  const start = {environment, files: {}, unknown: []}
  for (let at = 0; at < words.length; at++) {
    const name = baseName(words[at]!)
    const rest = words.slice(at + 1)
    const around = words.slice(0, at)
    if (/^(?:docker|podman|nerdctl)$/.test(name)) return containerIn(rest, environment, around)
    if (/^(?:ba|z|da)?sh$/.test(name)) {
      const flag = rest.findIndex((word) => /^-\w*c$/.test(word))
      const text = flag < 0 ? undefined : rest[flag + 1]
      return text === undefined ? undefined : withOuter(tryProgram([text]), environment)
    }
    const found = entryOf(name, rest)
    if (found) return {...start, ...found, around}
    const launcher = Object.hasOwn(LAUNCHERS, name) ? LAUNCHERS[name]! : undefined
    if (!launcher) return undefined
    // The launcher's own flags and their values.
    while (words[at + 1]?.startsWith('-')) at += launcher.test(words[at + 1]!) ? 2 : 1
    for (; /^[A-Za-z_]\w*=/.test(words[at + 1] ?? ''); at++) Object.assign(start.environment, parted([words[at + 1]!]).environment)
  }
  return undefined
}

function tryProgram(words: string[]): Program | undefined {
  try {
    return readProgram(words)
  } catch (error) {
    if (error instanceof InputError && error.code === 'COMMAND_ENGINE_UNKNOWN') return undefined
    throw error
  }
}

const withOuter = (program: Program | undefined, environment: Record<string, string>): Program | undefined =>
  program && {...program, environment: {...environment, ...program.environment}}

function entryOf(name: string, rest: readonly string[]): Pick<Program, 'engine' | 'entry' | 'args'> | undefined {
  if (name === 'vllm' && rest[0] === 'serve') return {engine: 'vllm', entry: 'vllm-serve', args: rest.slice(1)}
  if (name === 'sglang' && rest[0] === 'serve') return {engine: 'sglang', entry: 'sglang-serve', args: rest.slice(1)}
  if (name === 'trtllm-serve')
    // `serve` is its first command, and the one that is meant without a word (docs/source/commands/trtllm-serve).
    return {engine: 'trtllm', entry: 'trtllm-serve', args: rest[0] === 'serve' ? rest.slice(1) : [...rest]}
  if (!/^python(?:\d(?:\.\d+)?)?$/.test(name)) return undefined
  const flag = rest.indexOf('-m')
  const module = rest[flag + 1]
  if (flag < 0 || module === undefined) return undefined
  const args = rest.slice(flag + 2)
  if (/^vllm\.entrypoints\.(?:openai\.)?api_server$/.test(module)) return {engine: 'vllm', entry: 'vllm-module', args}
  if (module === 'sglang.launch_server') return {engine: 'sglang', entry: 'sglang-module', args}
  if (module === 'vllm' || module === 'vllm.entrypoints.cli.main') return entryOf('vllm', args)
  return undefined
}

/** Options of `docker run` without a value (docs.docker.com/reference/cli/docker/container/run); all others have one. */
const SWITCHES =
  /^(?:-[dit]+|--(?:detach|interactive|tty|rm|init|privileged|read-only|publish-all|no-healthcheck|oom-kill-disable|quiet|use-api-socket)|-P|-q)$/

function containerIn(words: readonly string[], environment: Record<string, string>, around: string[]): Program | undefined {
  let at = words.findIndex((word) => word === 'run' || word === 'create')
  if (at < 0) return undefined
  const own: Record<string, string> = dictionary()
  let entrypoint: string[] | undefined
  for (at++; at < words.length && words[at]!.startsWith('-'); at++) {
    const word = words[at]!
    const [name = word, joined] = word.startsWith('--') && word.includes('=') ? [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)] : [word]
    if (joined === undefined && SWITCHES.test(name)) continue
    // -eNAME=VALUE and -p8000:8000 join a short flag with its value.
    const short = /^-([evpwuhlm])(.+)$/.exec(word)
    const value = joined ?? (short ? short[2]! : (words[++at] ?? ''))
    const flag = short ? `-${short[1]}` : name
    if (flag === '-e' || flag === '--env') Object.assign(own, value.includes('=') ? parted([value]).environment : {[value]: ''})
    if (flag === '--entrypoint') entrypoint = value === '' ? [] : [value]
  }
  const image = words[at]
  return image === undefined ? undefined : inImage(image, {entrypoint, command: words.slice(at + 1), environment: {...environment, ...own}, around})
}

export interface Container {
  /** What takes the place of what the image starts by itself. */
  entrypoint?: string[]
  command: readonly string[]
  environment: Record<string, string>
  around?: string[]
}

/** What a container starts: its words where they name a program, else the engine that the image starts by itself (vLLM's). */
export function inImage(image: string, {entrypoint = [], command, environment, around = []}: Container): Program | undefined {
  const known = engineOfImage(image)
  const words = [...entrypoint, ...command]
  const named =
    words.length > 0
      ? (programIn(words, environment) ?? (words.length === 1 && /\s/.test(words[0]!) ? withOuter(tryProgram(words), environment) : undefined))
      : undefined
  const where = {image, around, ...(known?.version !== undefined && {version: known.version})}
  if (named) return known && known.engine !== named.engine ? {...named, image, around} : {...named, ...where}
  if (!known || entrypoint.length > 0) return undefined
  const start = {environment, files: {}, unknown: []}
  // docker/Dockerfile: vLLM's images start the server, up to 0.11.0 as a module (0.14.0 has vllm serve), those of the others a shell.
  const isModule = known.version !== undefined && !isAtLeast(known.version, '0.11.1')
  if (known.engine === 'vllm') return {...start, ...where, engine: 'vllm', entry: isModule ? 'vllm-module' : 'vllm-serve', args: [...command]}
  return undefined
}
