import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Task} from './task.ts'

const RUNS = 9

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!

/**
 * Builds the wheel, installs it in a fresh environment and asks it a question with no Node on the PATH. Without Python or its package index there is nothing
 * to try, which one line says. Start-up is told beside that of the plain command.
 */
export async function main({root}: Task): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-wheel-'))
  const run = (command: string, args: string[], env: NodeJS.ProcessEnv = process.env) => spawnSync(command, args, {encoding: 'utf8', env, cwd: folder})
  try {
    const python = run('python3', ['-c', 'import venv, ensurepip, sys; print(sys.executable)'])
    if (python.status !== 0) return skipped('there is no python3 with venv')
    const interpreter = python.stdout.trim()
    const reachable = run(interpreter, [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--no-deps',
      '--timeout',
      '10',
      '--retries',
      '1',
      '--dest',
      join(folder, 'index'),
      'hatchling',
    ])
    if (reachable.status !== 0) return skipped('the package index cannot be reached')
    const wheels = join(folder, 'wheels')
    const built = run(interpreter, ['-m', 'pip', 'wheel', '--quiet', '--disable-pip-version-check', '--no-deps', '--wheel-dir', wheels, join(root, 'python')])
    if (built.status !== 0) return failed(`it cannot be built: ${built.stderr}`)
    const names = run(interpreter, ['-m', 'zipfile', '--list', join(wheels, readdirSync(wheels)[0]!)]).stdout
    for (const path of ['dist/main.js', 'dist/start.cjs', 'dist/data/models.json', 'dist/web/index.html', 'oclif.manifest.json', 'LICENSE'])
      if (!names.includes(`servefit/package/${path} `)) return failed(`${path} is missing in it`)
    for (const path of ['dist/library/', 'dist/start.cache']) if (names.includes(`servefit/package/${path}`)) return failed(`${path} does not belong in it`)
    run(interpreter, ['-m', 'venv', join(folder, 'environment')])
    const bin = join(folder, 'environment', 'bin')
    const installed = run(join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', join(wheels, readdirSync(wheels)[0]!)])
    if (installed.status !== 0) return failed(`it cannot be installed: ${installed.stderr}`)
    // Python and nothing else: a Node of this machine must not come to its help.
    const path = join(folder, 'path')
    mkdirSync(path)
    symlinkSync(join(bin, 'python'), join(path, 'python'))
    const env = {PATH: path, HOME: folder, HF_HUB_OFFLINE: '1', NO_COLOR: '1'}
    const question = ['check', 'qwen3-32b', '--gpu', '2xrtx-4090']
    const {status, stdout, stderr} = run(join(bin, 'servefit'), question, env)
    if (status !== 0 || !/^Qwen3 32B on 2 x RTX 4090/.test(stdout)) return failed(`servefit ${question.join(' ')} exits with ${status}: ${stderr}${stdout}`)
    const plain = run(process.execPath, [join(root, 'bin', 'run.js'), ...question], {...env, PATH: process.env.PATH})
    if (plain.stdout !== stdout) return failed('it does not print what the plain command prints')
    const wrong = run(join(bin, 'python'), ['-m', 'servefit', 'check', 'qwen3-33b', '--gpu', '2xrtx-4090'], env)
    if (wrong.status !== 2) return failed(`an unknown model exits with ${wrong.status} instead of 2`)
    console.log(`wheel: installs and answers without Node on the PATH; ${startup(root, bin, env, question)}`)
    return 0
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** Start-up of the installed program beside the plain one, in turn. */
function startup(root: string, bin: string, env: NodeJS.ProcessEnv, question: string[]): string {
  const [own, plain]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    own.push(milliseconds(() => spawnSync(join(bin, 'servefit'), question, {env})))
    plain.push(milliseconds(() => spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...question], {env})))
  }
  return `${median(own).toFixed(0)} ms, the plain command ${median(plain).toFixed(0)} ms`
}

function milliseconds(work: () => unknown): number {
  const started = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - started) / 1e6
}

function skipped(why: string): number {
  console.log(`wheel: skipped, ${why}`)
  return 0
}

function failed(why: string): number {
  console.error(`wheel: ${why}`)
  return 1
}
