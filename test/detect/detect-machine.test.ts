import {describe, expect, test} from 'vitest'
import {detectMachine, detectWithIdentities} from '../../src/detect/detect-machine.ts'
import {toMachine} from '../../src/detect/to-machine.ts'
import {MachineDocumentSchema} from '../../src/detect/machine-schema.ts'
import {NVIDIA_OLD_FIELDS} from '../../src/detect/nvidia-csv.ts'
import type {DetectionEffects} from '../../src/detect/probe.ts'
import {ended, fakeExec, fakeMachine, fixture, MiB} from './support/fakes.ts'
import {effortOf} from '../effort.ts'

const QUERY = 'nvidia-smi --query-gpu'

/** Every document must be one that `check --machine` takes back. */
async function detect(effects: DetectionEffects) {
  const document = await detectMachine(effects)
  expect(MachineDocumentSchema.parse(JSON.parse(JSON.stringify(document)))).toEqual(document)
  return document
}

const codes = (document: {problems: {code: string}[]}) => document.problems.map(({code}) => code)

const pciFile = (address: string, id: string, driver = 'nvidia', pciClass = '30000') => ({
  [`/sys/bus/pci/devices/${address}/uevent`]: `DRIVER=${driver}\nPCI_CLASS=${pciClass}\nPCI_ID=${id}\nPCI_SLOT_NAME=${address}\n`,
})

