import type {GpuPair, MachineProblem} from './machine-document.ts'
import {type ListedCard, type ListedSlice, parseNvidiaCards, parseNvidiaList, runNvidiaList, withProfiles} from './nvidia-mig.ts'
import {parseNvlink, runNvidiaNvlink, withNvlinkRates} from './nvidia-nvlink.ts'
import {parseNvidiaTable, runNvidiaTable} from './nvidia-table.ts'
import {NVIDIA_OLD_FIELDS, parseNvidiaCsv, runNvidiaCsv, saysFieldUnknown} from './nvidia-csv.ts'
import {mergeNvidia, type NvidiaDevice} from './nvidia-device.ts'
import {nvidiaProblemOf, parseNvidiaFailure} from './nvidia-failures.ts'
import {runNvidiaProc} from './nvidia-proc.ts'
import {nvidiaPairs, parseNvidiaPeerAccess, parseNvidiaTopology, runNvidiaPeerAccess, runNvidiaTopology} from './nvidia-topology.ts'
import {parseNvidiaXml, runNvidiaXml} from './nvidia-xml.ts'
import type {PciGpu} from './pci.ts'
import {type DetectionEffects, type ExecOutcome, printedBy, PROBE_TIMEOUT_MS, saidBy} from './probe.ts'
import type {Surroundings} from './surroundings.ts'

export interface NvidiaAnswer {
  devices: NvidiaDevice[]
  pairs: GpuPair[]
  problems: MachineProblem[]
}

const NVIDIA = '0x10de'

/** Places where nvidia-smi may stand outside the search path. */
const OTHER_PLACES = ['/usr/lib/wsl/lib/nvidia-smi', 'C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe']

interface ToolAnswers {
  command: string
  xml: ExecOutcome
  csv: ExecOutcome
  topology: ExecOutcome
  peers: ExecOutcome
  list: ExecOutcome
  links: ExecOutcome
}

/**
 * Asks everything at once, since each start of nvidia-smi costs a good part of a second where persistence mode is off.
 * The short query stands in where the long one fails or is late; the kernel's own files where both do.
 */
export async function detectNvidia(effects: DetectionEffects, surroundings: Surroundings, pci: PciGpu[]): Promise<NvidiaAnswer> {
  const answers = await askTool(effects)
  let devices = mergeNvidia(parseNvidiaXml(printedBy(answers.xml)), parseNvidiaCsv(printedBy(answers.csv)))
  const problems: MachineProblem[] = []
  if (devices.length === 0 && saysFieldUnknown(saidBy(answers.csv))) {
    devices = parseNvidiaCsv(printedBy(await runNvidiaCsv(effects.exec, answers.command, NVIDIA_OLD_FIELDS)), NVIDIA_OLD_FIELDS)
  }
  // The table is the last resort, and only of a tool that answers at all.
  if (devices.length === 0 && answers.csv.kind === 'ended' && answers.xml.kind === 'ended' && !answers.csv.truncated)
    devices = withPciIds(parseNvidiaTable(printedBy(await runNvidiaTable(effects.exec, answers.command))), pci)
  const timeoutMs = effects.timeoutMs ?? PROBE_TIMEOUT_MS
  if (devices.length > 0) {
    // With cards to show, the only general failure worth a word is that another one is missing.
    problems.push(
      ...[answers.xml, answers.csv]
        .flatMap((outcome) => parseNvidiaFailure(saidBy(outcome), surroundings))
        .filter(({code}) => code === 'gpu-lost')
        .slice(0, 1),
    )
    if (problems.length === 0) problems.push(...notListed(devices, surroundings, pci))
    if (answers.xml.kind !== 'ended' && answers.csv.kind !== 'ended') problems.push(...nvidiaProblemOf(answers.xml, surroundings, timeoutMs).slice(0, 1))
  } else {
    const failures = [...nvidiaProblemOf(answers.csv, surroundings, timeoutMs), ...nvidiaProblemOf(answers.xml, surroundings, timeoutMs)]
    // A named cause beats silence or a hang of the other call.
    const vague = new Set(['tool-timeout', 'unreadable-output'])
    const problem = failures.find(({code}) => !vague.has(code)) ?? failures[0]
    if (problem) problems.push(problem)
    if (problem?.code === 'gpu-lost') devices = await askEachOther(effects, answers, pci)
    if (answers.xml.kind === 'missing') problems.push(...(await missingTool(effects, surroundings, pci)))
    if (devices.length === 0) devices = listedDevices(printedBy(answers.list))
    if (devices.length === 0 && mayListAnyway(problems)) devices = await devicesWithoutTool(effects, surroundings.container ? [] : pci)
  }
  const slices: ListedSlice[] = devices.some(({migEnabled}) => migEnabled) ? parseNvidiaList(printedBy(answers.list)) : []
  devices = withListed(withProfiles(devices, slices), parseNvidiaCards(printedBy(answers.list)))
  const paths = nvidiaPairs(parseNvidiaTopology(printedBy(answers.topology)), parseNvidiaPeerAccess(printedBy(answers.peers)))
  const pairs = withNvlinkRates(paths, parseNvlink(printedBy(answers.links)))
  return {devices: uniqueByIndex(devices), pairs, problems}
}

