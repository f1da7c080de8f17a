import type {LaunchVariable, NodeFlag} from '../../engines/engine.ts'
import {deviceEnvironment, dockerDevices, pickedByVariable} from './devices.ts'
import {type Around, cannot, type Format, requireImage} from './format.ts'
import {commandText, fileText, NODE_VARIABLES, shellWord} from './shell.ts'
import {keyComment} from './key.ts'
import {killSeconds} from './patience.ts'
import {quoteWord} from './shell-quote.ts'
import {
  copiesOf,
  foldersOf,
  homeOf,
  inContainer,
  keptFolders,
  keyVariable,
  localPath,
  onHost,
  published,
  replacedEntrypoint,
  type Startable,
} from './startable.ts'
import {dockerRouterText, needsRouter, routerNetwork} from './router.ts'
import {flagWords, type Line, linesOf, type Role, withRank} from './words.ts'
import {commentLines} from './yaml.ts'

/** Where the image finds its configuration file. */
export const FILE_IN_CONTAINER = '/etc/servefit/trtllm.yaml'

/** Files that a process may have open: what vLLM and SGLang ask for at start (vllm/utils/system_utils.py, sglang/srt/utils set_ulimit). */
export const OPEN_FILES = 65_535

/** `docker run`, in the background, started again after a reboot; for several nodes one command for each. */
export const docker: Format = {
  id: 'docker',
  summary: 'docker run',
  write(startable) {
    const {launch} = startable
    requireImage(startable)
    if (launch.nodes && needsRouter(startable))
      throw cannot('several servers over several nodes each are not started by docker run: use --format leaderworkerset')
    if (needsRouter(startable)) return [{name: 'docker-run.sh', text: severalText(startable)}]
    if (!launch.nodes) return [{name: 'docker-run.sh', text: runText(startable)}]
    if (launch.nodes.problem !== undefined) throw cannot(launch.nodes.problem)
    const {own, count} = launch.nodes
    if (!own) throw cannot(`${startable.engine.title} ${startable.engine.version} does not join containers by flags: use --format slurm or ray`)
    return Array.from({length: count}, (_, rank) => ({name: `docker-run-node-${rank}.sh`, text: nodeText(startable, rank)}))
  },
  around(startable) {
    return [
      {what: '--restart unless-stopped', because: RESTART_BECAUSE},
      ...optionsAround(hostOptions(startable, startable.launch.nodes ? 'host' : 'published')),
      ...keptFolders(startable).map(({folder, because}) => ({what: `--volume ~/${folder}`, because})),
      ...(startable.launch.nodes ? [{what: '/dev/infiniband', because: RDMA_BECAUSE}] : []),
    ]
  },
}

const RESTART_BECAUSE = 'it comes back after a crash and after a reboot, until it is stopped'
const RDMA_BECAUSE = 'NCCL goes over InfiniBand or RoCE where the node has them'

/** Options with their reasons, as `--explain` shows them. */
export const optionsAround = (options: readonly NodeFlag[]): Around[] =>
  options.map(({flag, value, because}) => ({
    what: value === true ? flag : `${flag} ${typeof value === 'object' ? `${value.before ?? ''}$${value.variable}` : value}`,
    because,
  }))

/** One value of an option that is read as comma-separated values (docker/cli opts/mount.go): quoted where it needs to be. */
const csvField = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

/** Limits of the processes in a container. */
export function ulimits({engine, launch, gpusPerNode, vendor}: Startable): {name: 'memlock' | 'stack' | 'nofile'; value: number; because: string}[] {
  const pins = engine.id === 'trtllm' || launch.nodes !== undefined || (gpusPerNode > 1 && vendor !== 'cpu')
  return [
    ...(pins ? [{name: 'memlock' as const, value: -1, because: engine.id === 'trtllm' ? 'memory is pinned' : 'collectives pin memory'}] : []),
    ...(engine.id === 'trtllm' ? [{name: 'stack' as const, value: 67_108_864, because: 'deep stacks'}] : []),
    {name: 'nofile', value: OPEN_FILES, because: 'each request in flight takes a connection'},
  ]
}

/** Variables that the reader may set for several nodes, passed on by their names. */
const NODE_SETTINGS = ['NCCL_SOCKET_IFNAME', 'GLOO_SOCKET_IFNAME', 'NCCL_IB_HCA']

