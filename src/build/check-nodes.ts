import {execFileSync, spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Task} from './task.ts'

/** Releases of Node that the package is for (`engines` of package.json: 20 and later), of those that are maintained. */
const RELEASES = ['20', '22', '24']

/** What is asked, with the exit code of its answer. */
const ASKED: [number, string[]][] = [
  [0, ['check', 'qwen3-32b', '--gpu', '2xrtx-4090']],
  [2, ['check', 'qwen3-33b', '--gpu', '2xrtx-4090']],
  [0, ['plan', 'qwen3-8b', '--gpu', '1xrtx-4090']],
  [0, ['config', 'qwen3-8b', '--gpu', '1xrtx-4090', '--format', 'compose']],
  [0, ['capacity', '--model', 'qwen3-8b', '--users', '20', '--gpu', '1xrtx-4090']],
  [1, ['batch', 'scenarios.jsonl']],
  [0, ['models', 'coding']],
  [0, ['schema', 'result']],
  [0, ['completion', 'bash']],
  [0, ['__complete', 'bash', '2', 'servefit', 'check', 'qwen3-32']],
  [0, ['detect']],
  [0, ['help', 'check']],
]

/** Figures of JSON differ in their last digits from Node to Node, and a machine's free memory from moment to moment. */
const DIFFER = ['batch', 'detect']

const LIBRARY = `import {check, InputError} from 'servefit'
const {verdict} = await check({model: 'qwen3-32b', gpu: '2xrtx-4090'})
const wrong = await check({model: 'qwen3-33b', gpu: '2xrtx-4090'}).catch((error) => error)
if (verdict !== 'fits' || !(wrong instanceof InputError)) throw new Error('the library answers ' + verdict + ' and ' + wrong)
`

const MCP = `${[
  {id: 1, method: 'initialize', params: {protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {name: 'check', version: '1'}}},
  {method: 'notifications/initialized'},
  {id: 2, method: 'tools/call', params: {name: 'check', arguments: {model: 'qwen3-32b', gpu: '2xrtx-4090'}}},
]
  .map((message) => JSON.stringify({jsonrpc: '2.0', ...message}))
  .join('\n')}\n`

/**
 * Installs the packed package and asks it under each release of Node, which comes from the package index: exit codes, no warning of Node's own, and the same
 * words from all. Without an index there is nothing to try, which one line says.
 */
export async function main({root}: Task): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-nodes-'))
  try {
    const [{filename}] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {cwd: root, encoding: 'utf8'}),
    ) as [{filename: string}]
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    if (!installed(folder, join(folder, filename))) return skipped()
    writeFileSync(join(folder, 'scenarios.jsonl'), '{"model": "qwen3-32b", "gpu": "2xrtx-4090"}\n{"model": "qwen3-33b", "gpu": "2xrtx-4090"}\n')
    writeFileSync(join(folder, 'library.mjs'), LIBRARY)
    const problems: string[] = []
    const words = new Map<string, string>()
    const told: string[] = []
    for (const release of RELEASES) {
      const place = join(folder, `node-${release}`)
      mkdirSync(place)
      // The binary itself: the package of the name node gets it by a script.
      const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
      const node = join(place, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
      if (!installed(place, `${name}@${release}`) || !existsSync(node)) return skipped()
      const run = (args: string[], input = '') =>
        spawnSync(node, ['--pending-deprecation', ...args], {
          encoding: 'utf8',
          cwd: folder,
          input,
          env: {PATH: process.env.PATH, HOME: folder, HF_HUB_OFFLINE: '1', NO_COLOR: '1'},
        })
      const program = join(folder, 'node_modules', 'servefit', 'bin', 'run.js')
      for (const [code, asked] of ASKED) {
        const {status, stdout, stderr} = run([program, ...asked])
        const title = `servefit ${asked.join(' ')}`
        if (status !== code) problems.push(`Node ${release}: ${title} exits with ${status} instead of ${code}: ${stderr.slice(0, 500)}`)
        if (/Warning:|\bat .*:\d+:\d+/.test(stderr)) problems.push(`Node ${release}: ${title} warns: ${stderr.slice(0, 500)}`)
        const first = words.get(title)
        words.set(title, first ?? stdout)
        if (!DIFFER.includes(asked[0]!) && first !== undefined && first !== stdout)
          problems.push(`Node ${release}: ${title} prints other words than Node ${RELEASES[0]}`)
      }
      const library = run(['library.mjs'])
      if (library.status !== 0) problems.push(`Node ${release}: the library fails: ${library.stderr.slice(0, 500)}`)
      const mcp = run([program, 'mcp', '--offline'], MCP)
      if (mcp.status !== 0 || !mcp.stdout.includes('"verdict":"fits"'))
        problems.push(`Node ${release}: mcp answers ${mcp.stdout.slice(0, 200)} ${mcp.stderr.slice(0, 300)}`)
      told.push(run(['--version']).stdout.trim())
    }
    for (const problem of problems) console.error(`nodes: ${problem}`)
    if (problems.length === 0)
      console.log(`nodes: the packed package runs on ${told.join(', ')}: ${ASKED.length} commands with the same words, the library, mcp`)
    return problems.length > 0 ? 1 : 0
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

const installed = (folder: string, what: string): boolean =>
  spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', '--prefix', folder, what], {cwd: folder, stdio: 'ignore'}).status ===
  0

function skipped(): number {
  console.log('nodes: skipped, the package index cannot be reached, or has no Node for this machine')
  return 0
}
