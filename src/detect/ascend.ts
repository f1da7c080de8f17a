import {parseGpuMatrix} from './gpu-matrix.ts'
import type {GpuPair} from './machine-document.ts'
import type {PlainDevice} from './plain-gpus.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {bytesOf, pciAddressOf, totalBytesOf, withoutStyling} from './quantity.ts'

export const HUAWEI = '0x19e5'

export function runAscendTable(exec: Exec): Promise<ExecOutcome> {
  return exec('npu-smi', ['info'])
}

export function runAscendTopology(exec: Exec): Promise<ExecOutcome> {
  return exec('npu-smi', ['info', '-t', 'topo'])
}

/**
 * The table of `npu-smi info`: for each chip a row with number and name of the card, then one with chip, bus address and
 * memory. Widths change between versions, so only the bars count. Numbers of cards may have gaps; a card with several chips
 * prints their device number behind that of the chip. Figures headed MB are MiB (a 64 GiB card prints 65536).
 */
export function parseAscendTable(text: string): PlainDevice[] {
  const devices = new Map<number, PlainDevice>()
  const driver = /\bVersion:\s*(\d[\w.]{1,20})/.exec(text)?.[1]
  let card: {number: number; name: string} | undefined
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    if (!line.startsWith('|')) continue
    const cells = line.split('|').slice(1, -1)
    if (cells.length !== 3) continue
    const named = /^\s*(\d{1,3})\s+([A-Za-z0-9][\w-]*)\s*$/.exec(cells[0] ?? '')
    const chip = /^\s*(\d{1,2})(?:\s+(\d{1,3}))?\s*$/.exec(cells[0] ?? '')
    const address = pciAddressOf(cells[1])
    if (chip && address && card) {
      const index = chip[2] !== undefined ? Number(chip[2]) : chip[1] === '0' ? card.number : undefined
      if (index !== undefined && !devices.has(index))
        devices.set(index, {index, name: nameOf(card.name), driver, pciAddress: address, ...memoryIn(cells[2] ?? '')})
    } else if (named?.[2] && !address) card = {number: Number(named[1]), name: named[2]}
  }
  return [...devices.values()]
}

/** `910B3` is printed for the Ascend 910B3; names that say nothing (`xxx`) stay unknown. */
function nameOf(printed: string): string | undefined {
  if (/^\d{3}[A-Z]?/.test(printed)) return `Ascend ${printed}`
  return /^Ascend/i.test(printed) ? printed : undefined
}

/** The last pair of figures with a total: HBM where the card has it, else its only memory. */
function memoryIn(cell: string): Pick<PlainDevice, 'memoryBytes' | 'usedBytes' | 'freeBytes'> {
  const pairs = [...cell.matchAll(/(\d{1,9})\s*\/\s*(\d{1,9})/g)].map(([, used, total]) => ({
    usedBytes: bytesOf(used, 'MiB'),
    memoryBytes: totalBytesOf(total, 'MiB'),
  }))
  const {memoryBytes, usedBytes} = pairs.findLast((pair) => pair.memoryBytes !== undefined) ?? {}
  if (memoryBytes === undefined || usedBytes === undefined || usedBytes > memoryBytes) return {memoryBytes}
  return {memoryBytes, usedBytes, freeBytes: memoryBytes - usedBytes}
}

/** `npu-smi info -t topo`: HCCS is Huawei's own link; the other words are those of PCIe. */
export function parseAscendTopology(text: string): GpuPair[] {
  return parseGpuMatrix(text, /^(?:HCCS|HCCS_SW|SIO|PIX|PXB|PHB|SYS|NODE)$/, 'NPU').map(({gpus, cell}) => ({
    gpus,
    kind: /^(?:HCCS|SIO)/.test(cell) ? 'other' : 'pcie-host',
    path: cell,
  }))
}
