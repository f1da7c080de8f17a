import type {LaunchFlag, LaunchVariable} from '../../engines/engine.ts'
import {deviceEnvironment, dockerDevices, pickedByVariable} from './devices.ts'
import {cannot, type Format, requireImage} from './format.ts'
import {commandText, fileText, NODE_VARIABLES, shellWord} from './shell.ts'
import {keyComment} from './key.ts'
import {quoteWord} from './shell-quote.ts'
import {foldersOf, inContainer, keyVariable, localPath, onHost, published, replacedEntrypoint, type Startable} from './startable.ts'
import {flagWords, type Line, linesOf, type Role, withRank} from './words.ts'

/** Where the image finds what was downloaded, and its configuration file. */
export const CACHE_IN_CONTAINER = '/root/.cache/huggingface'
export const FILE_IN_CONTAINER = '/etc/servefit/trtllm.yaml'

/** `docker run`, in the background, started again after a reboot; for several nodes one command for each. */
export const docker: Format = {
  id: 'docker',
  summary: 'docker run',
  write(startable) {
    const {launch} = startable
    requireImage(startable)
    if (!launch.nodes) return [{name: 'docker-run.sh', text: runText(startable)}]
    if (launch.nodes.problem !== undefined) throw cannot(launch.nodes.problem)
    const {own, count} = launch.nodes
    if (!own) throw cannot(`${startable.engine.title} ${startable.engine.version} does not join containers by flags: use --format slurm or ray`)
    return Array.from({length: count}, (_, rank) => ({name: `docker-run-node-${rank}.sh`, text: nodeText(startable, rank)}))
  },
}

/** One value of an option that is read as comma-separated values (docker/cli opts/mount.go): quoted where it needs to be. */
const csvField = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** What a container needs of its host: GPUs, shared memory, the cache, the token by its name, environment. */
export function hostOptions(startable: Startable, network: 'published' | 'host'): LaunchFlag[] {
  const {launch, devices, engine, model} = startable
  const options: LaunchFlag[] = [
    ...dockerDevices(startable),
    {flag: '--ipc', value: 'host', because: 'processes of the engine share memory'},
    {flag: '--security-opt', value: 'no-new-privileges', because: 'nothing in it gains privileges'},
    ...(engine.id === 'trtllm'
      ? [
          {flag: '--ulimit', value: 'memlock=-1', because: 'memory is pinned'},
          {flag: '--ulimit', value: 'stack=67108864', because: 'deep stacks'},
        ]
      : []),
    network === 'host'
      ? {flag: '--network', value: 'host', because: 'nodes talk over many ports'}
      : {flag: '--publish', value: published(startable), because: 'where requests come in'},
    {flag: '--env', value: 'HF_TOKEN', because: 'passed on by its name, if it is set'},
  ]
  // The daemon picks NVIDIA devices; others are all there and chosen by a variable.
  const chosen = devices && pickedByVariable(startable) ? deviceEnvironment(startable) : []
  const variables: readonly LaunchVariable[] = [...chosen, ...launch.environment]
  // A secret goes by its name, which the daemon's client looks up.
  for (const {name, value, because, secret} of variables) options.push({flag: '--env', value: secret ? name : `${name}=${value}`, because})
  const local = localPath(model)
  if (local === 'relative') throw cannot(`${model} is a relative path, which a container cannot see: give the absolute path of the model's folder`)
  for (const {path, because} of foldersOf(startable))
    options.push({flag: '--mount', value: ['type=bind', `source=${path}`, `target=${path}`, 'readonly'].map(csvField).join(','), because})
  return options
}

const optionLines = (options: readonly LaunchFlag[]): Line[] => options.map((option) => ({words: flagWords(option), because: option.because}))

/** Words behind the image: all of the program, or what follows the entry point that replaces the image's own. */
export function containerProgram(startable: Startable): {entrypoint?: string; program: string[]} {
  const {program} = startable.launch
  const entrypoint = replacedEntrypoint(startable)
  return entrypoint === undefined ? {program} : {entrypoint, program: program.slice(1)}
}

function runText(startable: Startable, role?: Role, rank = 0): string {
  // On the network of its machine it is heard as a program there is.
  const launch = inContainer(role === undefined ? startable : onHost(startable), FILE_IN_CONTAINER)
  const {entrypoint, program} = containerProgram(startable)
  const {file} = startable.launch
  const cache = `--volume "$HOME/.cache/huggingface":${CACHE_IN_CONTAINER}`
  const fileMount = file ? `--volume "$PWD"/${quoteWord(file.name)}:${FILE_IN_CONTAINER}:ro` : undefined
  const before = [
    'docker run --detach',
    `  --name ${startable.name}${role === undefined ? '' : `-${rank}`}`,
    '  --restart unless-stopped',
    ...optionLines(hostOptions(startable, role === undefined ? 'published' : 'host')).map(
      ({words}) => `  ${words.map((word) => shellWord(word, NODE_VARIABLES)).join(' ')}`,
    ),
    `  ${cache}`,
    ...(fileMount === undefined ? [] : [`  ${fileMount}`]),
    ...(entrypoint === undefined ? [] : [`  --entrypoint ${quoteWord(entrypoint)}`]),
    `  ${[requireImage(startable), ...program].map(quoteWord).join(' ')}`,
  ]
  const lines = linesOf(launch, role)
  const key = keyVariable(startable)
  const checked = key === undefined || role === 'follower' ? '' : `: "\${${key}:?no API key}"\nexport ${key}\n`
  const how = role === 'follower' ? '' : keyComment(startable)
  return `${how}${checked}${file ? fileText(file) : ''}${commandText(before, role === undefined ? lines : withRank(lines, rank), NODE_VARIABLES)}`
}

function nodeText(startable: Startable, rank: number): string {
  const {address} = NODE_VARIABLES
  const where = rank === 0 ? 'the address of this node, as the others reach it' : 'the address of node 0'
  return `# Node ${rank} of 0 to ${startable.launch.nodes!.count - 1}. ${address}: ${where}.\n: "\${${address}:?${where}}"\n${runText(startable, rank === 0 ? 'first' : 'follower', rank)}`
}
