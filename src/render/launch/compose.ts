import type {LaunchVariable} from '../../engines/engine.ts'
import {containerProgram, FILE_IN_CONTAINER, ulimits} from './docker.ts'
import {deviceEnvironment, INTEL_CARDS, pickedByVariable, pickedDevices, SLICE_WORDS} from './devices.ts'
import {cannot, type Format, requireImage, requireOneNode} from './format.ts'
import {copiesOf, foldersOf, homeOf, inContainer, keptFolders, keyVariable, localPath, published, type Startable} from './startable.ts'
import {keyFileWords} from './key.ts'
import {killSeconds, startPatience, stopPatience} from './patience.ts'
import {copyNames, namedWorkers, needsRouter, PROXY_ENVIRONMENT, PROXY_TEMPLATE, proxyTemplate, type Router, routerName, routerOf} from './router.ts'
import {flagWords, linesOf, plainWords} from './words.ts'
import {aroundIn, commentLines, remarked, yamlText} from './yaml.ts'

type Mapping = Record<string, unknown>

/** A dollar sign begins a variable of Compose unless it is doubled (compose-spec, 12-interpolation.md). */
export const composeText = (text: string): string => text.replaceAll('$', '$$$$')

/** A variable of the file .env, or of the environment; nothing is started without it (compose-spec, 12-interpolation.md). */
const fromEnv = (variable: string): string => `\${${variable}:?no API key}`

/** A Compose file: one service, or several behind a router, their GPUs, the caches of this user, health checks. */
export const compose: Format = {
  id: 'compose',
  summary: 'Docker Compose',
  write(startable) {
    requireOneNode(startable, 'Compose')
    const header = commentLines(
      `${startWords(startable)}docker compose up --detach\nHF_TOKEN is passed on from the environment, where it is set.${needs(startable)}`,
    )
    return [{name: 'compose.yaml', text: `${header}${yamlText(content(startable))}`}]
  },
  around(startable) {
    const {services} = content(startable) as {services: Record<string, Mapping>}
    const [first] = Object.values(services)
    const {command: _command, environment: _environment, ...rest} = first!
    const front = services[routerName(startable)]
    return [...aroundIn(rest), ...(front ? aroundIn({[routerName(startable)]: front}) : [])]
  },
}

/** What goes before it where the containers run as who starts them: folders that the daemon would make as root, and the number of that user. */
function startWords(startable: Startable): string {
  if (startable.nonRoot === undefined) return ''
  const folders = keptFolders(startable).map(({folder}) => `~/${folder}`)
  return `mkdir -p ${folders.join(' ')}\nHOST_UID=$(id -u) `
}

/** What the reader has to bring. */
function needs(startable: Startable): string {
  const {launch, nonRoot, slice, replicas = 1} = startable
  const key = keyVariable(startable)
  const words: string[] = []
  if (launch.file || (needsRouter(startable) && routerOf(startable).kind === 'proxy'))
    words.push('Needs Docker Compose 2.23.1 or later, which takes the text of a file from here (configs, content).')
  if (nonRoot)
    words.push(
      'Containers run as you, not as root. If earlier containers wrote there as root, take the files over first: sudo chown -R "$(id -u)" ~/.cache/huggingface',
    )
  if (slice && slice.identity === undefined)
    words.push(`${replicas > 1 ? `${slice.variable}_0 to ${slice.variable}_${replicas - 1}, in .env: each` : `${slice.variable}, in .env:`} ${SLICE_WORDS}.`)
  if (key !== undefined) words.push(keyFileWords(key, '.env'))
  return words.map((text) => `\n${text}`).join('')
}

function content(startable: Startable): Mapping {
  const {launch, name} = startable
  const several = needsRouter(startable)
  const proxied = several && routerOf(startable).kind === 'proxy'
  return {
    name,
    services: {
      ...Object.fromEntries(copiesOf(startable).map((copy) => [copy.name, service(copy)])),
      ...(several && {[routerName(startable)]: router(startable, routerOf(startable))}),
    },
    ...((launch.file || proxied) && {
      configs: {
        ...(launch.file && {trtllm: {content: composeText(yamlText(launch.file.content, launch.file.because))}}),
        ...(proxied && {router: {content: composeText(proxyTemplate(startable, copyNames(startable)))}}),
      },
    }),
  }
}

