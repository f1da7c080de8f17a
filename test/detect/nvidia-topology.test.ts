import {describe, expect, test} from 'vitest'
import {nvidiaPairs, parseNvidiaPeerAccess, parseNvidiaTopology} from '../../src/detect/nvidia-topology.ts'
import {fixture} from './support/fakes.ts'

const paths = (name: string) => parseNvidiaTopology(fixture(name)).map(({gpus: [a, b], path}) => `${a}-${b} ${path}`)

describe('nvidia-smi topo -m', () => {
  test('a bridged pair', () => expect(paths('nvidia-topo-2x3090-bridge.txt')).toEqual(['0-1 NV4']))
  test('a pair through the host bridge, the legend not taken for rows', () => expect(paths('nvidia-topo-2x5090-phb.txt')).toEqual(['0-1 PHB']))
  test('two bridged cards and one that is not', () => expect(paths('nvidia-topo-3xa6000-partial.txt')).toEqual(['0-1 NV4', '0-2 NODE', '1-2 NODE']))
  test('a header without a leading tab, network cards by their own names, empty cells', () =>
    expect(paths('nvidia-topo-4xa100-mlx5.txt')).toEqual(['0-1 NV4', '0-2 NV4', '0-3 NV4', '1-2 NV4', '1-3 NV4', '2-3 NV4']))
  test('columns parted by blanks, the last row cut off: its pairs stand in the other rows', () =>
    expect(paths('nvidia-topo-gb200-cut.txt')).toEqual(['0-1 NV18', '0-2 NV18', '0-3 NV18', '1-2 NV18', '1-3 NV18', '2-3 NV18']))
  test('one card, an underlined header', () => expect(paths('nvidia-topo-single-ansi.txt')).toEqual([]))
  test('eight cards with twelve network cards: 8 x 7 / 2 pairs, all of 18 links', () => {
    const pairs = paths('nvidia-topo-dgx-h100-rows-missing.txt')
    expect(pairs).toHaveLength(28)
    expect(pairs.every((pair) => pair.endsWith(' NV18'))).toBe(true)
  })
  test('an underlined header over two cards', () =>
    expect(parseNvidiaTopology('\t\u001b[4mGPU0\tGPU1\tCPU Affinity\u001b[0m\nGPU0\t X \tPIX\t0-23\nGPU1\tPIX\t X \t0-23\n')).toEqual([
      {gpus: [0, 1], path: 'PIX'},
    ]))
  test('a word that is no path is a pair unknown', () =>
    expect(parseNvidiaTopology('\tGPU0\tGPU1\tGPU2\nGPU0\t X \tERR!\tSYS\nGPU1\tERR!\t X \tNV0\nGPU2\tSYS\tNV0\t X\n')).toEqual([{gpus: [0, 2], path: 'SYS'}]))
  test('nothing in a failure', () => expect(paths('nvidia-fail-driver-comm.txt')).toEqual([]))
})

describe('links', () => {
  const join = (topology: string, peers: string) => nvidiaPairs(parseNvidiaTopology(fixture(topology)), parseNvidiaPeerAccess(peers))

  test('two 5090 without peer access go through the host', () =>
    expect(join('nvidia-topo-2x5090-phb.txt', fixture('nvidia-p2p-2x5090-gns.txt'))).toEqual([
      {gpus: [0, 1], kind: 'pcie-host', path: 'PHB', peerAccess: false},
    ]))
  test('a driver that allows peer access is believed', () =>
    expect(join('nvidia-topo-2x5090-phb.txt', fixture('nvidia-p2p-2x5090-gns.txt').replaceAll('GNS\t', 'OK\t'))).toEqual([
      {gpus: [0, 1], kind: 'pcie-p2p', path: 'PHB', peerAccess: true},
    ]))
  test('without the second matrix peer access is not known', () =>
    expect(join('nvidia-topo-2x5090-phb.txt', '')).toEqual([{gpus: [0, 1], kind: 'pcie-host', path: 'PHB'}]))
  test('NVLink counts its links', () => expect(join('nvidia-topo-2x3090-bridge.txt', '')).toEqual([{gpus: [0, 1], kind: 'nvlink', path: 'NV4', linkCount: 4}]))
})
