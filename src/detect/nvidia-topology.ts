import type {LinkKind} from '../core/accelerator.ts'
import {parseGpuMatrix} from './gpu-matrix.ts'
import type {GpuPair} from './machine-document.ts'
import type {Exec, ExecOutcome} from './probe.ts'

/** `nvidia-smi topo -m`: how each pair of GPUs is joined. */
export function runNvidiaTopology(exec: Exec, command: string): Promise<ExecOutcome> {
  return exec(command, ['topo', '-m'])
}

/** `nvidia-smi topo -p2p r`: whether one GPU may read the memory of another. GeForce cards since the 40 series may not. */
export function runNvidiaPeerAccess(exec: Exec, command: string): Promise<ExecOutcome> {
  return exec(command, ['topo', '-p2p', 'r'])
}

export interface PathPair {
  gpus: [number, number]
  /** NV18, PIX, PXB, PHB, NODE, SYS */
  path: string
}

const PATH = /^(?:NV[1-9]\d?|PIX|PSB|PXB|PHB|NODE|SOC|SYS)$/
const PEER = /^(?:OK|CNS|GNS|TNS|NS|DR|U)$/

/** Pairs of GPUs; network cards, affinities and the legend are left aside. A cell that is not a path is a pair unknown. */
export function parseNvidiaTopology(text: string): PathPair[] {
  return parseGpuMatrix(text, PATH).map(({gpus, cell}) => ({gpus, path: cell}))
}

/** Pairs with the driver's answer; `U` (unknown) is left out. */
export function parseNvidiaPeerAccess(text: string): {gpus: [number, number]; peerAccess: boolean}[] {
  return parseGpuMatrix(text, PEER)
    .filter(({cell}) => cell !== 'U')
    .map(({gpus, cell}) => ({gpus, peerAccess: cell === 'OK'}))
}

/** Joins both matrices. Without the second one nothing is known of peer access over PCIe, and the pair counts as reaching each other through the host. */
export function nvidiaPairs(paths: PathPair[], peers: {gpus: [number, number]; peerAccess: boolean}[]): GpuPair[] {
  const access = new Map(peers.map(({gpus, peerAccess}) => [gpus.join('-'), peerAccess]))
  return paths.map(({gpus, path}) => {
    const peerAccess = access.get(gpus.join('-'))
    const linkCount = Number(/^NV(\d+)$/.exec(path)?.[1] ?? 0)
    const kind: LinkKind = linkCount > 0 ? 'nvlink' : peerAccess ? 'pcie-p2p' : 'pcie-host'
    return {gpus, kind, path, ...(linkCount > 0 ? {linkCount} : {}), ...(peerAccess === undefined ? {} : {peerAccess})}
  })
}
