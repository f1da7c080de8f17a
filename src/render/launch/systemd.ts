import type {NodeFlag} from '../../engines/engine.ts'
import {SLICE_WORDS} from './devices.ts'
import {containerProgram, FILE_IN_CONTAINER, hostOptions, optionsAround} from './docker.ts'
import type {Artifact} from './artifact.ts'
import {type Format, requireImage, requireOneNode} from './format.ts'
import {killSeconds, startPatience, stopPatience} from './patience.ts'
import {copyNames, namedWorkers, needsRouter, PROXY_TEMPLATE, proxyTemplate, routerNetwork, routerName, routerOf, routerOptions} from './router.ts'
import {copiesOf, homeOf, inContainer, keptFolders, keyVariable, type Startable} from './startable.ts'
import {systemdWord} from './systemd-quote.ts'
import {flagWords, type Line, linesOf, plainWords} from './words.ts'
import {yamlText} from './yaml.ts'

/** Where the unit looks for its token and its configuration file. */
const FOLDER = '/etc/servefit'
const CACHES = '/var/cache'

/** A systemd unit that keeps a container running; for several servers one each, and one for the router. */
export const systemd: Format = {
  id: 'systemd',
  summary: 'a systemd unit',
  write(startable) {
    requireOneNode(startable, 'systemd')
    const {launch, name} = startable
    const units: Artifact[] = copiesOf(startable).map((copy) => ({name: `${copy.name}.service`, text: unitText(copy, startable)}))
    const file = launch.file ? [{name: `${name}.yaml`, text: yamlText(launch.file.content, launch.file.because)}] : []
    if (!needsRouter(startable)) return [...units, ...file]
    const proxy = routerOf(startable).kind === 'proxy' ? [{name: proxyFile(startable), text: proxyTemplate(startable, copyNames(startable))}] : []
    return [...units, {name: `${routerName(startable)}.service`, text: routerUnit(startable)}, ...file, ...proxy]
  },
  around(startable) {
    const {because} = stopPatience(startable)
    return [
      ...optionsAround(hostOptions(startable, 'published', rootlessUser(startable))),
      ...keptFolders(startable).map(({folder, because: why}) => ({what: `--volume ${hostFolder(folder)}`, because: why})),
      {what: 'Restart=on-failure', because: 'it comes back after a crash'},
      {
        what: `StartLimitIntervalSec=${limitSeconds(startable)}`,
        because: `after ${START_LIMIT} failed starts in that time it stays down: something has to be fixed first`,
      },
      {what: `TimeoutStopSec=${killSeconds(startable) + 10}`, because},
    ]
  },
}

/** Nothing can end a line of the header. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[^\x20-\x7E]/g, '?')
    .replaceAll('%', '%%')
    .replaceAll('\\', '/')

const proxyFile = (startable: Startable): string => `${routerName(startable)}.conf.template`

/** `.cache/huggingface` of a home folder, for a service. */
const hostFolder = (folder: string): string => `${CACHES}/${folder.slice(folder.lastIndexOf('/') + 1)}`

/** The unit is started by root, so the container is given the user that its image has. */
const rootlessUser = ({nonRoot}: Startable): string | undefined => (nonRoot ? `${nonRoot.user}:${nonRoot.group}` : undefined)

/** A server that fails at every start is left alone after so many. */
const START_LIMIT = 5

/** So many starts, each of which fails at its end. */
const limitSeconds = (startable: Startable): number => START_LIMIT * startPatience(startable).seconds

const asLines = (options: readonly NodeFlag[]): Line[] => options.map((option) => ({words: flagWords(option)}))
const given = (variable: string): string => `\${${variable}}`
const joined = (lines: readonly Line[]): string[] => lines.map((line) => plainWords([line], systemdWord, given).join(' '))

/** The network of the servers and the router, made by whichever is started first. */
const networkLine = (startable: Startable): string => `ExecStartPre=-docker network create ${routerNetwork(startable)}\n`

