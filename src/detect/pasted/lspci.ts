import {HABANA} from '../gaudi.ts'
import {HUAWEI} from '../ascend.ts'
import {AMD} from '../amd-sysfs.ts'
import type {Maker, PlainDevice} from '../plain-gpus.ts'
import {ASCEND_MAKER, GAUDI_MAKER} from '../other-accelerators.ts'
import {pciAddressOf, quotable} from '../quantity.ts'

/** A GPU or accelerator of the bus, as `lspci` prints it. */
export interface ListedPciCard extends PlainDevice {
  maker: Maker
  /** Handed to virtual machines. */
  passedOn: boolean
}

const MAKERS: {vendorId: string; pattern: RegExp; maker: Maker}[] = [
  {vendorId: '0x10de', pattern: /\bNVIDIA\b/, maker: {vendor: 'nvidia', pciVendor: '10de', title: 'NVIDIA GPU'}},
  {vendorId: AMD, pattern: /\bAMD\b|Advanced Micro Devices/, maker: {vendor: 'amd', pciVendor: '1002', title: 'AMD GPU'}},
  {vendorId: '0x8086', pattern: /\bIntel\b/, maker: {vendor: 'intel', pciVendor: '8086', title: 'Intel GPU'}},
  {vendorId: HABANA, pattern: /\bHabana\b/, maker: GAUDI_MAKER},
  {vendorId: HUAWEI, pattern: /\bHuawei\b/, maker: ASCEND_MAKER},
]

/** Address, class by name and perhaps by number, then maker and device. */
const CARD =
  /^\s*((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (?:VGA compatible controller|3D controller|Display controller|Processing accelerators)(?: \[[0-9a-f]{4}\])?: (.*)$/i

/**
 * Display controllers and accelerators of `lspci`, with ids where `-nn` was given. Memory is not there: the regions that `-v` lists are
 * windows into it, not its size. What is behind another maker's bridge chip (ASPEED, Matrox) is no GPU for this.
 */
export function parseLspci(text: string): ListedPciCard[] {
  const cards: ListedPciCard[] = []
  let last: ListedPciCard | undefined
  for (const line of text.split(/\r?\n/)) {
    const [, address, words = ''] = CARD.exec(line) ?? []
    if (address !== undefined) {
      last = cardOf(address, words, cards.length)
      if (last) cards.push(last)
    } else if (/^\s*(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /i.test(line)) last = undefined
    else if (last && /^\s*Kernel driver in use: vfio-pci\s*$/.test(line)) last.passedOn = true
  }
  return cards
}

function cardOf(address: string, words: string, index: number): ListedPciCard | undefined {
  const [, vendor, device] = /\[([0-9a-f]{4}):([0-9a-f]{4})\]/i.exec(words) ?? []
  const found = MAKERS.find(({vendorId, pattern}) => (vendor === undefined ? pattern.test(words) : vendorId === `0x${vendor.toLowerCase()}`))
  if (!found) return undefined
  const named = words
    .replace(/\s*\[[0-9a-f]{4}:[0-9a-f]{4}\].*$/i, '')
    .replace(/\s*\(rev [0-9a-f]{2}\).*$/i, '')
    .replace(/^.*?(?:Corporation|Ltd\.?|Inc\.?|Co\.?)\s+(?:\[AMD(?:\/ATI)?\]\s+)?/, '')
  // Where the list of names does not know the chip its number stands there.
  const bare = /^Device ([0-9a-f]{4})$/i.exec(named)?.[1]
  const name = bare === undefined ? (/\[([^[\]]{3,80})\]\s*$/.exec(named)?.[1] ?? named) : undefined
  const id = device ?? bare
  return {
    index,
    ...(name === undefined || name === '' ? {} : {name: quotable(name, 80)}),
    ...(id === undefined ? {} : {pciDeviceId: `0x${id.toLowerCase()}`}),
    pciAddress: pciAddressOf(address.includes('.') && address.split(':').length === 2 ? `0000:${address}` : address),
    maker: found.maker,
    passedOn: false,
  }
}
