import type {LaunchFlag} from '../../engines/engine.ts'
import {CACHE_IN_CONTAINER, containerProgram, FILE_IN_CONTAINER, hostOptions} from './docker.ts'
import type {Artifact} from './artifact.ts'
import {type Format, requireImage, requireOneNode} from './format.ts'
import {inContainer, keyVariable, type Startable} from './startable.ts'
import {systemdWord} from './systemd-quote.ts'
import {flagWords, linesOf, plainWords} from './words.ts'
import {yamlText} from './yaml.ts'

/** Where the unit looks for its token and its configuration file. */
const FOLDER = '/etc/servefit'
const CACHE = '/var/cache/huggingface'

/** A systemd unit that keeps a container running. */
export const systemd: Format = {
  id: 'systemd',
  summary: 'a systemd unit',
  write(startable) {
    requireOneNode(startable, 'systemd')
    const {launch, name} = startable
    const unit: Artifact = {name: `${name}.service`, text: unitText(startable)}
    return launch.file ? [unit, {name: `${name}.yaml`, text: yamlText(launch.file.content, launch.file.because)}] : [unit]
  },
}

/** Nothing can end a line of the header. */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[^\x20-\x7E]/g, '?')
    .replaceAll('%', '%%')
    .replaceAll('\\', '/')

function unitText(startable: Startable): string {
  const {launch, name, engine, modelName} = startable
  const {entrypoint, program} = containerProgram(startable)
  const options: LaunchFlag[] = [
    {flag: '--name', value: name, because: ''},
    ...hostOptions(startable, 'published'),
    {flag: '--volume', value: `${CACHE}:${CACHE_IN_CONTAINER}`, because: ''},
    ...(launch.file ? [{flag: '--volume', value: `${FOLDER}/${name}.yaml:${FILE_IN_CONTAINER}:ro`, because: ''}] : []),
    ...(entrypoint === undefined ? [] : [{flag: '--entrypoint', value: entrypoint, because: ''}]),
  ]
  const words = [
    'docker run --rm',
    ...options.map((option) =>
      flagWords(option)
        .map((word) => systemdWord(String(word)))
        .join(' '),
    ),
    [requireImage(startable), ...program].map(systemdWord).join(' '),
    ...linesOf(inContainer(startable, FILE_IN_CONTAINER)).map((line) => plainWords([line], systemdWord, (variable) => `\${${variable}}`).join(' ')),
  ]
  const key = keyVariable(startable)
  const keyLine = key === undefined ? '' : `\n# It must hold ${key}=... too; let only root read it (chmod 600)`
  return `# ${FOLDER}/${name}.env may hold a line HF_TOKEN=...${keyLine}${launch.file ? `; ${name}.yaml belongs there too` : ''}.
# Install: copy to /etc/systemd/system, then systemctl daemon-reload && systemctl enable --now ${name}
[Unit]
Description=${oneLine(`${modelName} on ${engine.title} ${engine.version}`)}
Wants=network-online.target
After=network-online.target docker.service
Requires=docker.service

[Service]
EnvironmentFile=${key === undefined ? '-' : ''}${FOLDER}/${name}.env
ExecStartPre=-docker rm --force ${name}
ExecStart=${words.join(' \\\n  ')}
ExecStop=docker stop --time 60 ${name}
Restart=on-failure
RestartSec=15
TimeoutStopSec=90

[Install]
WantedBy=multi-user.target
`
}
