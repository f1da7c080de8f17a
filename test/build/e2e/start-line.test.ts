import {describe, expect, it} from 'vitest'
import {unitWords, withoutContainer} from '../../../src/build/e2e/start-line.ts'

const UNIT = `[Service]
ExecStartPre=-docker rm --force tiny
ExecStart=docker run --rm \\
  --env HF_TOKEN \\
  --entrypoint vllm \\
  vllm/vllm-openai-cpu:v0.32.0-x86_64 serve /models/tiny \\
  --speculative-config "{\\"method\\":\\"ngram\\"}" \\
  --served-model-name "50%% for $$5\\x09a"
Restart=on-failure
`

describe('the start line of a unit', () => {
  it('is taken apart as systemd does: lines continued, escapes read, per cent and dollar signs single', () => {
    expect(unitWords(UNIT).slice(0, 3)).toEqual(['docker', 'run', '--rm'])
    expect(unitWords(UNIT).slice(-3)).toEqual(['{"method":"ngram"}', '--served-model-name', '50% for $5\ta'])
  })

  it('is run without its container from the entry point and what stands behind the image', () => {
    expect(withoutContainer(unitWords(UNIT), /^vllm\//).slice(0, 3)).toEqual(['vllm', 'serve', '/models/tiny'])
    expect(() => withoutContainer(['docker', 'run', 'other'], /^vllm\//)).toThrow('no image')
  })
})
