import type {LinkKind} from '../core/accelerator.ts'
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

interface Cell {
  gpus: [number, number]
  cell: string
}

/**
 * Reads a matrix whose header names columns GPU0, GPU1, ... and whose rows begin with a GPU's name. GPUs come before all
 * other columns, so neither tabs nor blanks as separators matter, and what follows (NICs, affinities) may be cut or empty.
 * A row may be missing: the other half of the matrix has its pairs.
 */
function parseGpuMatrix(text: string, cellPattern: RegExp): Cell[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the header is underlined even where nobody sees it
  const lines = text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').split(/\r?\n/)
  const headerAt = lines.findIndex((line) => /^\s*GPU\d{1,3}(?:\s|$)/.test(line) && !/\sX(?:\s|$)/.test(line))
  if (headerAt < 0) return []
  const columns = columnsOf(lines[headerAt] ?? '')
  const cells = new Map<string, Cell>()
  for (const line of lines.slice(headerAt + 1)) {
    const row = /^\s*GPU(\d{1,3})\s+(\S.*)$/.exec(line)
    if (!row) continue
    const from = Number(row[1])
    const words = (row[2] ?? '').trim().split(/\s+/)
    for (const [at, to] of columns.entries()) {
      const cell = words[at] ?? ''
      if (to === from || !cellPattern.test(cell)) continue
      const gpus: [number, number] = from < to ? [from, to] : [to, from]
      const key = gpus.join('-')
      if (!cells.has(key)) cells.set(key, {gpus, cell})
    }
  }
  return [...cells.values()].sort((a, b) => a.gpus[0] - b.gpus[0] || a.gpus[1] - b.gpus[1])
}

function columnsOf(header: string): number[] {
  const columns: number[] = []
  for (const word of header.trim().split(/\s+/)) {
    const gpu = /^GPU(\d{1,3})$/.exec(word)
    if (!gpu) break
    columns.push(Number(gpu[1]))
  }
  return columns
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
