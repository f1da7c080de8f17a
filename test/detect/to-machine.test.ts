import {describe, expect, test} from 'vitest'
import type {DetectedGpu, MachineDocument} from '../../src/detect/machine-document.ts'
import {toMachine, toMachineGroups} from '../../src/detect/to-machine.ts'
import {fakeCatalogue, MiB} from './support/fakes.ts'

function document(gpus: DetectedGpu[], fields: Partial<MachineDocument> = {}): MachineDocument {
  return {schemaVersion: 1, gpus, interconnect: {kind: 'none'}, cpu: {}, disk: [], problems: [], ...fields}
}

const rtx3090 = (index: number, fields: Partial<DetectedGpu> = {}): DetectedGpu => ({
  index,
  id: 'rtx-3090',
  name: 'NVIDIA GeForce RTX 3090',
  vendor: 'nvidia',
  memoryBytes: 24576 * MiB,
  ...fields,
})

describe('a document as a machine', () => {
  test('measured memory over the catalogue, free memory, host and disk', () => {
    const machine = toMachine(
      document([rtx3090(0, {memoryBytes: 24268 * MiB, freeBytes: 20000 * MiB})], {
        hostname: 'rig',
        memoryBytes: 64e9,
        availableMemoryBytes: 50e9,
        disk: [
          {path: '/dev/shm', use: 'shared-memory', totalBytes: 2, freeBytes: 1},
          {path: '~/.cache/huggingface/hub', use: 'checkpoints', totalBytes: 4e12, freeBytes: 3e12},
        ],
      }),
      fakeCatalogue,
    )
    expect(machine).toMatchObject({
      name: 'rig',
      nodeCount: 1,
      hostMemoryBytes: 64e9,
      availableHostMemoryBytes: 50e9,
      freeDiskBytes: 3e12,
      detected: true,
    })
    expect(machine.gpus).toHaveLength(1)
    expect(machine.gpus[0]).toMatchObject({
      index: 0,
      memoryBytes: 24268 * MiB,
      freeBytes: 20000 * MiB,
      accelerator: {id: 'rtx-3090', memoryBytes: 24268 * MiB, memoryBandwidthBytesPerSecond: 936e9},
    })
  })

  test('the larger group of equal cards comes first, and only its links count', () => {
    const other: DetectedGpu = {
      index: 1,
      id: 'rtx-4080-super',
      name: 'NVIDIA GeForce RTX 4080 SUPER',
      vendor: 'nvidia',
      memoryBytes: 16376 * MiB,
    }
    const groups = toMachineGroups(
      document([rtx3090(0), other, rtx3090(2)], {
        interconnect: {
          kind: 'pcie-host',
          pairs: [
            {gpus: [0, 1], kind: 'pcie-host', path: 'PHB'},
            {gpus: [0, 2], kind: 'nvlink', path: 'NV4', linkCount: 4},
            {gpus: [1, 2], kind: 'pcie-host', path: 'PHB'},
          ],
        },
      }),
      fakeCatalogue,
    )
    expect(groups.map(({gpus}) => gpus.map(({index}) => index))).toEqual([[0, 2], [1]])
    expect(groups[0]?.link).toEqual({kind: 'nvlink', bytesPerSecondPerDirection: 56.25e9})
  })

  test('PCIe is as fast as the slowest slot: eight lanes of generation 4 are 8 x 1.969 GB/s', () => {
    const machine = toMachine(
      document([rtx3090(0, {pcie: {generation: 4, laneCount: 16}}), rtx3090(1, {pcie: {generation: 4, laneCount: 8}})], {
        interconnect: {kind: 'pcie-p2p', pairs: [{gpus: [0, 1], kind: 'pcie-p2p', peerAccess: true}]},
      }),
      fakeCatalogue,
    )
    expect(machine.link).toEqual({kind: 'pcie-p2p', bytesPerSecondPerDirection: 15.752e9})
  })

  test('a pair that nobody knows: through the host; a word for the whole is taken where there are no pairs', () => {
    const two = [rtx3090(0), rtx3090(1)]
    expect(toMachine(document(two, {interconnect: {kind: 'unknown'}}), fakeCatalogue).link.kind).toBe('pcie-host')
    expect(toMachine(document(two, {interconnect: {kind: 'nvlink'}}), fakeCatalogue).link.kind).toBe('nvlink')
  })

  test('an unknown card has what was read and no rates', () => {
    const [machine] = toMachineGroups(
      document([{index: 0, name: 'NVIDIA Quadro RTX 7777', vendor: 'nvidia', memoryBytes: 40e9, computeCapability: 8.6}]),
      fakeCatalogue,
    )
    expect(machine?.gpus[0]?.accelerator).toEqual({
      id: 'nvidia-quadro-rtx-7777',
      name: 'NVIDIA Quadro RTX 7777',
      vendor: 'nvidia',
      aliases: ['NVIDIA Quadro RTX 7777'],
      memoryBytes: 40e9,
      computeCapability: 8.6,
      denseOperationsPerSecond: {},
      native: [],
    })
  })

  test('memory that could not be read is the figure of the catalogue; a card that neither knows is left out', () => {
    const machine = toMachine(
      document([
        {index: 0, name: 'NVIDIA GeForce RTX 3090', vendor: 'nvidia'},
        {index: 1, name: 'NVIDIA GPU [10de:ffff]', vendor: 'nvidia'},
      ]),
      fakeCatalogue,
    )
    expect(machine.gpus.map(({memoryBytes}) => memoryBytes)).toEqual([24576 * MiB])
    expect(machine.gpus[0]).not.toHaveProperty('freeBytes')
  })

  test('unified memory', () => {
    const machine = toMachine(
      document(
        [
          {
            index: 0,
            id: 'gb10',
            name: 'NVIDIA GB10',
            vendor: 'nvidia',
            memoryBytes: 130663165952,
            freeBytes: 121411960832,
            unifiedMemory: true,
          },
        ],
        {interconnect: {kind: 'unified'}},
      ),
      fakeCatalogue,
    )
    expect(machine.link).toEqual({kind: 'unified'})
    expect(machine.gpus[0]).toMatchObject({
      memoryBytes: 130663165952,
      freeBytes: 121411960832,
      accelerator: {unifiedMemory: true, memoryBytes: 130663165952},
    })
  })

  test('each MIG slice is a machine of its own, with its share of the card', () => {
    const slice = (index: number, device: number, profile: string, memory: number): DetectedGpu => ({
      index,
      id: 'h100-sxm',
      name: `NVIDIA H100 80GB HBM3 MIG ${profile}`,
      vendor: 'nvidia',
      memoryBytes: memory * MiB,
      mig: {parentIndex: 0, device, profile, parentMemoryBytes: 81559 * MiB},
    })
    const groups = toMachineGroups(document([slice(1, 0, '3g.40gb', 40448), slice(2, 1, '1g.10gb', 9984), slice(3, 2, '1g.10gb', 9984)]), fakeCatalogue)
    expect(groups.map(({gpus}) => gpus.map(({index}) => index))).toEqual([[1], [2], [3]])
    const accelerator = groups[0]?.gpus[0]?.accelerator
    expect(accelerator).toMatchObject({
      id: 'h100-sxm-mig-3g.40gb',
      memoryBytes: 40448 * MiB,
      memoryBandwidthBytesPerSecond: 1675e9,
      pciePeerAccess: false,
    }) // 8 x 40448 / 81559 = 3.97, so 4 of 8 of 3350 GB/s
    expect(accelerator?.denseOperationsPerSecond).toEqual({bf16: 420e12, fp8: 840e12}) // 3 of 7 of 980 and 1960
    expect(accelerator).not.toHaveProperty('scaleUp')
    expect(groups[1]?.gpus[0]?.accelerator.memoryBandwidthBytesPerSecond).toBe(418.75e9) // 1 of 8
  })

  test('without GPUs', () => expect(toMachine(document([]), fakeCatalogue)).toEqual({gpus: [], nodeCount: 1, link: {kind: 'pcie-host'}, detected: true}))
})
