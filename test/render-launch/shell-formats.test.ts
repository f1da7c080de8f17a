import {execFileSync} from 'node:child_process'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {formatOf} from '../../src/render/launch/formats.ts'
import {extras} from '../../src/render/launch/extras.ts'
import {localPath, type Startable} from '../../src/render/launch/startable.ts'
import {anyFolder, anyStart, anyText} from './any-text.ts'
import {expectedWords, startable, TWO_NODES} from './startables.ts'

/** Runs a script in an empty folder with programs replaced by one that prints its words, each ended by NUL. */
function run(shell: 'sh' | 'bash', script: string, programs: string[], variables: Record<string, string> = {}): string[] {
  const stubs = programs.map((name) => `${name}() { printf '%s\\0' "$SERVEFIT_TEST" "$@"; }\n`).join('')
  const prelude = `set -eu\nSERVEFIT_TEST=\ncat() { command cat > /dev/null; }\ncd "$(mktemp -d)"\n${stubs}`
  const text = execFileSync(shell, ['-c', prelude + script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {PATH: process.env.PATH, HOME: '/home/somebody', ...variables},
  })
  return text.split('\0').slice(0, -1)
}

const write = (format: string, given: Startable): string[] =>
  formatOf(format)
    .write(given)
    .map(({text}) => text)
const RUNS = {numRuns: 25}

describe('commands for a shell', () => {
  it('command: program, flags and environment arrive as they are', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable(given)
        expect(run('sh', write('command', start)[0]!, ['vllm'])).toEqual([given.setting, ...expectedWords(start).slice(1)])
      }),
      RUNS,
    )
  })

  it('command over nodes: rank and address are added, nothing else changes', () => {
    fc.assert(
      fc.property(anyStart, anyText, (given, address) => {
        fc.pre(address !== '')
        const start = startable({...given, engine: 'sglang', nodes: TWO_NODES})
        const [first, second] = write('command', start)
        const own = expectedWords(start).slice(1)
        expect(run('sh', first!, ['sglang'], {HEAD_ADDRESS: address})).toEqual([
          given.setting,
          ...own,
          '--nnodes',
          '2',
          '--node-rank',
          '0',
          '--dist-init-addr',
          `${address}:20000`,
        ])
        expect(run('sh', second!, ['sglang'], {HEAD_ADDRESS: address})).toEqual([
          given.setting,
          ...own,
          '--nnodes',
          '2',
          '--node-rank',
          '1',
          '--dist-init-addr',
          `${address}:20000`,
          '--start',
          '8',
        ])
      }),
      RUNS,
    )
  })

  it("docker: the words behind the image are the engine's, environment and folder are whole", () => {
    fc.assert(
      fc.property(anyStart, anyFolder, (given, model) => {
        const start = startable({...given, model})
        const words = run('sh', write('docker', start)[0]!, ['docker'])
        const image = words.indexOf(start.image!)
        expect(words.slice(image + 1)).toEqual(expectedWords(start).slice(1))
        expect(words.slice(0, image)).toContain(`SERVEFIT_TEST=${given.setting}`)
        expect(csvFields(words[words.indexOf('--mount') + 1]!)).toEqual(['type=bind', `source=${model}`, `target=${model}`, 'readonly'])
      }),
      RUNS,
    )
  })

  it('slurm: the function that every node runs holds the same words', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({...given, nodes: TWO_NODES})
        // srun runs its command here, with the program found on the path replaced through env -i's absence: a function cannot be exec'd.
        const script = write('slurm', start)[0]!.replaceAll('exec vllm', 'vllm')
        const words = run('bash', `scontrol() { echo node-a; }\nsrun() { SLURM_NODEID=1; shift 2; "$@"; }\n${script}`, ['vllm'], {
          SLURM_JOB_NODELIST: 'node-[a,b]',
        })
        expect(words).toEqual([
          given.setting,
          ...expectedWords(start).slice(1),
          '--nnodes',
          '2',
          '--node-rank',
          '1',
          '--dist-init-addr',
          'node-a:20000',
          '--start',
          '8',
        ])
      }),
      RUNS,
    )
  })

  it('ray: the head serves, with the executor that Ray needs', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({...given, nodes: TWO_NODES})
        const [head, worker] = write('ray', start)
        const words = run('sh', `ray() { :; }\n${head}`, ['vllm'], {HEAD_ADDRESS: '10.0.0.1'})
        expect(words).toEqual([given.setting, ...expectedWords(start).slice(1), '--distributed-executor-backend', 'ray'])
        expect(run('sh', worker!, ['ray'], {HEAD_ADDRESS: '10.0.0.1', NODE_ADDRESS: '10.0.0.2'}).slice(0, 3)).toEqual([
          given.setting,
          'start',
          '--address=10.0.0.1:6379',
        ])
      }),
      RUNS,
    )
  })

  it('mpirun: every rank is started through the wrapper', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable({
          ...given,
          engine: 'trtllm',
          nodes: {count: 2, gpusPerNode: 8, mpi: {wrapper: 'trtllm-llmapi-launch'}},
          file: {enable_attention_dp: true},
        })
        const words = run('sh', write('command', start)[0]!, ['mpirun'])
        expect(words).toEqual([
          '',
          '-np',
          '16',
          '--hostfile',
          'hosts',
          '--allow-run-as-root',
          'env',
          `SERVEFIT_TEST=${given.setting}`,
          'trtllm-llmapi-launch',
          ...expectedWords(start),
          '--config',
          'servefit-trtllm.yaml',
        ])
      }),
      RUNS,
    )
  })

  it('the first request and the benchmark name the model whole', () => {
    fc.assert(
      fc.property(anyStart, (given) => {
        const start = startable(given)
        const files = new Map(extras(start, 'command').map(({name, text}) => [name, text]))
        const words = run('sh', files.get('smoke-test.sh')!, ['curl'])
        expect(JSON.parse(words[words.indexOf('--data') + 1]!).model).toBe(start.servedName)
        const measured = run('sh', files.get('benchmark.sh')!, ['vllm'])
        expect(measured.join(' ')).toContain(start.model.startsWith('-') ? `--model=${start.model}` : `--model ${start.model}`)
      }),
      RUNS,
    )
  })

  it('a path that a container cannot see is refused', () => {
    for (const model of ['./model', '../model', '~/model', '-model']) {
      expect(localPath(startable({model}).model)).toBe('relative')
      for (const format of ['docker', 'compose', 'kubernetes', 'systemd']) expect(() => write(format, startable({model})), format).toThrow(/relative path/)
    }
  })
})

/** Fields of a line of comma-separated values, as Go's encoding/csv reads it. */
function csvFields(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
  )
}