function service(startable: Startable): Mapping {
  const {devices, launch, nonRoot, copy} = startable
  const {entrypoint, program} = containerProgram(startable)
  const lines = linesOf(inContainer(startable, FILE_IN_CONTAINER))
  const chosen = devices && pickedByVariable(startable) ? deviceEnvironment(startable) : []
  return {
    image: requireImage(startable),
    ...(entrypoint !== undefined && {entrypoint: [composeText(entrypoint)]}),
    command: [
      ...program.map(composeText),
      ...lines.flatMap((line) => plainWords([line], composeText, fromEnv).map((word, index) => remarked(word, index === 0 ? line.because : undefined))),
    ],
    ...(nonRoot && {user: remarked('${HOST_UID:-1000}:0', 'not root; the group may write to the home folder')}),
    environment: [
      'HF_TOKEN',
      ...(nonRoot ? [`HOME=${nonRoot.home}`, remarked('USER=vllm', 'the user need not be known in the image')] : []),
      ...([...chosen, ...launch.environment] as LaunchVariable[]).map(({name: variable, value, because, secret}) =>
        remarked(secret ? `${variable}=${fromEnv(variable)}` : composeText(`${variable}=${value}`), because),
      ),
    ],
    // Behind a router nobody else reaches it.
    ...(copy === undefined && {ports: [published(startable)]}),
    ipc: remarked('host', 'processes of the engine share memory'),
    ulimits: Object.fromEntries(ulimits(startable).map(({name: limit, value, because}) => [limit, remarked(value, because)])),
    volumes: volumes(startable),
    ...(launch.file && {configs: [{source: 'trtllm', target: FILE_IN_CONTAINER}]}),
    ...gpus(startable),
    restart: remarked('unless-stopped', 'it comes back after a crash and after a reboot, until it is stopped'),
    stop_grace_period: remarked(`${killSeconds(startable)}s`, stopPatience(startable).because),
    healthcheck: healthcheck(startable),
  }
}

/** Patient at the first start, quick to see that a server is stuck. Every image has Python; not every one has curl. */
function healthcheck(startable: Startable): Mapping {
  const {port, serving} = startable
  const patience = startPatience(startable)
  return {
    test: ['CMD', 'python3', '-c', `import urllib.request; urllib.request.urlopen('http://127.0.0.1:${port}${serving.healthPath}', timeout=5)`],
    interval: '30s',
    timeout: '10s',
    retries: 3,
    start_period: remarked(`${patience.seconds}s`, patience.because),
  }
}

/** The router: it is started with the servers, and deals out to those that answer. */
function router(startable: Startable, {kind, image, because}: Router): Mapping {
  const names = copyNames(startable)
  const key = keyVariable(startable)
  const shared = {
    image: remarked(image, because),
    ports: [published(startable)],
    depends_on: names,
    security_opt: ['no-new-privileges:true'],
    restart: 'unless-stopped',
  }
  if (kind === 'proxy')
    return {
      ...shared,
      environment: PROXY_ENVIRONMENT.map(({name, value, because: why}) => remarked(`${name}=${value}`, why)),
      configs: [{source: 'router', target: PROXY_TEMPLATE}],
    }
  const words = namedWorkers(startable, names).flatMap((flag) =>
    plainWords([{words: flagWords(flag)}], composeText).map((word, index) => remarked(word, index === 0 ? flag.because : undefined)),
  )
  return {
    ...shared,
    command: [...words, ...(key === undefined ? [] : [remarked('--api-key', 'that of the servers, which it asks for too'), fromEnv(key)])],
  }
}

function volumes(startable: Startable): unknown[] {
  const {model} = startable
  const list: unknown[] = keptFolders(startable).map(({folder, because}) => ({
    type: 'bind',
    source: `\${HOME}/${folder}`,
    target: remarked(`${homeOf(startable)}/${folder}`, because),
  }))
  if (startable.vendor === 'intel') list.push({type: 'bind', source: INTEL_CARDS, target: INTEL_CARDS})
  const local = localPath(model)
  if (local === 'relative') throw cannot(`${model} is a relative path, which a container cannot see: give the absolute path of the model's folder`)
  for (const {path} of foldersOf(startable)) list.push({type: 'bind', source: composeText(path), target: composeText(path), read_only: true})
  return list
}

/** Nothing in the container gains rights. */
const NO_MORE_RIGHTS = 'no-new-privileges:true'

function gpus(startable: Startable): Mapping {
  const {vendor, slice, identities, devices} = startable
  if (vendor === 'amd')
    return {devices: ['/dev/kfd', '/dev/dri'], group_add: ['video'], cap_add: ['SYS_PTRACE'], security_opt: [NO_MORE_RIGHTS, 'seccomp=unconfined']}
  if (vendor === 'intel') return {devices: ['/dev/dri'], privileged: remarked(true, "as vLLM's guide for XPU starts it")}
  if (vendor === 'cpu') return {cap_add: ['SYS_NICE'], security_opt: [NO_MORE_RIGHTS, 'seccomp=unconfined']}
  return {
    security_opt: [NO_MORE_RIGHTS],
    deploy: {resources: {reservations: {devices: [{driver: 'nvidia', ...reserved(), capabilities: ['gpu']}]}}},
  }

  function reserved(): Mapping {
    if (slice) return {device_ids: remarked([slice.identity ?? `\${${slice.variable}:?${SLICE_WORDS}}`], 'one slice of a card')}
    const picked = pickedDevices(startable)
    if (!picked) return {count: 'all'}
    return {device_ids: devices && identities ? remarked(picked, 'by identity, whatever the order of the cards') : picked}
  }
}