function unitText(startable: Startable, whole: Startable): string {
  const {launch, name, engine, modelName, nonRoot, slice} = startable
  const {entrypoint, program} = containerProgram(startable)
  const several = needsRouter(whole)
  const folders = keptFolders(startable)
  const options: NodeFlag[] = [
    {flag: '--name', value: name, because: ''},
    ...hostOptions(startable, several ? 'behind-router' : 'published', rootlessUser(startable)),
    ...folders.map(({folder}) => ({flag: '--volume', value: `${hostFolder(folder)}:${homeOf(startable)}/${folder}`, because: ''})),
    ...(launch.file ? [{flag: '--volume', value: `${FOLDER}/${whole.name}.yaml:${FILE_IN_CONTAINER}:ro`, because: ''}] : []),
    ...(entrypoint === undefined ? [] : [{flag: '--entrypoint', value: entrypoint, because: ''}]),
  ]
  const words = [
    'docker run --rm',
    ...joined(asLines(options)),
    [requireImage(startable), ...program].map(systemdWord).join(' '),
    ...joined(linesOf(inContainer(startable, FILE_IN_CONTAINER))),
  ]
  const key = keyVariable(startable)
  const keyLine = key === undefined ? '' : `\n# It must hold ${key}=... too; let only root read it (chmod 600)`
  const sliceLine = slice && slice.identity === undefined ? `\n# It must hold ${slice.variable}=... too: ${SLICE_WORDS}` : ''
  const required = key !== undefined || sliceLine !== ''
  // The container's user may write there.
  const owned = nonRoot
    ? `ExecStartPre=install -d -m 2775 -o ${nonRoot.user} -g ${nonRoot.group} ${folders.map(({folder}) => hostFolder(folder)).join(' ')}\n`
    : ''
  const stop = stopPatience(startable).seconds
  return `# ${FOLDER}/${whole.name}.env may hold a line HF_TOKEN=...${keyLine}${sliceLine}${launch.file ? `; ${whole.name}.yaml belongs there too` : ''}.
# Install: copy to /etc/systemd/system, then systemctl daemon-reload && systemctl enable --now ${several ? `${copyNames(whole).join(' ')} ${routerName(whole)}` : name}
[Unit]
Description=${oneLine(`${modelName} on ${engine.title} ${engine.version}`)}
Wants=network-online.target
After=network-online.target docker.service
Requires=docker.service
StartLimitIntervalSec=${limitSeconds(startable)}
StartLimitBurst=${START_LIMIT}

[Service]
EnvironmentFile=${required ? '' : '-'}${FOLDER}/${whole.name}.env
ExecStartPre=-docker rm --force ${name}
${several ? networkLine(whole) : ''}${owned}ExecStart=${words.join(' \\\n  ')}
ExecStop=docker stop --time ${stop + 30} ${name}
Restart=on-failure
RestartSec=15
TimeoutStopSec=${killSeconds(startable) + 10}

[Install]
WantedBy=multi-user.target
`
}

function routerUnit(startable: Startable): string {
  const {name, modelName} = startable
  const router = routerOf(startable)
  const key = keyVariable(startable)
  const own = routerName(startable)
  const options: NodeFlag[] = [
    {flag: '--name', value: own, because: ''},
    ...(routerOptions(startable) as NodeFlag[]),
    ...(router.kind === 'proxy' ? [{flag: '--volume', value: `${FOLDER}/${proxyFile(startable)}:${PROXY_TEMPLATE}:ro`, because: ''}] : []),
  ]
  const args: Line[] = router.kind === 'proxy' ? [] : namedWorkers(startable, copyNames(startable)).map((flag) => ({words: flagWords(flag)}))
  if (router.kind === 'gateway' && key !== undefined) args.push({words: ['--api-key', {before: '', node: {of: 'secret', variable: key}}]})
  const words = ['docker run --rm', ...joined(asLines(options)), systemdWord(router.image), ...joined(args)]
  return `# In front of the servers: ${router.because}.${router.kind === 'proxy' ? `\n# ${proxyFile(startable)} belongs into ${FOLDER}.` : ''}
[Unit]
Description=${oneLine(`Router in front of ${modelName}`)}
After=network-online.target docker.service
Requires=docker.service

[Service]
EnvironmentFile=${key === undefined ? '-' : ''}${FOLDER}/${name}.env
ExecStartPre=-docker rm --force ${own}
${networkLine(startable)}ExecStart=${words.join(' \\\n  ')}
ExecStop=docker stop ${own}
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`
}
