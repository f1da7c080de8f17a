import {type AmdDevice, amdNames, gfxTargetOf} from './amd-device.ts'
import type {GpuPair} from './machine-document.ts'
import {bytesOf, known, pciAddressOf, totalBytesOf, withoutStyling} from './quantity.ts'

/**
 * What amd-smi and rocm-smi print for people, for versions that know no JSON or print none: pure text forms of what
 * `amd-smi.ts` and `rocm-smi.ts` read.
 */

interface Block {
  index: number
  /** `VRAM.SIZE` for a line inside a section, `BDF` for one outside. */
  fields: Map<string, string>
}

/** `GPU: 0` and the indented `NAME: value` lines below it. */
function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let section = ''
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const gpu = /^GPU:\s*(\d{1,3})\s*$/.exec(line)
    if (gpu) {
      section = ''
      blocks.push({index: Number(gpu[1]), fields: new Map()})
      continue
    }
    const entry = /^( +)([A-Z][A-Z0-9_ ]{0,40}):\s*(.*)$/.exec(line)
    const block = blocks.at(-1)
    if (!entry?.[2] || !block) continue
    const [, blanks = '', name, value = ''] = entry
    if (blanks.length <= 4) section = value === '' ? `${name}.` : ''
    if (value !== '') block.fields.set(blanks.length <= 4 ? name : `${section}${name}`, value)
  }
  return blocks
}

/** Figures headed MB are 1,048,576 bytes. */
const inMebibytes = (text: string | undefined) => text?.replace(/\s*([KMG])B$/, ' $1iB')

/** `amd-smi static` and `amd-smi list`. */
export function parseAmdStaticText(text: string): AmdDevice[] {
  return blocksOf(text).flatMap(({index, fields}) => {
    const field = (name: string) => known(fields.get(name))
    const device: AmdDevice = {
      index,
      names: amdNames(field('ASIC.MARKET_NAME'), field('BOARD.PRODUCT_NAME')),
      gfxTarget: gfxTargetOf(field('ASIC.TARGET_GRAPHICS_VERSION')),
      vramBytes: totalBytesOf(inMebibytes(field('VRAM.SIZE'))),
      pciAddress: pciAddressOf(field('BUS.BDF') ?? field('BDF')),
      pciDeviceId: /^0x[0-9a-f]{4}$/i.exec(field('ASIC.DEVICE_ID') ?? '')?.[0]?.toLowerCase(),
    }
    const told = device.names.length > 0 || device.gfxTarget || device.vramBytes || device.pciAddress || device.pciDeviceId
    return told ? [device] : []
  })
}

/** `amd-smi metric --mem-usage`. */
export function parseAmdMemoryText(text: string): Map<number, Partial<AmdDevice>> {
  return new Map(
    blocksOf(text).map(({index, fields}) => {
      const field = (name: string) => inMebibytes(known(fields.get(`MEM_USAGE.${name}`)))
      return [
        index,
        {
          vramBytes: totalBytesOf(field('TOTAL_VRAM')),
          vramUsedBytes: bytesOf(field('USED_VRAM')),
          gttBytes: totalBytesOf(field('TOTAL_GTT')),
          gttUsedBytes: bytesOf(field('USED_GTT')),
        },
      ]
    }),
  )
}

/** `amd-smi topology`: matrices by bus address, whose order is that of the GPUs' numbers. */
export function parseAmdTopologyText(text: string): GpuPair[] {
  const access = new Map(matrixUnder(text, 'ACCESS TABLE', /^(?:ENABLED|DISABLED)$/).map(({gpus, cell}) => [gpus.join('-'), cell]))
  return matrixUnder(text, 'LINK TYPE TABLE', /^(?:XGMI|PCIE)$/).map(({gpus, cell}) => {
    const status = access.get(gpus.join('-'))
    const peerAccess = status === undefined ? undefined : status === 'ENABLED'
    const kind = cell === 'XGMI' ? 'xgmi' : peerAccess ? 'pcie-p2p' : 'pcie-host'
    return {gpus, kind, path: cell, ...(peerAccess === undefined ? {} : {peerAccess})}
  })
}

function matrixUnder(text: string, title: string, cellPattern: RegExp): {gpus: [number, number]; cell: string}[] {
  const lines = withoutStyling(text).split(/\r?\n/)
  const at = lines.findIndex((line) => line.trim() === `${title}:`)
  const columns = at < 0 ? [] : (lines[at + 1] ?? '').trim().split(/\s+/)
  if (columns.length < 2 || columns.some((address) => pciAddressOf(address) === undefined) || new Set(columns).size !== columns.length) return []
  const cells = new Map<string, {gpus: [number, number]; cell: string}>()
  for (const line of lines.slice(at + 2)) {
    const [address = '', ...row] = line.trim().split(/\s+/)
    const from = columns.indexOf(address)
    if (from < 0) break
    // A row that is cut or has lost a cell cannot be told apart by columns.
    if (row.length !== columns.length) continue
    for (const [to, cell] of row.entries()) {
      const gpus: [number, number] = from < to ? [from, to] : [to, from]
      if (from !== to && cellPattern.test(cell) && !cells.has(gpus.join('-'))) cells.set(gpus.join('-'), {gpus, cell})
    }
  }
  return [...cells.values()].sort((a, b) => a.gpus[0] - b.gpus[0] || a.gpus[1] - b.gpus[1])
}

