import {describe, expect, test} from 'vitest'
import {nvidiaProblemOf, parseNvidiaFailure} from '../../src/detect/nvidia-failures.ts'
import {ended, fixture} from './support/fakes.ts'

const host = {container: false, wsl: false}
const container = {container: true, wsl: false}
const wsl = {container: false, wsl: true}

describe('what nvidia-smi says when it fails', () => {
  test.each([
    ['nvidia-fail-device-handle-unknown.txt', host, 'gpu-lost', '0000:09:00.0'],
    ['nvidia-fail-gpu-lost.txt', host, 'gpu-lost', '0000:02:00.0'],
    ['nvidia-fail-driver-comm.txt', host, 'driver-not-loaded', 'kernel module is not loaded'],
    ['nvidia-fail-wsl-driver-not-loaded.txt', wsl, 'driver-not-loaded', 'driver of Windows'],
    ['nvidia-fail-version-mismatch.txt', host, 'driver-mismatch', '535.247'],
    ['nvidia-fail-version-mismatch-short.txt', host, 'driver-mismatch', 'different versions'],
    ['nvidia-fail-no-devices.txt', host, 'no-devices', 'finds no GPU'],
  ])('%s', (name, place, code, words) => {
    const problems = parseNvidiaFailure(fixture(name), place)
    expect(problems.map((problem) => problem.code)).toEqual([code])
    expect(problems[0]?.message).toContain(words)
    expect(problems[0]?.remedy.length).toBeGreaterThan(20)
  })

  test('an address glued to the word GPU', () => {
    expect(parseNvidiaFailure('Unable to determine the device handle for GPU0000:09:00.0: Unknown Error', host)[0]?.message).toContain('0000:09:00.0')
  })

  test.each([
    ['Failed to initialize NVML: Unknown Error', container, 'container-lost-gpus'],
    ['Failed to initialize NVML: Unknown Error', host, 'unreadable-output'],
    ['Failed to initialize NVML: Insufficient Permissions', host, 'no-permission'],
    ["NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.", container, 'driver-library-missing'],
  ])('%s', (text, place, code) => expect(parseNvidiaFailure(text, place)[0]?.code).toBe(code))

  test('advice fits the place', () => {
    expect(parseNvidiaFailure(fixture('nvidia-fail-no-devices.txt'), container)[0]?.remedy).toContain('--gpus all')
    expect(parseNvidiaFailure(fixture('nvidia-fail-driver-comm.txt'), wsl)[0]?.remedy).toContain('wsl --shutdown')
    expect(parseNvidiaFailure(fixture('nvidia-fail-driver-comm.txt'), host)[0]?.remedy).toContain('modprobe')
  })

  test('nothing in good output', () => expect(parseNvidiaFailure(fixture('nvidia-q-x-rtx-3060.xml'), host)).toEqual([]))
})

describe('a run without devices', () => {
  test.each([
    [{kind: 'missing'} as const, undefined],
    [{kind: 'no-permission'} as const, 'no-permission'],
    [{kind: 'failed', message: 'EMFILE'} as const, 'unreadable-output'],
    [{kind: 'timeout', stdout: '', stderr: ''} as const, 'tool-timeout'],
    [ended('', 255), 'unreadable-output'],
    [ended('', 9), 'driver-not-loaded'],
    [ended('', 15), 'gpu-lost'],
    [ended('', 0, 'Failed to initialize NVML: Driver/library version mismatch'), 'driver-mismatch'],
  ])('%o', (outcome, code) => expect(nvidiaProblemOf(outcome, host, 1000)[0]?.code).toBe(code))

  test('garbage is quoted short, without identities and control characters', () => {
    const [problem] = nvidiaProblemOf(ended(`\u001b[31mGPU-01234567-89ab-cdef-0123-456789abcdef\u0007 ${'x'.repeat(500)}`), host, 1000)
    expect(problem?.message).toContain('"(id) xxx')
    expect(problem?.message.length).toBeLessThan(200)
  })
})
