/** What deals requests out to several equal servers: SGLang's own gateway for SGLang, else a reverse proxy that streams. */
import type {LaunchFlag} from '../../engines/engine.ts'
import {startPatience} from './patience.ts'
import {commandText, hereDocument} from './shell.ts'
import {keyVariable, published, type Startable} from './startable.ts'
import {quoteWord} from './shell-quote.ts'
import {flagWords} from './words.ts'

/** Whether several servers stand behind one address. */
export const needsRouter = ({replicas = 1}: Startable): boolean => replicas > 1

/** Network of containers that nobody else is in. */
export const routerNetwork = ({name, network}: Startable): string => network ?? name

export const routerName = ({name}: Startable): string => `${name}-router`

/**
 * SGLang's gateway, which sends a prompt to the server that has its beginning in the cache. Image and entry point: sgl-project/sglang
 * docker/gateway.Dockerfile at 8448045c5b58df38de9142f3d5b84de62353e535; options: sglang-router 0.3.2, sglang_router/router_args.py.
 */
const GATEWAY_IMAGE = 'lmsysorg/sgl-model-gateway:v0.3.2'

/** nginx as a user of its own, listening above the ports that take root. `resolve` of an upstream server came to it with 1.27.3. */
const PROXY_IMAGE = 'nginxinc/nginx-unprivileged:1.28-alpine'

/** Where the proxy's template is looked for; its image fills in variables of the environment at start. */
export const PROXY_TEMPLATE = '/etc/nginx/templates/default.conf.template'
export const PROXY_FILE = 'router.conf.template'

export interface Router {
  kind: 'gateway' | 'proxy'
  image: string
  because: string
  /** Port inside its container. */
  port: number
  healthPath: string
}

/** Of workers that come and go by themselves (`found`) the gateway does not know the key: the proxy passes on what it is given. */
export function routerOf(startable: Startable, found = false): Router {
  const {engine, port, serving} = startable
  if (engine.id === 'sglang' && !(found && keyVariable(startable) !== undefined))
    return {kind: 'gateway', image: GATEWAY_IMAGE, because: 'a prompt goes to the server that has its beginning in the cache', port, healthPath: '/readiness'}
  return {kind: 'proxy', image: PROXY_IMAGE, because: 'a request goes to the server with fewest in flight', port, healthPath: serving.healthPath}
}

/** Options of the gateway: where the servers are, and how long the first answer of each may take. */
export function gatewayFlags(startable: Startable, workers: readonly LaunchFlag[]): LaunchFlag[] {
  const patience = startPatience(startable)
  return [
    ...workers,
    {flag: '--policy', value: 'cache_aware', because: 'a prompt goes to the server that has its beginning in the cache'},
    {flag: '--host', value: '0.0.0.0', because: 'reached from outside the container'},
    {flag: '--port', value: startable.port, because: 'where requests come in'},
    {flag: '--worker-startup-timeout-secs', value: patience.seconds, because: patience.because},
  ]
}

/** Servers by their names on the network of the router. */
const urlsOf = ({port}: Startable, names: readonly string[]): LaunchFlag => ({
  flag: '--worker-urls',
  value: names.map((name) => `http://${name}:${port}`),
  because: 'the servers',
})

export const namedWorkers = (startable: Startable, names: readonly string[]): LaunchFlag[] => gatewayFlags(startable, [urlsOf(startable, names)])

/** Longest that a request may go without a token, as for a long prompt that waits. */
const READ_TIMEOUT_SECONDS = 3600

/**
 * The proxy's configuration: fewest connections first, as vLLM's docs/deployment/nginx.md has it; tokens pass as they come; names are looked up again, since a server
 * that is started anew may have another address. `${NGINX_LOCAL_RESOLVERS}` is filled in by the image.
 */
export function proxyTemplate({port, serving}: Startable, names: readonly string[]): string {
  return `resolver \${NGINX_LOCAL_RESOLVERS} valid=5s;
upstream servers {
    zone servers 64k;
    least_conn;
${names.map((name) => `    server ${name}:${port} resolve max_fails=3 fail_timeout=15s;\n`).join('')}}
server {
    listen ${port};
    # Prompts with images are large.
    client_max_body_size 512m;
    location / {
        proxy_pass http://servers;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        # Tokens pass as they come.
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_read_timeout ${READ_TIMEOUT_SECONDS}s;
        proxy_send_timeout ${READ_TIMEOUT_SECONDS}s;
    }
    location = ${serving.healthPath} {
        proxy_pass http://servers;
        proxy_connect_timeout 5s;
        access_log off;
    }
}
`
}

/** Only this is filled in; other dollar signs belong to nginx. */
export const PROXY_ENVIRONMENT: readonly {name: string; value: string; because: string}[] = [
  {name: 'NGINX_ENTRYPOINT_LOCAL_RESOLVERS', value: '1', because: 'names are looked up where the container looks them up'},
  {name: 'NGINX_ENVSUBST_FILTER', value: 'NGINX_LOCAL_RESOLVERS|SERVERS', because: 'nothing else is filled in'},
]

/** Options of `docker run` for the router, in front of its image. */
export function routerOptions(startable: Startable): LaunchFlag[] {
  const router = routerOf(startable)
  const key = keyVariable(startable)
  return [
    {flag: '--network', value: routerNetwork(startable), because: 'where the servers are'},
    {flag: '--publish', value: published(startable), because: 'where requests come in'},
    {flag: '--security-opt', value: 'no-new-privileges', because: 'nothing in it gains rights'},
    ...(router.kind === 'proxy' ? PROXY_ENVIRONMENT.map(({name, value, because}) => ({flag: '--env', value: `${name}=${value}`, because})) : []),
    ...(router.kind === 'gateway' && key !== undefined ? [{flag: '--env', value: key, because: 'the key of the servers, which it asks for too'}] : []),
  ]
}

export const copyNames = ({name, replicas = 1}: Startable): string[] => Array.from({length: replicas}, (_, copy) => `${name}-${copy}`)

/** The router as a command behind those that start the servers. */
export function dockerRouterText(startable: Startable): string {
  const router = routerOf(startable)
  const names = copyNames(startable)
  const start = ['docker run --detach', `  --name ${routerName(startable)}`, '  --restart unless-stopped']
  const options = routerOptions(startable).map(
    (option) =>
      `  ${flagWords(option)
        .map((word) => quoteWord(String(word)))
        .join(' ')}`,
  )
  if (router.kind === 'proxy') {
    const mount = `  --volume "$PWD"/${PROXY_FILE}:${PROXY_TEMPLATE}:ro`
    return `${hereDocument(PROXY_FILE, proxyTemplate(startable, names))}${commandText([...start, ...options, mount, `  ${router.image}`], [])}`
  }
  const key = keyVariable(startable)
  return commandText(
    [...start, ...options, `  ${router.image}`],
    [
      ...namedWorkers(startable, names).map((flag) => ({words: flagWords(flag)})),
      ...(key === undefined ? [] : [{words: ['--api-key', {before: '', node: {of: 'secret' as const, variable: key}}]}]),
    ],
  )
}
