import {readFileSync} from 'node:fs'
import type {Accelerator} from '../../../src/core/accelerator.ts'
import type {DetectionEffects, Exec, ExecOutcome, FindGpu} from '../../../src/detect/probe.ts'

export const MiB = 1024 ** 2

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/detect/${name}`, import.meta.url), 'utf8')
}

export function ended(stdout: string, exitCode = 0, stderr = ''): ExecOutcome {
  return {kind: 'ended', exitCode, stdout, stderr}
}

/** Answers by the start of the command line; any other program is not installed. */
export function fakeExec(answers: Record<string, ExecOutcome | Promise<ExecOutcome>>): Exec & {calls: string[]} {
  const calls: string[] = []
  const exec = async (command: string, args: string[]): Promise<ExecOutcome> => {
    const line = [command, ...args].join(' ')
    calls.push(line)
    const match = Object.keys(answers)
      .filter((start) => line.startsWith(start))
      .sort((a, b) => b.length - a.length)[0]
    return (match !== undefined ? await answers[match] : undefined) ?? {kind: 'missing'}
  }
  return Object.assign(exec, {calls})
}

/** A Linux machine made of files, tools and a catalogue. Directories follow from the files. */
export function fakeMachine({
  exec = fakeExec({}),
  files = {},
  env = {},
  findGpu = fakeCatalogue,
  disks = {},
  ...rest
}: Partial<DetectionEffects> & {
  files?: Record<string, string>
  disks?: Record<string, {totalBytes: number; freeBytes: number}>
} = {}): DetectionEffects {
  return {
    exec,
    env,
    findGpu,
    readFile: async (path) => files[path],
    exists: async (path) => path in files,
    listDirectory: async (path) => {
      const names = Object.keys(files)
        .filter((file) => file.startsWith(`${path}/`))
        .map((file) => file.slice(path.length + 1).split('/')[0] ?? '')
      return names.length > 0 ? [...new Set(names)] : undefined
    },
    diskSpace: async (path) => disks[path],
    system: {platform: 'linux', architecture: 'x64', hostname: 'rig'},
    ...rest,
  }
}

export function card(fields: Partial<Accelerator> & {id: string; name: string; memoryBytes: number}): Accelerator {
  return {vendor: 'nvidia', aliases: [fields.name], denseOperationsPerSecond: {}, native: ['fp16'], ...fields}
}

export const CARDS: Accelerator[] = [
  card({
    id: 'rtx-3090',
    name: 'NVIDIA GeForce RTX 3090',
    memoryBytes: 24576 * MiB,
    memoryBandwidthBytesPerSecond: 936e9,
    computeCapability: 8.6,
    scaleUp: {kind: 'NVLink', bytesPerSecondPerDirection: 56.25e9},
  }),
  card({
    id: 'rtx-5090',
    name: 'NVIDIA GeForce RTX 5090',
    memoryBytes: 32607 * MiB,
    memoryBandwidthBytesPerSecond: 1792e9,
    computeCapability: 12,
  }),
  card({
    id: 'rtx-4080-super',
    name: 'NVIDIA GeForce RTX 4080 SUPER',
    memoryBytes: 16376 * MiB,
    memoryBandwidthBytesPerSecond: 736e9,
    computeCapability: 8.9,
  }),
  card({
    id: 'h100-sxm',
    name: 'NVIDIA H100 80GB HBM3',
    memoryBytes: 81559 * MiB,
    memoryBandwidthBytesPerSecond: 3350e9,
    computeCapability: 9,
    denseOperationsPerSecond: {bf16: 980e12, fp8: 1960e12},
    scaleUp: {kind: 'NVLink', bytesPerSecondPerDirection: 450e9},
  }),
  card({
    id: 'a100-80gb-sxm',
    name: 'NVIDIA A100-SXM4-80GB',
    memoryBytes: 81920 * MiB,
    memoryBandwidthBytesPerSecond: 2039e9,
    computeCapability: 8,
    denseOperationsPerSecond: {bf16: 312e12},
    scaleUp: {kind: 'NVLink', bytesPerSecondPerDirection: 300e9},
  }),
  card({
    id: 'gb10',
    name: 'NVIDIA GB10',
    memoryBytes: 124600 * MiB,
    memoryBandwidthBytesPerSecond: 273e9,
    computeCapability: 12.1,
    unifiedMemory: true,
    pciDeviceIds: ['0x2e12'],
  }),
  card({
    id: 'jetson-agx-orin-64gb',
    name: 'NVIDIA Jetson AGX Orin Developer Kit',
    memoryBytes: 62800 * MiB,
    memoryBandwidthBytesPerSecond: 204.8e9,
    computeCapability: 8.7,
    unifiedMemory: true,
  }),
  card({
    id: 'mi210',
    name: 'AMD Instinct MI210',
    vendor: 'amd',
    memoryBytes: 65520 * MiB,
    memoryBandwidthBytesPerSecond: 1638e9,
    gfxTarget: 'gfx90a',
    scaleUp: {kind: 'XGMI', bytesPerSecondPerDirection: 150e9},
  }),
  card({
    id: 'rx-7900-xt',
    name: 'Radeon RX 7900 XT',
    vendor: 'amd',
    memoryBytes: 21458059264,
    memoryBandwidthBytesPerSecond: 800e9,
    gfxTarget: 'gfx1100',
  }),
  card({
    id: 'strix-halo-128gb',
    name: 'AMD Radeon 8060S Graphics',
    vendor: 'amd',
    memoryBytes: 128 * 1024 * MiB,
    memoryBandwidthBytesPerSecond: 256e9,
    gfxTarget: 'gfx1151',
    unifiedMemory: true,
    pciDeviceIds: ['0x1586'],
  }),
  card({
    id: 'mi300x',
    name: 'AMD Instinct MI300X',
    vendor: 'amd',
    memoryBytes: 206141652992,
    memoryBandwidthBytesPerSecond: 5300e9,
    gfxTarget: 'gfx942',
    pciDeviceIds: ['0x74a1'],
  }),
  card({
    id: 'apple-m2-max',
    name: 'Apple M2 Max',
    vendor: 'apple',
    memoryBytes: 64 * 1024 * MiB,
    memoryBandwidthBytesPerSecond: 400e9,
    unifiedMemory: true,
  }),
  card({
    id: 'arc-pro-b60',
    name: 'Intel Arc Pro B60',
    vendor: 'intel',
    memoryBytes: 25669140480,
    memoryBandwidthBytesPerSecond: 456e9,
    pciDeviceIds: ['0xe211'],
  }),
]

export const fakeCatalogue: FindGpu = (name, _memoryBytes, pciId) =>
  CARDS.find((known) => known.id === name || known.aliases.includes(name)) ??
  CARDS.find(({pciDeviceIds}) => pciId !== undefined && pciDeviceIds?.includes(pciId.replace(/^....:/, '0x')))
