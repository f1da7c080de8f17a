import {withoutStyling} from './quantity.ts'
import type {XmlElement} from './xml.ts'
import {dictionary} from '../core/dictionary.ts'

/**
 * `nvidia-smi -q` as text says what `-q -x` says, in words and by indentation. Here it becomes the same tree, so that one reader
 * takes both. Words that are not listed are named as the XML does it: in lower case, with underscores.
 */
const NAMES: Record<string, string> = dictionary({
  gpu_uuid: 'uuid',
  gpu_link_info: 'pci_gpu_link_info',
  pcie_generation: 'pcie_gen',
  link_width: 'link_widths',
  bus_id: 'pci_bus_id',
  device_id: 'pci_device_id',
  process_id: 'process_info',
  used_gpu_memory: 'used_memory',
})

/** Words that several sections use, each with a name of its own in the XML. */
const NAMES_WITHIN: Record<string, Record<string, string>> = dictionary<Record<string, string>>({
  mig_mode: dictionary({current: 'current_mig', pending: 'pending_mig'}),
  pcie_gen: dictionary({max: 'max_link_gen', current: 'current_link_gen', host_max: 'max_host_link_gen'}),
  link_widths: dictionary({max: 'max_link_width', current: 'current_link_width'}),
  process_info: dictionary({name: 'process_name'}),
})

const LINE = /^([ \t]*)(\S.*?)[ \t]*(?:[ \t]:(?:[ \t]+(.*?))?)?[ \t]*$/

/** The log as the element that `-q -x` prints; nothing where the text holds none. */
export function nvidiaLog(text: string): XmlElement | undefined {
  // Looked for before anything is split: the text may be megabytes of something else.
  if (!text.includes('NVSMI LOG')) return undefined
  const lines = withoutStyling(text).split(/\r?\n/)
  const log = element('nvidia_smi_log', '')
  let open: {indent: number; element: XmlElement}[] = [{indent: -1, element: log}]
  for (const line of lines) {
    const [, blanks = '', words, value = ''] = LINE.exec(line) ?? []
    if (words === undefined || /^=+/.test(words)) continue
    const card = /^GPU ([0-9a-f:.]+)$/i.exec(words)
    if (card) {
      const gpu = {...element('gpu', ''), attributes: {id: card[1]!}}
      log.children.push(gpu)
      open = [
        {indent: -1, element: log},
        {indent: blanks.length, element: gpu},
      ]
      continue
    }
    open = open.filter(({indent}) => indent < blanks.length)
    const parent = open.at(-1)?.element ?? log
    const child = element(nameOf(words, parent.name), value)
    parentOf(child, parent).children.push(child)
    open.push({indent: blanks.length, element: child})
  }
  return log
}

/** Slices stand in the card itself, and in the XML in a list of their own. */
function parentOf(child: XmlElement, parent: XmlElement): XmlElement {
  if (child.name !== 'mig_device') return parent
  const list = parent.children.find(({name}) => name === 'mig_devices') ?? element('mig_devices', '')
  if (!parent.children.includes(list)) parent.children.push(list)
  return list
}

function nameOf(words: string, parent: string): string {
  const name = words.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  return NAMES_WITHIN[parent]?.[name] ?? NAMES[name] ?? name
}

const element = (name: string, text: string): XmlElement => ({name, attributes: {}, text, children: []})
