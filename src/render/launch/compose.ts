import type {LaunchVariable} from '../../engines/engine.ts'
import {containerProgram, CACHE_IN_CONTAINER, FILE_IN_CONTAINER} from './docker.ts'
import {deviceEnvironment, INTEL_CARDS, pickedByVariable} from './devices.ts'
import {cannot, type Format, requireImage, requireOneNode} from './format.ts'
import {foldersOf, inContainer, keyVariable, localPath, published, startSeconds, type Startable} from './startable.ts'
import {keyFileWords} from './key.ts'
import {linesOf, plainWords} from './words.ts'
import {commentLines, remarked, yamlText} from './yaml.ts'

/** A dollar sign begins a variable of Compose unless it is doubled (compose-spec, 12-interpolation.md). */
export const composeText = (text: string): string => text.replaceAll('$', '$$$$')

/** A variable of the file .env, or of the environment; nothing is started without it (compose-spec, 12-interpolation.md). */
const fromEnv = (variable: string): string => `\${${variable}:?no API key}`

/** A Compose file: one service, its GPUs, the cache of this user, a health check. */
export const compose: Format = {
  id: 'compose',
  summary: 'Docker Compose',
  write(startable) {
    requireOneNode(startable, 'Compose')
    const header = commentLines(`docker compose up --detach\nHF_TOKEN is passed on from the environment, where it is set.${needs(startable)}`)
    return [{name: 'compose.yaml', text: `${header}${yamlText(content(startable))}`}]
  },
}

/** What the reader has to bring. */
function needs(startable: Startable): string {
  const key = keyVariable(startable)
  const file = startable.launch.file ? '\nNeeds Docker Compose 2.23.1 or later, which takes the text of a file from here (configs, content).' : ''
  return `${file}${key === undefined ? '' : `\n${keyFileWords(key, '.env')}`}`
}

function content(startable: Startable): Record<string, unknown> {
  const {launch, name} = startable
  return {
    name,
    services: {[name]: service(startable)},
    ...(launch.file && {configs: {trtllm: {content: composeText(yamlText(launch.file.content, launch.file.because))}}}),
  }
}

function service(startable: Startable): Record<string, unknown> {
  const {port, devices, launch, engine, serving} = startable
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
    environment: [
      'HF_TOKEN',
      ...([...chosen, ...launch.environment] as LaunchVariable[]).map(({name: variable, value, because, secret}) =>
        remarked(secret ? `${variable}=${fromEnv(variable)}` : composeText(`${variable}=${value}`), because),
      ),
    ],
    ports: [published(startable)],
    ipc: 'host',
    ...(engine.id === 'trtllm' && {ulimits: {memlock: -1, stack: 67_108_864}}),
    volumes: volumes(startable),
    ...(launch.file && {configs: [{source: 'trtllm', target: FILE_IN_CONTAINER}]}),
    ...gpus(startable),
    restart: 'unless-stopped',
    healthcheck: {
      // Every image has Python; not every one has curl.
      test: ['CMD', 'python3', '-c', `import urllib.request; urllib.request.urlopen('http://127.0.0.1:${port}${serving.healthPath}', timeout=5)`],
      interval: '30s',
      timeout: '10s',
      retries: 3,
      start_period: remarked(`${startSeconds(startable)}s`, 'half an hour, and the download at 100 MB/s'),
    },
  }
}

function volumes(startable: Startable): Record<string, unknown>[] {
  const {model} = startable
  const list: Record<string, unknown>[] = [{type: 'bind', source: '${HOME}/.cache/huggingface', target: CACHE_IN_CONTAINER}]
  if (startable.vendor === 'intel') list.push({type: 'bind', source: INTEL_CARDS, target: INTEL_CARDS})
  const local = localPath(model)
  if (local === 'relative') throw cannot(`${model} is a relative path, which a container cannot see: give the absolute path of the model's folder`)
  for (const {path} of foldersOf(startable)) list.push({type: 'bind', source: composeText(path), target: composeText(path), read_only: true})
  return list
}

/** Nothing in the container gains rights. */
const NO_MORE_RIGHTS = 'no-new-privileges:true'

function gpus({vendor, devices}: Startable): Record<string, unknown> {
  if (vendor === 'amd')
    return {devices: ['/dev/kfd', '/dev/dri'], group_add: ['video'], cap_add: ['SYS_PTRACE'], security_opt: [NO_MORE_RIGHTS, 'seccomp=unconfined']}
  if (vendor === 'intel') return {devices: ['/dev/dri'], privileged: remarked(true, "as vLLM's guide for XPU starts it")}
  if (vendor === 'cpu') return {cap_add: ['SYS_NICE'], security_opt: [NO_MORE_RIGHTS, 'seccomp=unconfined']}
  const reserved = devices ? {device_ids: devices.map(String)} : {count: 'all'}
  return {security_opt: [NO_MORE_RIGHTS], deploy: {resources: {reservations: {devices: [{driver: 'nvidia', ...reserved, capabilities: ['gpu']}]}}}}
}
