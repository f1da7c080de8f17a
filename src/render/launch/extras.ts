import type {Artifact} from './artifact.ts'
import {benchmarkCommand} from './benchmark.ts'
import {leaderService} from './leaderworkerset.ts'
import {quoteWord} from './shell-quote.ts'
import type {Startable} from './startable.ts'

const FIRST_REQUESTS = {
  write: {path: '/v1/chat/completions', content: {messages: [{role: 'user', content: 'Say hello.'}], max_tokens: 64}},
  embed: {path: '/v1/embeddings', content: {input: ['A first text.', 'A second one.']}},
  rerank: {path: '/v1/rerank', content: {query: 'What is asked?', documents: ['One answer.', 'Another one.']}},
}

/** One request that shows that the server answers, with the name it serves the model under. */
export function smokeTest({port, servedName, serving, task}: Startable): string {
  const {path, content} = FIRST_REQUESTS[task ?? 'write']
  const body = JSON.stringify({model: servedName, ...content})
  return `#!/bin/sh
# Answers once the model is loaded. BASE_URL: where the server is, if not here.
set -eu
base=\${BASE_URL:-http://localhost:${port}}
curl --fail --silent --show-error "$base${serving.healthPath}"
curl --fail --silent --show-error "$base${path}" \\
  --header 'Content-Type: application/json' \\
  --data ${quoteWord(body)}
echo
`
}

/** Files beside the artifact: a first request, the engine's benchmark of the planned load, how to use them. */
export function extras(startable: Startable, format: string): Artifact[] {
  const {engine} = startable
  const benchmark = benchmarkCommand(startable)
  const list: Artifact[] = [{name: 'smoke-test.sh', text: smokeTest(startable)}]
  if (benchmark !== undefined) {
    list.push({
      name: 'benchmark.sh',
      text: `#!/bin/sh\n# ${engine.title}'s own benchmark at the planned load; run it where ${engine.title} is installed, in the container for one.\nset -eu\n${benchmark}`,
    })
  }
  list.push({name: 'NOTES.md', text: notes(startable, format, benchmark !== undefined)})
  return list
}

/** The Service that answers, where there is one. */
const SERVICES: Record<string, (name: string) => string> = {kubernetes: (name) => name, leaderworkerset: leaderService}

function notes({engine, name, port}: Startable, format: string, hasBenchmark: boolean): string {
  const lines = ['1. Start it: the first lines of each file say how where it is not plain.']
  const service = SERVICES[format]?.(name)
  if (service !== undefined) lines.push(`2. Reach it: \`kubectl port-forward service/${service} ${port}:${port}\``)
  lines.push(`${lines.length + 1}. \`sh smoke-test.sh\` answers once the model is loaded.`)
  if (hasBenchmark)
    lines.push(
      `${lines.length + 1}. \`sh benchmark.sh 2>&1 | tee benchmark.log\` measures the planned load; keep the log of the server too: \`servefit verify\` reads both.`,
    )
  return `# Running ${name} on ${engine.title} ${engine.version}\n\n${lines.join('\n')}\n`
}
