import type {GpuPair} from './machine-document.ts'
import type {PlainDevice} from './plain-gpus.ts'
import {bytesOf, known, pciAddressOf, totalBytesOf, withoutStyling} from './quantity.ts'

/** What xpu-smi prints for people: `discovery`, and since version 2 a table when it is asked nothing. */
export function parseXpuSmiText(text: string): PlainDevice[] {
  const devices = new Map<number, PlainDevice>()
  let device: PlainDevice | undefined
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const begin =
      /^\|\s*(\d{1,3})\s*\|\s*Device Type:\s*GPU\s*\|/.exec(line) ?? /^\|\s+(\d{1,3})\s+(Intel\S.*?)\s+(?:On|Off|N\/A)\s*\|\s*([0-9a-f:.]+)\s/i.exec(line)
    if (begin) {
      device = {index: Number(begin[1]), ...(begin[2] ? {name: begin[2], pciAddress: pciAddressOf(begin[3])} : {})}
      if (!devices.has(device.index)) devices.set(device.index, device)
      continue
    }
    if (/^[+|]\s*Processes:/.test(line) || /^\|\s*\d{1,3}\s*\|/.test(line)) device = undefined
    if (device) readLine(device, line)
  }
  return [...devices.values()]
}

function readLine(device: PlainDevice, line: string): void {
  const [, label = '', text = ''] = /^\|\s+\|\s*([A-Z][\w ]{1,40}):\s*(.*?)\s*\|\s*$/.exec(line) ?? []
  const value = known(text)
  if (label === 'Device Name') device.name ??= value
  else if (label === 'PCI Device ID') device.pciDeviceId ??= /^0x[0-9a-f]{4}$/i.exec(value ?? '')?.[0]?.toLowerCase()
  else if (label === 'PCI BDF Address') device.pciAddress ??= pciAddressOf(value)
  else if (label === 'Memory Physical Size') device.memoryBytes ??= totalBytesOf(value)
  const usage = /\|\s*(\d{1,9})MiB\s*\/\s*(\d{1,9})MiB\s*\|/.exec(line)
  if (!usage || device.memoryBytes !== undefined) return
  const memoryBytes = totalBytesOf(usage[2], 'MiB')
  const usedBytes = bytesOf(usage[1], 'MiB')
  device.memoryBytes = memoryBytes
  if (memoryBytes !== undefined && usedBytes !== undefined && usedBytes <= memoryBytes) device.freeBytes = memoryBytes - usedBytes
}

/** `xpu-smi topology -m`: rows `GPU 1/0`, where the cell of a GPU with itself is `S`; `XL` is Xe Link. Only cards of one tile are told apart. */
export function parseXpuTopology(text: string): GpuPair[] {
  const pairs = new Map<string, GpuPair>()
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const row = /^\s*GPU (\d{1,3})\/0\s+(\S.*)$/.exec(line)
    if (!row) continue
    const from = Number(row[1])
    const cells = (row[2] ?? '').trim().split(/\s+/)
    if (cells[from] !== 'S') continue
    for (const [to, cell] of cells.entries()) {
      if (to === from || !/^(?:XL\*?\d{0,2}|SYS|NODE|MDF)$/.test(cell)) continue
      const gpus: [number, number] = from < to ? [from, to] : [to, from]
      if (!pairs.has(gpus.join('-'))) pairs.set(gpus.join('-'), {gpus, kind: cell.startsWith('XL') ? 'other' : 'pcie-host', path: cell})
    }
  }
  return [...pairs.values()].sort((a, b) => a.gpus[0] - b.gpus[0] || a.gpus[1] - b.gpus[1])
}