describe('a machine with NVIDIA cards', () => {
  test('a desktop: what is printed, and the catalogue for the rest', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-rtx-4080-super.csv'))}),
        files: {'/proc/meminfo': fixture('proc-meminfo-1gb-vm.txt')},
      }),
    )
    expect(document).toEqual({
      schemaVersion: 1,
      hostname: 'rig',
      gpus: [
        {
          index: 0,
          id: 'rtx-4080-super',
          name: 'NVIDIA GeForce RTX 4080 SUPER',
          vendor: 'nvidia',
          memoryBytes: 16376 * MiB,
          freeBytes: 15348 * MiB,
          processesBytes: 596 * MiB,
          memoryBandwidthBytesPerSecond: 736e9,
          computeCapability: 8.9,
          driver: '595.71.05',
          pcie: {generation: 4, laneCount: 16},
        },
      ],
      interconnect: {kind: 'none'},
      cpu: {architecture: 'x64'},
      memoryBytes: 1044205568, // 1019732 kB of 1024 bytes
      availableMemoryBytes: 727326720, // 710280 kB
      disk: [],
      problems: [],
    })
  })

  test('both answers are joined: architecture from the long one, compute capability from the short one', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          'nvidia-smi -q -x': ended(fixture('nvidia-q-x-rtx-3060.xml')),
          [QUERY]: ended('0, 00000000:2D:00.0, 0x248710DE, 12288, 116, 11806, 8.6, 570.124.04, [N/A], 4, 16, NVIDIA GeForce RTX 3060\n'),
        }),
      }),
    )
    expect(document.gpus).toMatchObject([{architecture: 'Ampere', computeCapability: 8.6, memoryBytes: 12288 * MiB}])
    expect(document.gpus[0]).not.toHaveProperty('id')
    expect(document.gpus[0]).not.toHaveProperty('memoryBandwidthBytesPerSecond')
    expect(codes(document)).toEqual(['gpu-unknown', 'host-memory-unknown', 'driver-old-for-images'])
  })

  test('GB10: memory is the memory of the host', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-gb10.csv'))}),
        files: {'/proc/meminfo': fixture('proc-meminfo-gb10.txt')},
      }),
    )
    expect(document.gpus).toEqual([
      {
        index: 0,
        id: 'gb10',
        name: 'NVIDIA GB10',
        vendor: 'nvidia',
        memoryBytes: 130663165952, // 127600748 kB
        freeBytes: 121411960832, // 118566368 kB
        memoryBandwidthBytesPerSecond: 273e9,
        computeCapability: 12.1,
        driver: '580.126.09',
        unifiedMemory: true,
        pcie: {generation: 5, laneCount: 1},
      },
    ])
    expect(document.interconnect).toEqual({kind: 'unified'})
    expect(document.problems).toEqual([])
  })

  test('a small number that a driver prints for unified memory is not believed', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-gb10.csv').replace('[N/A], [N/A], [N/A]', '8128, 10, 8118'))}),
        files: {'/proc/meminfo': fixture('proc-meminfo-gb10.txt')},
      }),
    )
    expect(document.gpus[0]).toMatchObject({memoryBytes: 130663165952, freeBytes: 121411960832})
    expect(codes(document)).toEqual(['memory-implausible'])
  })

  test('Jetson: the board has the name, the host the memory', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-jetson-orin.csv'))}),
        files: {
          '/proc/meminfo': 'MemTotal:       64349916 kB\nMemAvailable:   60000000 kB\n',
          '/proc/device-tree/model': 'NVIDIA Jetson AGX Orin Developer Kit\u0000',
        },
      }),
    )
    expect(document.gpus[0]).toMatchObject({
      id: 'jetson-agx-orin-64gb',
      name: 'NVIDIA Jetson AGX Orin Developer Kit',
      memoryBytes: 65894313984,
      freeBytes: 61440000000,
      unifiedMemory: true,
    })
    expect(codes(document)).toEqual(['driver-version-unknown'])
  })

  test('MIG: slices are GPUs of their own, the card is not', async () => {
    const document = await detect(fakeMachine({exec: fakeExec({'nvidia-smi -q -x': ended(fixture('nvidia-q-x-a100-80gb-mig.xml'))})}))
    expect(document.gpus).toHaveLength(4)
    expect(document.gpus[1]).toEqual({
      index: 2, // the card is 0, its slices 1 to 4
      id: 'a100-80gb-sxm',
      name: 'NVIDIA A100-SXM4-80GB MIG',
      vendor: 'nvidia',
      memoryBytes: 19968 * MiB,
      freeBytes: 19955 * MiB,
      processesBytes: 12 * MiB,
      memoryBandwidthBytesPerSecond: 509_750_000_000, // 2 of 8 memory slices of 2039 GB/s, since 8 x 19968 / 81920 = 1.95
      computeCapability: 8,
      architecture: 'Ampere',
      driver: '535.54.03',
      pcie: {generation: 4, laneCount: 16},
      mig: {parentIndex: 0, device: 1, parentMemoryBytes: 81920 * MiB},
    })
    expect(document.interconnect).toEqual({kind: 'none'})
  })

  test('MIG by the short query and the list: profiles, but no memory, and that is said', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-h100-mig.csv')), 'nvidia-smi -L': ended(fixture('nvidia-list-h100-mig.txt'))}),
      }),
    )
    expect(document.gpus.map(({index, name, memoryBytes}) => [index, name, memoryBytes])).toEqual([
      [1, 'NVIDIA H100 80GB HBM3 MIG 3g.40gb', undefined],
      [2, 'NVIDIA H100 80GB HBM3 MIG 2g.20gb', undefined],
      [3, 'NVIDIA H100 80GB HBM3 MIG 1g.10gb', undefined],
      [4, 'NVIDIA H100 80GB HBM3 MIG 1g.10gb', undefined],
    ])
    expect(codes(document).filter((code) => code === 'mig-slice-unknown')).toHaveLength(4)
  })

  test('MIG mode without slices', async () => {
    const document = await detect(fakeMachine({exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-h100-mig.csv'))})}))
    expect(document.gpus).toEqual([])
    expect(codes(document)).toContain('mig-without-slices')
  })

  const two5090 = ended(
    '0, 00000000:01:00.0, 0x2B8510DE, 32607, 2, 32120, 12.0, 590.48.01, [N/A], 5, 16, NVIDIA GeForce RTX 5090\n1, 00000000:21:00.0, 0x2B8510DE, 32607, 900, 31222, 12.0, 590.48.01, [N/A], 5, 8, NVIDIA GeForce RTX 5090\n',
  )

  test('two cards: links, and the shared memory of a container', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          [QUERY]: two5090,
          'nvidia-smi topo -m': ended(fixture('nvidia-topo-2x5090-phb.txt')),
          'nvidia-smi topo -p2p r': ended(fixture('nvidia-p2p-2x5090-gns.txt')),
        }),
        files: {'/.dockerenv': '', '/proc/meminfo': fixture('proc-meminfo-1gb-vm.txt')},
        disks: {'/dev/shm': {totalBytes: 64 * MiB, freeBytes: 64 * MiB}},
      }),
    )
    expect(document.interconnect).toEqual({kind: 'pcie-host', pairs: [{gpus: [0, 1], kind: 'pcie-host', path: 'PHB', peerAccess: false}]})
    expect(codes(document)).toEqual(['shared-memory-small'])
    expect(document.problems[0]?.remedy).toContain('--shm-size')
  })

  test('two cards, and no tool that tells their links', async () => {
    const document = await detect(fakeMachine({exec: fakeExec({[QUERY]: two5090})}))
    expect(document.interconnect).toEqual({kind: 'unknown'})
    expect(codes(document)).toContain('topology-unknown')
  })

  test('three cards of which two are bridged: the whole is as slow as the slowest pair', async () => {
    const row = (index: number) => `${index}, 00000000:0${index + 1}:00.0, 0x223010DE, 49140, 1, 48600, 8.6, 570.1, [N/A], 4, 16, NVIDIA RTX A6000\n`
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(row(0) + row(1) + row(2)), 'nvidia-smi topo -m': ended(fixture('nvidia-topo-3xa6000-partial.txt'))}),
      }),
    )
    expect(document.interconnect.kind).toBe('pcie-host')
    expect(document.problems.find(({code}) => code === 'links-unequal')?.message).toContain('(0 and 1); 2 other pairs are not')
  })

  test('a driver too old for the query is asked again with fewer fields', async () => {
    const exec = fakeExec({
      [QUERY]: ended(fixture('nvidia-query-field-unknown.txt'), 2),
      [`${QUERY}=${NVIDIA_OLD_FIELDS.join(',')}`]: ended('0, 00000000:01:00.0, 24576, 2, 24257, 470.256.02, NVIDIA GeForce RTX 3090\n'),
    })
    const document = await detect(fakeMachine({exec}))
    expect(document.gpus).toMatchObject([{id: 'rtx-3090', memoryBytes: 24576 * MiB, freeBytes: 24257 * MiB, computeCapability: 8.6}])
  })

  test('nvidia-smi of WSL stands outside the search path', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          '/usr/lib/wsl/lib/nvidia-smi --query-gpu': ended(fixture('nvidia-query-rtx-4080-super.csv')),
          '/usr/lib/wsl/lib/nvidia-smi -q': ended('', 255),
        }),
        env: {WSL_DISTRO_NAME: 'Ubuntu'},
      }),
    )
    expect(document.gpus).toHaveLength(1)
    expect(codes(document)).toContain('wsl')
  })

  test('a fabric that is not ready', async () => {
    const xml = fixture('nvidia-q-x-rtx-3060.xml').replace('<state>N/A</state>', '<state>In Progress</state>')
    const document = await detect(fakeMachine({exec: fakeExec({'nvidia-smi -q -x': ended(xml)})}))
    expect(document.problems.find(({code}) => code === 'fabric-not-ready')?.remedy).toContain('nvidia-fabricmanager')
  })

  test('unknown words give absent fields and a problem each', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({
          [QUERY]: ended('0, 00000000:01:00.0, [N/A], ERR!, [Unknown Error], [Not Supported], [N/A], [N/A], [N/A], [N/A], [N/A], NVIDIA L40S\n'),
        }),
      }),
    )
    expect(document.gpus).toEqual([{index: 0, name: 'NVIDIA L40S', vendor: 'nvidia'}])
    expect(codes(document).sort()).toEqual(['driver-version-unknown', 'free-memory-unknown', 'gpu-unknown', 'host-memory-unknown', 'memory-unknown'])
    expect(document.problems.find(({code}) => code === 'memory-unknown')?.message).toBe('nvidia-smi printed ERR! for memory.total of GPU 0')
  })
})

