import {spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'

const bin = join(import.meta.dirname, '..', '..', 'bin', 'run.js')

/** The bundled command, as a person runs it. */
function servefit(...words: string[]): {status: number | null; stdout: string; stderr: string} {
  const {status, stdout, stderr} = spawnSync(process.execPath, [bin, ...words], {encoding: 'utf8', env: {...process.env, HF_TOKEN: 'hf_secret', NO_COLOR: '1'}})
  return {status, stdout, stderr}
}

const asked = ['config', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--max-model-len', '8192']

describe('servefit config', () => {
  it('prints the artifact and nothing else', () => {
    const {status, stdout, stderr} = servefit(...asked, '--set', 'seed=7', '--set', 'served-model-name=my model')
    expect({status, stderr}).toEqual({status: 0, stderr: ''})
    expect(stdout).toMatch(/^vllm serve Qwen\/Qwen3-8B \\\n/)
    expect(stdout).toMatch(/--seed 7 \\\n {2}--served-model-name 'my model' \\\n {2}--host 127\.0\.0\.1\n$/)
  })

  it('says which options and formats there are, with exit code 2', () => {
    const unknown = servefit(...asked, '--set', 'max-num-seq=4')
    expect(unknown).toMatchObject({status: 2, stdout: ''})
    expect(unknown.stderr).toContain('Did you mean --max-num-seqs or --max-num-active-seqs?')
    const json = servefit(...asked, '--format', 'kubernets', '--json')
    expect(json.status).toBe(2)
    expect(JSON.parse(json.stdout)).toMatchObject({error: {code: 'FORMAT_UNKNOWN', suggestions: ['kubernetes']}})
    expect(servefit(...asked, '--format', 'leaderworkerset').stderr).toContain('--format kubernetes')
  })

  it('writes files, with the first request and the benchmark beside them, and no secret', () => {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-config-'))
    try {
      const out = join(folder, 'out')
      const {status, stdout, stderr} = servefit(...asked, '--format', 'compose', '--users', '8', '--out', out)
      expect({status, stdout}).toEqual({status: 0, stdout: ''})
      expect(stderr).toContain(`wrote ${join(out, 'compose.yaml')}\n`)
      expect(readdirSync(out).sort()).toEqual(['NOTES.md', 'benchmark.sh', 'compose.yaml', 'smoke-test.sh'])
      expect(readFileSync(join(out, 'benchmark.sh'), 'utf8')).toContain('--max-concurrency 8')
      for (const name of readdirSync(out)) expect(readFileSync(join(out, name), 'utf8')).not.toContain('hf_secret')
      expect(servefit(...asked, '--format', 'compose', '--out', out)).toMatchObject({status: 2, stdout: ''})
      expect(servefit(...asked, '--format', 'compose', '--out', out, '--force').status).toBe(0)
    } finally {
      rmSync(folder, {recursive: true})
    }
  })

  it("offers the model's own draft layers where they pay, and does not take them by itself", () => {
    const mtp = ['config', 'qwen3.6-35b-a3b', '--gpu', '1xh100-sxm', '--users', '4']
    const offered = servefit(...mtp)
    expect(offered.stderr).toMatch(/^servefit: --speculative mtp:\d would bring \d+% more throughput at this load/)
    expect(offered.stdout).not.toContain('speculative')
    const taken = servefit(...mtp, '--speculative', 'mtp:1')
    expect(taken.stderr).toBe('')
    expect(taken.stdout).toContain('--speculative-config')
    // A model without such layers is offered none.
    expect(servefit(...asked, '--users', '4').stderr).toBe('')
  })

  it('starts nothing of a release that cannot exist, and tells of one that is not known', () => {
    const far = servefit(...asked, '--engine-version', '9.9.9')
    expect(far).toMatchObject({status: 2, stdout: ''})
    expect(far.stderr).toMatch(/^servefit: No release 9\.9\.9 of vLLM: [\d.]+ is the newest known\n/)
    const json = servefit(...asked, '--engine-version', '9.9.9', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: {code: 'ENGINE_VERSION_UNKNOWN', suggestions: [expect.any(String), expect.any(String), expect.any(String)]},
    })
    const never = servefit(...asked, '--engine-version', '0.28.9')
    expect(never.status).toBe(0)
    expect(never.stderr).toContain('no release 0.28.9 of vLLM is known')
  })

  it('with --json gives every file', () => {
    const {stdout} = servefit(...asked, '--engine', 'trtllm', '--format', 'systemd', '--json')
    expect(JSON.parse(stdout).artifact).toMatchObject({format: 'systemd', files: [{name: 'qwen3-8b.service'}]})
  })
})

describe('servefit engines', () => {
  it('lists engines with their images', () => {
    const {engines} = JSON.parse(servefit('engines', '--json').stdout)
    expect(engines.map(({id}: {id: string}) => id)).toEqual(['vllm', 'sglang', 'trtllm'])
    expect(engines[0]).toMatchObject({
      newestVersion: expect.any(String),
      docsUrl: expect.stringMatching(/^https:/),
      images: expect.arrayContaining([expect.objectContaining({vendor: 'nvidia'})]),
    })
  })

  it('says what each loads, and why not', () => {
    const {stdout} = servefit('engines', 'support', 'openai/gpt-oss-20b', '--json')
    const cell = (engine: string, gpu: string) =>
      JSON.parse(stdout).support.find((one: {engine: string; gpu: string}) => one.engine === engine && one.gpu === gpu)
    expect(cell('vllm', 'a100-80gb-sxm')).toMatchObject({weights: 'mxfp4', status: 'weight-only', reasons: []})
    expect(cell('vllm', 'b200-sxm').status).toBe('native')
    expect(cell('trtllm', 'a100-80gb-sxm')).toMatchObject({status: 'refused', reasons: [{code: 'quantization-unsupported'}]})
    expect(cell('trtllm', 'mi300x').status).toBe('refused')
    const text = servefit('engines', 'support', 'openai/gpt-oss-20b').stdout
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).toContain('Why not')
  })
})