async function askTool({exec}: DetectionEffects): Promise<ToolAnswers> {
  const ask = async (command: string): Promise<ToolAnswers> => {
    const [xml, csv, topology, peers, list, links] = await Promise.all([
      runNvidiaXml(exec, command),
      runNvidiaCsv(exec, command),
      runNvidiaTopology(exec, command),
      runNvidiaPeerAccess(exec, command),
      runNvidiaList(exec, command),
      runNvidiaNvlink(exec, command),
    ])
    return {command, xml, csv, topology, peers, list, links}
  }
  const usual = await ask('nvidia-smi')
  if (usual.xml.kind !== 'missing') return usual
  for (const command of OTHER_PLACES) {
    const other = await ask(command)
    if (other.xml.kind !== 'missing') return other
  }
  return usual
}

/** The table tells no chip; the bus does, by address, and so tells cut names apart. */
function withPciIds(devices: NvidiaDevice[], pci: PciGpu[]): NvidiaDevice[] {
  return devices.map((device) => ({
    ...device,
    pciDeviceId: device.pciDeviceId ?? pci.find(({address}) => address === device.pciAddress)?.deviceId,
  }))
}

/** The list prints whole names, where the table cuts them, and identities. */
function withListed(devices: NvidiaDevice[], cards: ListedCard[]): NvidiaDevice[] {
  return devices.map((device) => {
    const card = cards.find(({index}) => index === device.index)
    if (!card) return device
    const name = device.name ?? card.name
    const unknownFields = name === undefined ? device.unknownFields : device.unknownFields.filter(({field}) => field !== 'name')
    return {...device, uuid: device.uuid ?? card.uuid, ...(name === undefined ? {} : {name}), unknownFields}
  })
}

/** Cards of which only the list tells: names and profiles of slices, no memory. */
function listedDevices(text: string): NvidiaDevice[] {
  const slices = parseNvidiaList(text)
  return parseNvidiaCards(text).map(({index, name, uuid}) => ({
    index,
    name,
    uuid,
    ...(slices.some(({parentIndex}) => parentIndex === index) ? {migEnabled: true} : {}),
    slices: [],
    unknownFields: [],
  }))
}

/** One lost card can spoil the answer for all; each of the others is asked by its address. */
async function askEachOther(effects: DetectionEffects, answers: ToolAnswers, pci: PciGpu[]): Promise<NvidiaDevice[]> {
  const said = `${saidBy(answers.xml)}\n${saidBy(answers.csv)}`.toLowerCase()
  const addresses = pci.filter(({vendorId}) => vendorId === NVIDIA).map(({address}) => address)
  const others = addresses.filter((address) => !said.includes(address))
  if (others.length === addresses.length) return []
  const outcomes = await Promise.all(others.slice(0, 16).map((address) => runNvidiaCsv(effects.exec, answers.command, NVIDIA_OLD_FIELDS, address)))
  return outcomes.flatMap((outcome) => parseNvidiaCsv(printedBy(outcome), NVIDIA_OLD_FIELDS))
}