describe('when things are broken', () => {
  const nothing = {...pciFile('0000:01:00.0', '10DE:2204')}

  test('every call hangs: the answer comes all the same, with what the kernel knows', async () => {
    // Nothing that is asked ever answers: that detection does, it owes to its own limit.
    const document = await detect(
      fakeMachine({
        exec: () => new Promise(() => {}),
        timeoutMs: 50,
        files: {
          ...nothing,
          '/proc/driver/nvidia/version': 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12\n',
          '/proc/driver/nvidia/gpus/0000:01:00.0/information': 'Model: \t\t NVIDIA GeForce RTX 3090\nBus Location: \t 0000:01:00.0\n',
        },
      }),
    )
    expect(document.gpus).toEqual([
      {
        index: 0,
        id: 'rtx-3090',
        name: 'NVIDIA GeForce RTX 3090',
        vendor: 'nvidia',
        driver: '535.183.01',
        memoryBandwidthBytesPerSecond: 936e9,
        computeCapability: 8.6,
      },
    ])
    expect(codes(document)).toEqual(['tool-timeout', 'memory-unknown', 'host-memory-unknown', 'driver-old-for-images'])
  })

  test('everything throws', async () => {
    const fail = () => {
      throw new Error('no')
    }
    const document = await detect({exec: fail, readFile: fail, env: {}, listDirectory: fail, exists: fail, diskSpace: fail})
    expect(document.gpus).toEqual([])
    expect(codes(document)).toEqual(['unreadable-output', 'host-memory-unknown'])
  })

  test('files hang', async () => {
    const document = await detect(
      fakeMachine({
        exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-rtx-4080-super.csv'))}),
        readFile: () => new Promise(() => {}),
        listDirectory: () => new Promise(() => {}),
        timeoutMs: 50,
      }),
    )
    expect(document.gpus).toMatchObject([{id: 'rtx-4080-super'}])
    expect(codes(document)).toEqual(['host-memory-unknown'])
  })

  test('a catalogue that throws knows no card', async () => {
    const findGpu = () => {
      throw new Error('several cards share this name')
    }
    const document = await detect(fakeMachine({exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-rtx-4080-super.csv'))}), findGpu}))
    expect(document.gpus).toMatchObject([{memoryBytes: 16376 * MiB}])
    expect(codes(document)).toContain('gpu-unknown')
  })

  test.each([
    ['garbage', ended('\u0000\u0007 <gpu'), 'unreadable-output'],
    ['exit 255', ended('', 255), 'unreadable-output'],
    ['10 MB of noise', ended('x <a b=" & \n'.repeat(900_000)), 'unreadable-output'],
    ['a lost card', ended(fixture('nvidia-fail-gpu-lost.txt'), 15), 'gpu-lost'],
    ['no driver', ended(fixture('nvidia-fail-driver-comm.txt'), 9), 'driver-not-loaded'],
  ])('%s', async (_, outcome, code) => {
    const effort = await effortOf(async () => {
      const document = await detect(fakeMachine({exec: fakeExec({'nvidia-smi': outcome})}))
      expect(document.gpus).toEqual([])
      expect(codes(document)).toContain(code)
    })
    expect(effort).toBeLessThan(200)
  })

  test('one card lost: the others are asked one by one', async () => {
    const exec = fakeExec({
      'nvidia-smi': ended(fixture('nvidia-fail-gpu-lost.txt'), 15),
      'nvidia-smi -i 0000:01:00.0': ended('0, 00000000:01:00.0, 24576, 2, 24257, 550.1, NVIDIA GeForce RTX 3090\n'),
    })
    const document = await detect(fakeMachine({exec, files: {...nothing, ...pciFile('0000:02:00.0', '10DE:2204')}}))
    expect(document.gpus).toMatchObject([{index: 0, freeBytes: 24257 * MiB}])
    expect(codes(document)).toContain('gpu-lost')
    expect(exec.calls.some((call) => call.includes('-i 0000:02:00.0'))).toBe(false)
  })

  test('a card on the bus that the tool does not list', async () => {
    const row = '0, 00000000:01:00.0, 0x220410DE, 24576, 2, 24257, 8.6, 580.95.05, [N/A], 4, 16, NVIDIA GeForce RTX 3090\n'
    const exec = fakeExec({[QUERY]: ended(row)})
    const files = {...nothing, ...pciFile('0000:02:00.0', '10DE:1B06', 'nouveau')}
    const document = await detect(fakeMachine({exec, files}))
    expect(document.gpus).toHaveLength(1)
    expect(document.problems[0]).toMatchObject({code: 'gpu-not-listed', message: expect.stringContaining('held by nouveau')})
    expect(codes(await detect(fakeMachine({exec, files: {...files, '/.dockerenv': '', '/dev/nvidiactl': ''}})))).not.toContain('gpu-not-listed')
    expect(codes(await detect(fakeMachine({exec, files: nothing})))).not.toContain('gpu-not-listed')
  })

  test('no tool on a host with a card', async () => {
    const document = await detect(fakeMachine({files: {...pciFile('0000:01:00.0', '10DE:2204', 'nouveau')}}))
    expect(codes(document)).toContain('tool-missing')
    expect(document.problems[0]?.message).toContain('nouveau')
    expect(document.gpus).toMatchObject([{index: 0, name: 'NVIDIA GPU [10de:2204]'}])
  })

  test('a container whose host has cards', async () => {
    const document = await detect(fakeMachine({files: {...nothing, '/.dockerenv': ''}}))
    expect(codes(document)).toContain('in-container-without-gpus')
    expect(document.gpus).toEqual([])
  })

  test('a container that was given cards, with a tool that fails: the bus of the host is not taken for its own', async () => {
    const document = await detect(fakeMachine({exec: fakeExec({'nvidia-smi': ended('', 255)}), files: {...nothing, '/.dockerenv': '', '/dev/nvidiactl': ''}}))
    expect(document.gpus).toEqual([])
    expect(codes(document)).toEqual(['unreadable-output', 'host-memory-unknown'])
  })

  test('an NVSwitch is no card, and no tool is missing without one', async () => {
    const document = await detect(fakeMachine({files: {...pciFile('0000:05:00.0', '10DE:22A3', 'nvidia-nvswitch', '68000')}}))
    expect(codes(document)).toEqual(['no-devices', 'host-memory-unknown'])
  })

  test('the tool may not be run', async () => {
    const document = await detect(fakeMachine({exec: fakeExec({'nvidia-smi': {kind: 'no-permission'}})}))
    expect(codes(document)).toContain('no-permission')
  })
})

test('nothing that identifies a device or a person is in the document', async () => {
  const document = await detect(
    fakeMachine({
      exec: fakeExec({
        'nvidia-smi -q -x': ended(fixture('nvidia-q-x-rtx-4000-sff-ada-desktop.xml').replace('<gpu id', '<serial>1650212345678</serial><gpu id')),
        'nvidia-smi -L': ended(fixture('nvidia-list-h100-mig.txt')),
      }),
      env: {HOME: '/home/ada'},
      disks: {'/home/ada': {totalBytes: 2e12, freeBytes: 1e12}},
    }),
  )
  const text = JSON.stringify(document)
  // Programs are named, since somebody has to close them, but not where they stand.
  expect(text).not.toMatch(/GPU-0|MIG-0|1650212345678|lib\/chromium|ada\/|home/)
  expect(text).toContain('"chromium"')
  expect(document.disk).toEqual([{path: '~/.cache/huggingface/hub', use: 'checkpoints', totalBytes: 2e12, freeBytes: 1e12}])
})

test("the driver's identities choose cards and slices on this machine, and stand in no document", async () => {
  const {document, identities} = await detectWithIdentities(
    fakeMachine({
      exec: fakeExec({'nvidia-smi -q -x': ended(fixture('nvidia-q-x-a100-80gb-mig.xml')), 'nvidia-smi -L': ended('')}),
    }),
  )
  expect(JSON.stringify(document)).not.toMatch(/GPU-|MIG-/)
  // Slices are numbered after the cards, as the document does.
  for (const {index, mig} of document.gpus) if (identities.has(index)) expect(identities.get(index)).toMatch(mig ? /^MIG-/ : /^GPU-/)
  const listed = await detectWithIdentities(
    fakeMachine({exec: fakeExec({[QUERY]: ended(fixture('nvidia-query-h100-mig.csv')), 'nvidia-smi -L': ended(fixture('nvidia-list-h100-mig.txt'))})}),
  )
  expect([...listed.identities]).toEqual([
    [1, 'MIG-00000000-0000-0000-0000-000000000000'],
    [2, 'MIG-00000001-0000-0000-0000-000000000001'],
    [3, 'MIG-00000002-0000-0000-0000-000000000002'],
    [4, 'MIG-00000003-0000-0000-0000-000000000003'],
  ])
  const sized = {...listed.document, gpus: listed.document.gpus.map((gpu) => ({...gpu, memoryBytes: 40_448 * MiB}))}
  const {gpus} = toMachine(sized, () => undefined, listed.identities)
  expect(gpus).toHaveLength(1)
  expect(gpus[0]).toMatchObject({index: 1, uuid: 'MIG-00000000-0000-0000-0000-000000000000', migProfile: '3g.40gb'})
})