/** What a container needs of its host: GPUs, shared memory, the cache, the token by its name, environment. `user`: how its user is written where it is not root. */
export function hostOptions(startable: Startable, network: 'published' | 'host' | 'behind-router', user?: string): NodeFlag[] {
  const {launch, devices, engine, model, nonRoot} = startable
  const options: NodeFlag[] = [
    ...dockerDevices(startable),
    ...(nonRoot && user !== undefined
      ? [
          {flag: '--user', value: user, because: 'not root'},
          {flag: '--env', value: `HOME=${nonRoot.home}`, because: "a folder that its group may write to (vLLM's docs/deployment/docker.md)"},
          {flag: '--env', value: 'USER=vllm', because: 'the user need not be known in the image'},
        ]
      : []),
    {flag: '--ipc', value: 'host', because: 'processes of the engine share memory'},
    {flag: '--security-opt', value: 'no-new-privileges', because: 'nothing in it gains privileges'},
    ...ulimits(startable).map(({name, value, because}) => ({flag: '--ulimit', value: `${name}=${value}`, because})),
    {flag: '--stop-timeout', value: killSeconds(startable), because: 'a stop waits for answers that are being given'},
    ...(network === 'host'
      ? [
          {flag: '--network', value: 'host', because: 'nodes talk over many ports'},
          ...[...NODE_SETTINGS, ...(engine.id === 'vllm' ? ['VLLM_HOST_IP'] : [])].map((name) => ({
            flag: '--env',
            value: name,
            because: 'which network the nodes talk over, if it is set',
          })),
        ]
      : network === 'behind-router'
        ? [{flag: '--network', value: routerNetwork(startable), because: 'only the router reaches it'}]
        : [{flag: '--publish', value: published(startable), because: 'where requests come in'}]),
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

const optionLines = (options: readonly NodeFlag[]): Line[] => options.map((option) => ({words: flagWords(option), because: option.because}))

/** Words behind the image: all of the program, or what follows the entry point that replaces the image's own. */
export function containerProgram(startable: Startable): {entrypoint?: string; program: string[]} {
  const {program} = startable.launch
  const entrypoint = replacedEntrypoint(startable)
  return entrypoint === undefined ? {program} : {entrypoint, program: program.slice(1)}
}

/** Whoever starts it owns what it writes. Written here, and for a shell. */
const OWN_USER = '$(id -u):0'

function runText(startable: Startable, role?: Role, rank = 0): string {
  const {file} = startable.launch
  const key = keyVariable(startable)
  const checked = key === undefined || role === 'follower' ? '' : `: "\${${key}:?no API key}"\nexport ${key}\n`
  const how = role === 'follower' ? '' : keyComment(startable)
  return `${how}${ownCaches(startable)}${checked}${file ? fileText(file) : ''}${role === undefined ? '' : RDMA_TEXT}${oneRun(startable, 'published', role, rank)}`
}

/** Folders that the daemon would make as root otherwise. */
function ownCaches(startable: Startable): string {
  if (startable.nonRoot === undefined) return ''
  const folders = keptFolders(startable).map(({folder}) => `"$HOME"/${folder}`)
  return `${commentLines('If earlier containers wrote there as root, take the files over first: sudo chown -R "$(id -u)" ~/.cache/huggingface')}mkdir -p ${folders.join(' ')}\n`
}

/** RDMA devices, where the node has them: their memory is pinned. */
const RDMA_TEXT = `set --
if [ -e /dev/infiniband ]; then
  set -- --device /dev/infiniband --cap-add IPC_LOCK
fi
`

function oneRun(startable: Startable, network: 'published' | 'behind-router', role?: Role, rank = 0): string {
  // On the network of its machine it is heard as a program there is.
  const launch = inContainer(role === undefined ? startable : onHost(startable), FILE_IN_CONTAINER)
  const {entrypoint, program} = containerProgram(startable)
  const {file} = startable.launch
  const fileMount = file ? `--volume "$PWD"/${quoteWord(file.name)}:${FILE_IN_CONTAINER}:ro` : undefined
  const before = [
    'docker run --detach',
    `  --name ${startable.name}${role === undefined ? '' : `-${rank}`}`,
    '  --restart unless-stopped',
    ...optionLines(hostOptions(startable, role === undefined ? network : 'host', OWN_USER)).map(
      ({words}) => `  ${words.map((word) => (word === OWN_USER ? `"${OWN_USER}"` : shellWord(word, NODE_VARIABLES))).join(' ')}`,
    ),
    ...(role === undefined ? [] : ['  "$@"']),
    ...keptFolders(startable).map(({folder}) => `  --volume "$HOME"/${folder}:${homeOf(startable)}/${folder}`),
    ...(fileMount === undefined ? [] : [`  ${fileMount}`]),
    ...(entrypoint === undefined ? [] : [`  --entrypoint ${quoteWord(entrypoint)}`]),
    `  ${[requireImage(startable), ...program].map(quoteWord).join(' ')}`,
  ]
  const lines = linesOf(launch, role)
  return commandText(before, role === undefined ? lines : withRank(lines, rank), NODE_VARIABLES)
}

/** Several servers of this machine, and what deals the requests out to them. */
function severalText(startable: Startable): string {
  const {file} = startable.launch
  const key = keyVariable(startable)
  const network = routerNetwork(startable)
  return `${keyComment(startable)}${ownCaches(startable)}${key === undefined ? '' : `: "\${${key}:?no API key}"\nexport ${key}\n`}docker network inspect ${network} > /dev/null 2>&1 || docker network create ${network}
${file ? fileText(file) : ''}${copiesOf(startable)
  .map((copy) => oneRun(copy, 'behind-router'))
  .join('')}${dockerRouterText(startable)}`
}

function nodeText(startable: Startable, rank: number): string {
  const {address} = NODE_VARIABLES
  const where = rank === 0 ? 'the address of this node, as the others reach it' : 'the address of node 0'
  return `# Node ${rank} of ${startable.launch.nodes!.count}, counted from 0. ${address}: ${where}.
# Where nodes have several networks: export NCCL_SOCKET_IFNAME and GLOO_SOCKET_IFNAME, the interface that ${address} belongs to.
: "\${${address}:?${where}}"\n${runText(startable, rank === 0 ? 'first' : 'follower', rank)}`
}
