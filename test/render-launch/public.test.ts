import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parseAllDocuments} from 'yaml'
import {describe, expect, it} from 'vitest'
import {benchmarkCommand} from '../../src/render/launch/benchmark.ts'
import {extras} from '../../src/render/launch/extras.ts'
import {joinArtifacts, writeFormat} from '../../src/render/launch/formats.ts'
import {withKey} from '../../src/render/launch/key.ts'
import type {Startable} from '../../src/render/launch/startable.ts'
import {type Given, startable, TWO_NODES} from './startables.ts'

/** Open to others, as `--public` makes it. */
function open(given: Given = {}): Startable {
  const start = startable(given)
  return {...start, isPublic: true, launch: withKey(start.launch, start.engine)}
}

const textOf = (format: string, start: Startable): string => joinArtifacts(writeFormat(format, start))

/** Runs a script with programs that print their words, or that do what they are told here. */
function run(script: string, programs: Record<string, string>, variables: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-run-'))
  try {
    const stubs = Object.entries(programs)
      .map(([name, body]) => `${name}() { ${body}; }\n`)
      .join('')
    const {status, stdout, stderr} = spawnSync('sh', ['-c', stubs + script], {cwd: folder, encoding: 'utf8', env: {PATH: process.env.PATH, ...variables}})
    const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
    return {status, stdout, stderr, files}
  } finally {
    rmSync(folder, {recursive: true})
  }
}

const WORDS = `printf '%s\\n' "$@"`

describe('by default nobody but this machine reaches a server', () => {
  it.each([
    ['vllm', 'command', /--host 127\.0\.0\.1\n$/],
    ['vllm', 'slurm', /--host 127\.0\.0\.1 \\\n {2}--shutdown-timeout 60\n$/],
    ['vllm', 'docker', /--publish 127\.0\.0\.1:8000:8000 /],
    ['vllm', 'compose', /ports: \["127\.0\.0\.1:8000:8000"\]/],
    ['vllm', 'systemd', /--publish 127\.0\.0\.1:8000:8000 /],
    ['sglang', 'docker', /--publish 127\.0\.0\.1:30000:30000 /],
    ['trtllm', 'docker', /--publish 127\.0\.0\.1:8000:8000 /],
  ] as const)('%s as %s', (engine, format, expected) => {
    expect(textOf(format, startable({engine}))).toMatch(expected)
  })

  it('what listens there by itself is told nothing', () => {
    for (const engine of ['sglang', 'trtllm'] as const) expect(textOf('command', startable({engine}))).not.toContain('--host')
  })

  it('an address that was set by hand stays', () => {
    const start = startable()
    const launch = {...start.launch, flags: [...start.launch.flags, {flag: '--host', value: '192.0.2.7', because: 'set by hand'}]}
    expect(textOf('command', {...start, launch}).match(/--host \S+/g)).toEqual(['--host 192.0.2.7'])
  })

  it('over nodes on the network of their machines too', () => {
    const [first] = writeFormat('docker', startable({nodes: TWO_NODES}))
    expect(first!.text).toContain('--host 127.0.0.1')
  })
})