/** rocm-smi's `GPU[0] : Name: value` lines, and its CSV, as fields by card; names in lower case, as their capitals changed. */
export function rocmFieldsOf(text: string): Map<number, Map<string, string | undefined>> {
  const cards = new Map<number, Map<string, string | undefined>>()
  const put = (index: string, name: string, value: string | undefined) => {
    const fields = cards.get(Number(index)) ?? new Map<string, string | undefined>()
    fields.set(name.trim().toLowerCase(), known(value))
    cards.set(Number(index), fields)
  }
  let header: string[] | undefined
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const pair = /^GPU\[(\d{1,3})\]\s*:\s*([^:]{1,60}):\s*(.*)$/.exec(line)
    if (pair?.[1] && pair[2]) put(pair[1], pair[2], pair[3])
    if (/^device,/i.test(line)) header = line.split(',')
    const card = /^card(\d{1,3}),/.exec(line)
    const cells = line.split(',')
    // A comma inside a value moves all cells behind it.
    if (card?.[1] && header && cells.length === header.length) for (const [at, name] of header.entries()) if (at > 0) put(card[1], name, cells[at])
  }
  return cards
}

/**
 * Rows of the table that rocm-smi prints when asked nothing: chip, partition, and the share of memory that is taken. Releases around
 * 6.0 put the revision beside the chip and the name below it.
 */
export function parseRocmConcise(text: string): AmdDevice[] {
  const devices = new Map<number, AmdDevice>()
  let last: AmdDevice | undefined
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const row =
      /^(\d{1,3})\s+(?:\[[^\]]*\]\s+|\d{1,4}\s+)?(0x[0-9a-f]{4}),\s+\d+\s.*?\s(NPS\d|N\/A),\s*([A-Z]PX|N\/A),\s*(\d{1,2})\s/i.exec(line) ??
      /^(\d{1,3})\s+\[(0x[0-9a-f]{4}) : 0x[0-9a-f]{2}\]\s.*?\s(NPS\d|N\/A),\s*([A-Z]PX|N\/A)\s/i.exec(line)
    const name = last && /^ {8}([A-Za-z][\w ./-]{2,40}?)\s*$/.exec(line)?.[1]
    if (name && last) last.names = amdNames(name)
    last = undefined
    if (!row) continue
    const [, index = '', id, memory, compute = '', part] = row
    const partition = known(compute) ? {compute, memory: known(memory), ...(part === undefined ? {} : {id: Number(part)})} : undefined
    const taken = /\s(\d{1,3})%\s+\d{1,3}%\s*$/.exec(line)?.[1]
    last = {index: Number(index), names: [], pciDeviceId: id?.toLowerCase(), ...(partition ? {partition} : {})}
    if (taken !== undefined && Number(taken) <= 100) last.vramUsedShare = Number(taken) / 100
    devices.set(last.index, last)
  }
  return [...devices.values()]
}

/**
 * The table that amd-smi prints when asked nothing, since ROCm 7: two rows a GPU, the first with address and name, which may be
 * cut at its front, or the chip's number in its place. Figures headed MB are MiB.
 */
export function parseAmdTable(text: string): AmdDevice[] {
  const devices = new Map<number, AmdDevice>()
  const lines = withoutStyling(text).split(/\r?\n/)
  const driver = /amdgpu version:\s*(\d{1,4}(?:\.\d{1,4}){1,3})/.exec(lines.find((line) => line.includes('AMD-SMI')) ?? '')?.[1]
  for (const [at, line] of lines.entries()) {
    const first = /^\|\s*([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\s+(\S.*?)\s*\|/i.exec(line)
    const second = /^\|\s*(\d{1,3})\s+\S+\s+\S+\s+(?:([A-Z]PX)\/(NPS\d)|N\/A)\s*\|.*?(?:(\d{1,9})\/(\d{1,9}) MB|N\/A)\s*\|\s*$/.exec(lines[at + 1] ?? '')
    if (!first || !second) continue
    const [, address, name = ''] = first
    const [, index, compute, memory, used, total] = second
    const chip = /^0x[0-9a-f]{4}$/i.exec(name)?.[0]?.toLowerCase()
    const vramBytes = totalBytesOf(total, 'MiB')
    const vramUsedBytes = bytesOf(used, 'MiB')
    devices.set(Number(index), {
      index: Number(index),
      names: chip ? [] : amdNames(name.replace(/^\.{3}/, '').trim()),
      pciAddress: pciAddressOf(address),
      ...(chip ? {pciDeviceId: chip} : {}),
      ...(driver ? {driver} : {}),
      ...(vramBytes === undefined ? {} : {vramBytes}),
      ...(vramUsedBytes === undefined ? {} : {vramUsedBytes}),
      ...(compute ? {partition: {compute, memory}} : {}),
    })
  }
  return [...devices.values()]
}
