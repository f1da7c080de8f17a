import type {Artifact} from './artifact.ts'
import {benchmarkCommand, benchmarkFile} from './benchmark.ts'
import {routerName} from './router.ts'
import {leaderService} from './leaderworkerset.ts'
import {quoteWord} from './shell-quote.ts'
import {dictionary} from '../../core/dictionary.ts'
import {startPatience} from './patience.ts'
import {keyVariable, type Startable} from './startable.ts'

const FIRST_REQUESTS = {
  write: {path: '/v1/chat/completions', content: {messages: [{role: 'user', content: 'Say hello.'}], max_tokens: 64}},
  embed: {path: '/v1/embeddings', content: {input: ['A first text.', 'A second one.']}},
  rerank: {path: '/v1/rerank', content: {query: 'What is asked?', documents: ['One answer.', 'Another one.']}},
}

/** One request that shows that the server answers, with the name it serves the model under, once it is there. */
export function smokeTest(startable: Startable): string {
  const {port, servedName, serving, task} = startable
  const {path, content} = FIRST_REQUESTS[task ?? 'write']
  const body = JSON.stringify({model: servedName, ...content})
  const key = keyVariable(startable)
  const patience = startPatience(startable)
  return `#!/bin/sh
# Waits until the model is loaded, then asks once.
# BASE_URL: where the server is, if not here. WAIT_SECONDS: how long to wait; default ${patience.seconds}: ${patience.because}.
set -eu
base=\${BASE_URL:-http://127.0.0.1:${port}}
limit=\${WAIT_SECONDS:-${patience.seconds}}
end=$(($(date +%s) + limit))
until curl --fail --silent --max-time 5 --output /dev/null "$base${serving.healthPath}"; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "no answer from $base${serving.healthPath} in $limit seconds: the server's log says why" >&2
    exit 1
  fi
  sleep 5
done
curl --fail --silent --show-error "$base${path}" \\
  --header 'Content-Type: application/json' \\
${key === undefined ? '' : `  --header "Authorization: Bearer \${${key}:?no API key}" \\\n`}  --data ${quoteWord(body)}
echo
`
}

/** Files beside the artifact: a first request, the engine's benchmark of the planned load, how to use them. */
export function extras(startable: Startable, format: string, offer?: string): Artifact[] {
  const {engine} = startable
  const benchmark = benchmarkCommand(startable)
  const list: Artifact[] = [{name: 'smoke-test.sh', text: smokeTest(startable)}]
  if (benchmark !== undefined) {
    list.push({
      name: 'benchmark.sh',
      text: `#!/bin/sh\n# ${engine.title}'s own benchmark at the planned load; run it where ${engine.title} is installed, in the container for one.\nset -eu\n${benchmark}`,
    })
  }
  list.push({name: 'NOTES.md', text: notes(startable, format, benchmark !== undefined, offer)})
  return list
}

/** The Service that answers, where there is one. */
const SERVICES: Record<string, (name: string) => string> = dictionary({kubernetes: (name) => name, leaderworkerset: leaderService})

/** Where the log of the server is, and how it is kept. */
const LOGS: Record<string, (name: string) => string> = dictionary({
  docker: (name) => `docker logs ${name} > server.log 2>&1`,
  compose: (name) => `docker compose logs --no-log-prefix ${name} > server.log 2>&1`,
  systemd: (name) => `journalctl --unit ${name} --output cat > server.log`,
  kubernetes: (name) => `kubectl logs deployment/${name} > server.log`,
})

function notes(startable: Startable, format: string, hasBenchmark: boolean, offer: string | undefined): string {
  const {engine, name, port, isPublic, replicas = 1} = startable
  const steps: string[] = ['Start it: the first lines of each file say how, unless that is obvious.']
  const key = keyVariable(startable)
  if (key !== undefined)
    steps.push(
      `It is open to others and asks them for an API key, which is in none of these files. Requests give it as \`Authorization: Bearer $${key}\`, and so do the scripts here: set ${key} for them too.`,
    )
  else if (isPublic !== true)
    steps.push(`Only ${SERVICES[format] === undefined ? 'this machine' : 'its cluster'} can reach it. \`--public\` opens it to others, with an API key.`)
  const service = SERVICES[format]?.(name)
  if (service !== undefined) steps.push(`Reach it: \`kubectl port-forward service/${service} ${port}:${port}\``)
  steps.push('`sh smoke-test.sh` waits until the model is loaded and asks once.')
  // Of several servers of one machine the first.
  const log = LOGS[format]?.(replicas > 1 && format !== 'kubernetes' ? `${name}-0` : name)
  if (replicas > 1) steps.push(`${replicas} servers share a router: requests go to ${routerName(startable)}, and the benchmark measures all of them together.`)
  if (hasBenchmark)
    steps.push(
      `\`sh benchmark.sh\` measures the planned load and writes ${benchmarkFile(startable)}.`,
      `Keep what the server prints as server.log${log === undefined ? '' : ` (\`${log}\`)`}. \`servefit verify server.log --bench ${benchmarkFile(startable)}\` compares both with what was predicted; give it the same --gpu or --machine as here.`,
    )
  if (offer !== undefined) steps.push(offer)
  return `# Running ${name} on ${engine.title} ${engine.version}\n\n${steps.map((text, index) => `${index + 1}. ${text}`).join('\n')}\n`
}
