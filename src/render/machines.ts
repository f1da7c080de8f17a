import {commandLines} from './command-lines.ts'
import type {System} from '../catalogue/system.ts'
import type {Accelerator, LinkKind} from '../core/accelerator.ts'
import {count, gib} from './numbers.ts'
import {padEnd, wrap} from './style.ts'
import {type Look, tablesOf} from './look.ts'
import {table} from './tables.ts'

type GpuOf = (id: string) => Accelerator | undefined

const LINKS: Record<LinkKind, string> = {
  nvlink: 'NVLink',
  xgmi: 'xGMI',
  'pcie-p2p': 'PCIe with peer access',
  'pcie-host': 'PCIe through the host',
  network: 'the network',
  unified: 'one memory',
  other: 'a link of their own',
}

/** The same for a column. */
const SHORT_LINKS: Record<LinkKind, string> = {...LINKS, 'pcie-p2p': 'PCIe', 'pcie-host': 'PCIe', network: 'network', other: 'own'}

const gpusInWords = ({gpus}: System): string => gpus.map(({id, count: own}) => `${own > 1 ? `${own} x ` : ''}${id}`).join(', ') || 'none'

/** Of all GPUs of one node. */
const memoryOf = ({gpus}: System, gpuOf: GpuOf): number =>
  gpus.reduce((sum, {id, count: own, memoryBytes}) => sum + own * (memoryBytes ?? gpuOf(id)?.memoryBytes ?? 0), 0)

const hasLink = ({gpus}: System): boolean => gpus.reduce((sum, {count: own}) => sum + own, 0) > 1

/** `machines` for people. */
export function machinesTable(systems: readonly System[], gpuOf: GpuOf, look: Look): string {
  const list = table(
    systems,
    [
      {title: 'Machine', value: ({id}) => id},
      {title: 'GPUs', value: (system) => `${system.nodeCount > 1 ? `${system.nodeCount} nodes of ` : ''}${gpusInWords(system)}`},
      {title: 'GiB', value: (system) => gib(memoryOf(system, gpuOf)), right: true},
      {title: 'Link', value: (system) => (system.link && hasLink(system) ? SHORT_LINKS[system.link.kind] : ''), expendable: 1},
      {title: 'Kind', value: ({kind}) => kind.replace('-instance', ''), expendable: 2},
    ],
    tablesOf(look),
  )
  return `${list}\n${wrap('GiB: memory of the GPUs of one node. servefit machines NAME shows one; servefit check MODEL --machine NAME asks about it.', look.columns)}\n`
}

/** One machine for people. */
export function renderSystem(system: System, gpuOf: GpuOf, columns: number): string {
  const {name, id, kind, aliases, nodeCount, host, link, hostLink, network, maxPowerWatts, localDeployment, confidence} = system
  const row = (label: string, text: string) => `  ${padEnd(label, 14)}${wrap(text, columns - 16, 16)}`
  const lines = [wrap(`${name}  ${id}`, columns), '']
  for (const [at, {id: gpu, count: own, memoryBytes}] of system.gpus.entries()) {
    const each = memoryBytes ?? gpuOf(gpu)?.memoryBytes
    lines.push(
      row(
        at === 0 ? 'GPUs' : '',
        `${own} x ${gpu}${each === undefined ? '' : `, ${gib(each)} GiB${own > 1 ? ' each' : ''}${system.unifiedMemory ? ', shared with the host' : ''}`}`,
      ),
    )
  }
  if (system.gpus.length === 0) lines.push(row('GPUs', 'none: servefit cannot plan for it'))
  if (nodeCount > 1) lines.push(row('Nodes', `${nodeCount}, alike`))
  if (link && hasLink(system)) {
    const domain = link.domainGpuCount === undefined ? '' : ` among ${link.domainGpuCount} GPUs`
    lines.push(
      row(
        'Linked by',
        `${LINKS[link.kind]}${domain}${link.beyondDomain ? `, ${LINKS[link.beyondDomain]} beyond` : ''}${link.topology ? `: ${link.topology}` : ''}`,
      ),
    )
  }
  if (hostLink) {
    const pcie =
      hostLink.kind === 'pcie'
        ? `PCIe${hostLink.generation ? ` ${hostLink.generation}.0` : ''}${hostLink.laneCount ? ` x${hostLink.laneCount}` : ''}`
        : 'NVLink-C2C'
    lines.push(row('To the host', `${pcie}${hostLink.bytesPerSecondPerDirection ? `, ${count(hostLink.bytesPerSecondPerDirection / 1e9)} GB/s each way` : ''}`))
  }
  if (network) {
    const each = network.bytesPerSecondPerGpu ? `${count((network.bytesPerSecondPerGpu * 8) / 1e9)} Gb/s for each GPU` : undefined
    lines.push(row('Network', [each, network.nics, network.fabric].filter(Boolean).join('; ')))
  }
  if (host) {
    const memory =
      host.memoryBytes && !system.unifiedMemory
        ? `${gib(host.memoryBytes)} GiB${host.memoryBandwidthBytesPerSecond ? ` at ${count(host.memoryBandwidthBytesPerSecond / 1e9)} GB/s` : ''}`
        : undefined
    const words = [host.cpu, host.virtualCpuCount && `${host.virtualCpuCount} virtual CPUs`, memory].filter(Boolean).join(', ')
    if (words !== '') lines.push(row('Host', words))
  }
  if (maxPowerWatts) lines.push(row('Power', `${count(maxPowerWatts)} W at most${nodeCount > 1 ? ', all nodes' : ''}`))
  lines.push(row('Kind', `${kind}${localDeployment ? '' : ', to rent only'}${confidence === 'low' ? '; figures of little certainty' : ''}`))
  if (aliases.length > 0) lines.push(row('Also', aliases.join(', ')))
  if (system.gpus.length > 0 || system.host?.memoryBytes !== undefined)
    lines.push('', `  ${padEnd('Next', 14)}${commandLines(`servefit check qwen3-32b --machine ${id}`, {columns}, 16)}`)
  return `${lines.join('\n')}\n`
}
