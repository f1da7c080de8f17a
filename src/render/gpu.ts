import {commandLines} from './command-lines.ts'
import type {Accelerator} from '../core/accelerator.ts'
import {count, gib} from './numbers.ts'
import {padEnd, wrap} from './style.ts'

const GB = 1e9

/** One GPU for people. */
export function renderGpu(gpu: Accelerator, columns: number): string {
  const row = (label: string, text: string) => `  ${padEnd(label, 14)}${wrap(text, columns - 16, 16)}`
  const lines = [wrap(`${gpu.name}  ${gpu.id}`, columns), '']
  const basis = gpu.memoryBasis === 'nominal' ? ', as advertised' : ''
  const options = gpu.memoryOptionsBytes?.map(gib).join(', ')
  lines.push(
    row('Memory', `${gib(gpu.memoryBytes)} GiB${basis}${options ? ` (sold with ${options})` : ''}${gpu.unifiedMemory ? ', shared with the host' : ''}`),
  )
  lines.push(row('Bandwidth', gpu.memoryBandwidthBytesPerSecond === undefined ? 'not known' : `${count(gpu.memoryBandwidthBytesPerSecond / GB)} GB/s`))
  const generation = [gpu.architecture, gpu.computeCapability && `compute capability ${gpu.computeCapability.toFixed(1)}`, gpu.gfxTarget]
    .filter(Boolean)
    .join(', ')
  if (generation !== '') lines.push(row('Architecture', generation))
  lines.push(row('Dense rates', rates(gpu.denseOperationsPerSecond) ?? 'not published'))
  const estimated = rates(gpu.estimatedOperationsPerSecond ?? {})
  if (estimated) lines.push(row('', `estimated: ${estimated} (${gpu.estimateBasis})`))
  if (gpu.native.length > 0) lines.push(row('Computes in', gpu.native.join(', ')))
  if (gpu.scaleUp) {
    const {kind, bytesPerSecondPerDirection, scope, maxGpuCount} = gpu.scaleUp
    const words = [`${kind}, ${count(bytesPerSecondPerDirection / GB)} GB/s each way`, maxGpuCount && `up to ${maxGpuCount} GPUs`, scope].filter(Boolean)
    lines.push(row('Link', words.join(', ')))
  }
  if (gpu.pcie) {
    const {generation: own, laneCount, bytesPerSecondPerDirection} = gpu.pcie
    const slot = `PCIe${own ? ` ${own}.0` : ''}${laneCount ? ` x${laneCount}` : ''}`
    const peer = gpu.pciePeerAccess === undefined ? '' : gpu.pciePeerAccess ? ', peer access' : ', no peer access with the stock driver'
    lines.push(row('Bus', `${slot}, ${count(bytesPerSecondPerDirection / GB)} GB/s each way${peer}`))
  }
  if (gpu.devicesPerPackage) lines.push(row('Devices', `${gpu.devicesPerPackage} in each package; the figures are for one`))
  if (gpu.tdpWatts) lines.push(row('Power', `${count(gpu.tdpWatts)} W`))
  if (gpu.releaseYear) lines.push(row('Released', String(gpu.releaseYear)))
  if (gpu.confidence === 'low') lines.push(row('Note', 'its figures are uncertain'))
  const names = [...gpu.aliases, ...(gpu.nicknames ?? [])].filter((name) => name !== gpu.name)
  if (names.length > 0) lines.push(row('Also', names.join(', ')))
  lines.push('', `  ${padEnd('Next', 14)}${commandLines(`servefit check qwen3-32b --gpu 1x${gpu.id}`, {columns}, 16)}`)
  return `${lines.join('\n')}\n`
}

function rates(own: Accelerator['denseOperationsPerSecond']): string | undefined {
  const told = Object.entries(own).map(([type, rate]) => `${type.toUpperCase()} ${rate >= 1e13 ? count(rate / 1e12) : (rate / 1e12).toFixed(1)}`)
  return told.length > 0 ? `${told.join(', ')} TFLOPS` : undefined
}