/** Cards that the bus shows and the tool does not. A container sees the bus of its host, so nothing is said there. */
function notListed(devices: NvidiaDevice[], {container, wsl}: Surroundings, pci: PciGpu[]): MachineProblem[] {
  if (container || wsl || devices.some(({pciAddress}) => pciAddress === undefined)) return []
  const missing = pci.filter(({vendorId, address}) => vendorId === NVIDIA && !devices.some(({pciAddress}) => pciAddress === address))
  const known = pci.filter(({vendorId}) => vendorId === NVIDIA).length - missing.length
  // Where none of the addresses agrees the two are not speaking of the same bus.
  if (missing.length === 0 || known === 0) return []
  const drivers = [...new Set(missing.map(({driver}) => driver ?? 'no driver'))].join(', ')
  const passed = missing.every(({driver}) => driver === 'vfio-pci')
  return [
    {
      code: 'gpu-not-listed',
      message: `${missing.length === 1 ? 'One NVIDIA card is' : `${missing.length} NVIDIA cards are`} on the bus, but nvidia-smi does not list ${missing.length === 1 ? 'it' : 'them'} (held by ${drivers})`,
      remedy: passed
        ? 'nothing needs to be done if it is meant for virtual machines (vfio-pci); otherwise bind it to the nvidia driver again'
        : 'look for "NVRM" in dmesg: the card may be too old for this driver, without power, or need a reboot',
    },
  ]
}

/** Nothing is said of a missing tool on a machine without an NVIDIA card. */
async function missingTool({readFile, exists}: DetectionEffects, {container}: Surroundings, pci: PciGpu[]): Promise<MachineProblem[]> {
  const cards = pci.filter(({vendorId}) => vendorId === NVIDIA)
  const kernelModule = await readFile('/proc/driver/nvidia/version')
  if (cards.length === 0 && !kernelModule) return []
  const count = cards.length > 0 ? `${cards.length} NVIDIA ${cards.length === 1 ? 'card' : 'cards'}` : 'an NVIDIA card'
  if (container && !(await exists?.('/dev/nvidiactl'))) {
    return [
      {
        code: 'in-container-without-gpus',
        message: `The host has ${count}, but this container was started without access to GPUs`,
        remedy:
          'start it with `--gpus all` (Docker, with the NVIDIA Container Toolkit), `--device nvidia.com/gpu=all` (Podman) or a GPU resource request (Kubernetes)',
      },
    ]
  }
  if (container) {
    return [
      {
        code: 'tool-missing',
        message: `This container has GPUs but no nvidia-smi`,
        remedy: 'set NVIDIA_DRIVER_CAPABILITIES=compute,utility when starting the container',
      },
    ]
  }
  const holder = cards.find(({driver}) => driver === 'vfio-pci' || driver === 'nouveau')?.driver
  const because =
    holder === 'vfio-pci'
      ? '; it is handed to virtual machines (vfio-pci)'
      : holder === 'nouveau'
        ? '; it runs on the nouveau driver, which cannot serve models'
        : ''
  return [
    {
      code: 'tool-missing',
      message: `The machine has ${count} but no nvidia-smi${because}`,
      remedy:
        holder === 'vfio-pci'
          ? 'run servefit inside the virtual machine, or give the card back to the host'
          : 'install the NVIDIA driver with its tools (package nvidia-utils or nvidia-driver), then reboot',
    },
  ]
}

/** A card that this container or this user cannot reach is not offered for planning. */
function mayListAnyway(problems: MachineProblem[]): boolean {
  return !problems.some(({code}) => code === 'in-container-without-gpus' || code === 'container-lost-gpus' || code === 'no-devices')
}

/** A container sees every card of its host on the bus, so there only the kernel module's own list is taken: `pci` is empty. */
async function devicesWithoutTool(effects: DetectionEffects, pci: PciGpu[]): Promise<NvidiaDevice[]> {
  const cards = pci
    .filter(({vendorId, driver}) => vendorId === NVIDIA && driver !== 'vfio-pci')
    .map(({address, deviceId}, index): NvidiaDevice => ({index, pciAddress: address, pciDeviceId: deviceId, slices: [], unknownFields: []}))
  const fromKernel = await runNvidiaProc(effects)
  return fromKernel.length > 0
    ? fromKernel.map((device) => ({...device, pciDeviceId: cards.find(({pciAddress}) => pciAddress === device.pciAddress)?.pciDeviceId}))
    : cards
}

function uniqueByIndex(devices: NvidiaDevice[]): NvidiaDevice[] {
  return [...new Map(devices.toReversed().map((device) => [device.index, device])).values()].sort((a, b) => a.index - b.index)
}