describe('a public server', () => {
  it.each([
    ['vllm', 'VLLM_API_KEY'],
    ['sglang', 'SGLANG_API_KEY'],
  ] as const)('%s is not started without a key, in a shell or by docker', (engine, variable) => {
    for (const format of ['command', 'docker']) {
      const text = textOf(format, open({engine, setting: 'x'}))
      const programs = {vllm: WORDS, sglang: WORDS, docker: WORDS}
      const without = run(text, programs)
      expect(without.status).not.toBe(0)
      expect(without.stdout).toBe('')
      expect(without.stderr).toContain(`${variable}: no API key`)
      const {status, stdout} = run(text, programs, {[variable]: 'one two'})
      expect(status).toBe(0)
      // vLLM reads its variable; SGLang is given the key as one word.
      if (engine === 'sglang') expect(stdout).toMatch(/\n--api-key\none two\n/)
      else expect(stdout).not.toContain('one two')
      expect(text).not.toContain('one two')
    }
  })

  it('takes the key from a Secret in Kubernetes', () => {
    for (const [engine, variable] of [
      ['vllm', 'VLLM_API_KEY'],
      ['sglang', 'SGLANG_API_KEY'],
    ] as const) {
      const documents = parseAllDocuments(textOf('kubernetes', open({engine}))).map((document) => document.toJS())
      const {containers} = documents.find(({kind}) => kind === 'Deployment').spec.template.spec
      expect(containers[0].env).toContainEqual({name: variable, valueFrom: {secretKeyRef: {name: 'qwen3-32b-api-key', key: variable}}})
      if (engine === 'sglang') expect(containers[0].args.slice(-2)).toEqual(['--api-key', '$(SGLANG_API_KEY)'])
      expect(documents.find(({kind}) => kind === 'Service').spec.type).toBe('LoadBalancer')
    }
  })

  it('has Compose and systemd refuse where the key is missing', () => {
    expect(textOf('compose', open())).toContain('"VLLM_API_KEY=${VLLM_API_KEY:?no API key}"')
    expect(textOf('compose', open({engine: 'sglang'}))).toContain('"${SGLANG_API_KEY:?no API key}"')
    expect(textOf('systemd', startable())).toContain('EnvironmentFile=-/etc/')
    expect(textOf('systemd', open())).toContain('EnvironmentFile=/etc/')
    expect(textOf('systemd', open({engine: 'sglang'}))).toContain('--api-key ${SGLANG_API_KEY}')
  })

  it('asks only where requests come in: followers need no key', () => {
    const [first, second] = writeFormat('command', open({nodes: TWO_NODES}))
    expect(first!.text).toContain('VLLM_API_KEY')
    expect(second!.text).not.toContain('VLLM_API_KEY')
    expect(writeFormat('ray', open({nodes: TWO_NODES})).map(({text}) => text.includes('VLLM_API_KEY'))).toEqual([true, false])
  })

  it('is refused where no key is asked for, or where the front end is another', () => {
    expect(() => open({engine: 'trtllm'})).toThrow(/TensorRT-LLM cannot ask for an API key/)
    expect(() => textOf('dynamo', open())).toThrow(/leave --public out/)
  })

  it('is asked with the key by the files beside it', () => {
    for (const {name, text} of extras(open(), 'docker')) expect(`${name} ${text}`).toContain('VLLM_API_KEY')
  })
})

describe('several files on one stream', () => {
  it('are written by a script, each as it is', () => {
    const files = writeFormat('systemd', startable({engine: 'trtllm', file: {print_iter_log: true, a: {b: 'END_OF_FILE'}}}))
    expect(files.map(({name}) => name)).toEqual(['qwen3-32b.service', 'qwen3-32b.yaml'])
    const {status, stdout, stderr, files: written} = run(joinArtifacts(files), {})
    expect({status, stdout, stderr}).toEqual({status: 0, stdout: '', stderr: ''})
    expect(written).toEqual(Object.fromEntries(files.map(({name, text}) => [name, text])))
  })
})

describe('smoke-test.sh', () => {
  const smoke = extras(startable(), 'command').find(({name}) => name === 'smoke-test.sh')!.text
  // The first two looks find nobody.
  const curl = `n=$(($(wc -l < looks 2> /dev/null || echo 0) + 1)); echo look >> looks; [ $n -gt 2 ] && echo "asked $n"`

  it('waits until the server is there', () => {
    const {status, stdout} = run(smoke, {curl, sleep: ':'})
    expect({status, stdout}).toEqual({status: 0, stdout: 'asked 3\nasked 4\n\n'})
  })

  it('gives up after what it was told', () => {
    const {status, stderr} = run(smoke, {curl: 'false', sleep: ':'}, {WAIT_SECONDS: '0'})
    expect(status).toBe(1)
    expect(stderr).toBe("no answer from http://127.0.0.1:8000/health in 0 seconds: the server's log says why\n")
  })

  it('gives a large model longer: 65 GB at 100 MB/s are 650 s and at 500 MB/s 130 s, beside half an hour', () => {
    expect(smoke).toContain('limit=${WAIT_SECONDS:-2580}')
  })
})

describe('benchmark.sh', () => {
  it("writes the client's result to a file that verify reads", () => {
    expect(benchmarkCommand(startable())).toContain('--save-result \\\n  --result-filename benchmark.json')
    expect(benchmarkCommand(startable({engine: 'trtllm'}))).toContain('--save-result \\\n  --result-filename benchmark.json')
    // Its client adds to what is there.
    expect(benchmarkCommand(startable({engine: 'sglang'}))).toMatch(/^rm -f benchmark\.jsonl\n[\s\S]*--output-file benchmark\.jsonl/)
  })
})
