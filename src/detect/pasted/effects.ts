import {PCI_DEVICES} from '../pci.ts'
import type {DetectionEffects, Exec, FindGpu} from '../probe.ts'
import type {ListedPciCard} from './lspci.ts'
import {parseLspci} from './lspci.ts'
import type {OutputKind, PastedOutput} from './outputs.ts'
import {queryText} from './query-rows.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Outputs that say the same however often they are pasted, or say more each time; of the others the last is what is now. */
const JOINED: OutputKind[] = ['rocm-smi', 'amd-smi metric', 'lspci', 'system_profiler', 'sysctl', 'xpu-smi discovery', 'nvidia-smi nvlink -s', 'dmidecode']

/**
 * A world in which the pasted outputs are what the tools print, so that detection reads them as it reads a machine. A tool of which
 * nothing was pasted is not there; one of which something was pasted answers every other question with nothing.
 */
export function pastedEffects(outputs: readonly PastedOutput[], findGpu: FindGpu | undefined): DetectionEffects {
  const text = (kind: OutputKind): string => {
    const own = outputs.filter((output) => output.kind === kind)
    return JOINED.includes(kind) ? own.map((output) => output.text).join('\n') : (own.at(-1)?.text ?? '')
  }
  const has = (...kinds: OutputKind[]) => outputs.some(({kind}) => kinds.includes(kind))
  const answers: {program: string; reply: (words: string) => string; there: boolean}[] = [
    {
      program: 'nvidia-smi',
      there: outputs.some(({kind}) => kind.startsWith('nvidia-smi')),
      reply: (words) => {
        if (words === '') return text('nvidia-smi')
        if (words === '-q -x') return text('nvidia-smi -q')
        if (words === '-L') return text('nvidia-smi -L')
        if (words === 'topo -m') return text('nvidia-smi topo -m')
        if (words.startsWith('topo -p2p')) return text('nvidia-smi topo -p2p')
        if (words.startsWith('nvlink')) return text('nvidia-smi nvlink -s')
        return words.startsWith('--query-gpu') ? queryText(outputs.filter(({kind}) => kind === 'nvidia-smi --query-gpu')) : ''
      },
    },
    {
      program: 'amd-smi',
      there: has('amd-smi', 'amd-smi static', 'amd-smi metric', 'amd-smi topology'),
      reply: (words) => {
        if (words.startsWith('static')) return has('amd-smi static') ? text('amd-smi static') : text('amd-smi')
        if (words.startsWith('metric')) return text('amd-smi metric')
        return words.startsWith('topology') ? text('amd-smi topology') : ''
      },
    },
    {program: 'rocm-smi', there: has('rocm-smi'), reply: () => text('rocm-smi')},
    {program: 'rocminfo', there: has('rocminfo'), reply: () => text('rocminfo')},
    {
      program: 'xpu-smi',
      there: has('xpu-smi', 'xpu-smi discovery', 'xpu-smi topology'),
      reply: (words) => (words.startsWith('discovery') ? text('xpu-smi discovery') : words.startsWith('topology') ? text('xpu-smi topology') : text('xpu-smi')),
    },
    {program: 'hl-smi', there: has('hl-smi'), reply: () => text('hl-smi')},
    {
      program: 'npu-smi',
      there: has('npu-smi info', 'npu-smi topology'),
      reply: (words) => (words.includes('topo') ? text('npu-smi topology') : text('npu-smi info')),
    },
    {program: 'system_profiler', there: has('system_profiler'), reply: () => text('system_profiler')},
    {program: 'sysctl', there: has('sysctl'), reply: () => text('sysctl')},
    {program: 'lscpu', there: has('lscpu'), reply: () => text('lscpu')},
    {program: 'dmidecode', there: has('dmidecode'), reply: () => text('dmidecode')},
  ]
  const exec: Exec = async (command, args) => {
    const own = answers.find(({program}) => program === command)
    return own?.there ? {kind: 'ended', exitCode: 0, stdout: own.reply(args.join(' ')), stderr: ''} : {kind: 'missing'}
  }
  const meminfo = has('meminfo') ? text('meminfo') : meminfoOf(text('free'), outputs.findLast(({kind}) => kind === 'free')?.command)
  // The table of nvidia-smi cuts names; the bus, where it was pasted as well, tells the chip.
  const bus = has('nvidia-smi') ? parseLspci(text('lspci')).filter(({pciDeviceId, maker}) => pciDeviceId !== undefined && maker.vendor === 'nvidia') : []
  const files = new Map<string, string>(bus.map((card) => [`${PCI_DEVICES}/${card.pciAddress}/uevent`, uevent(card)]))
  if (meminfo !== undefined) files.set('/proc/meminfo', meminfo)
  const apple = has('system_profiler', 'sysctl') && !outputs.some(({kind}) => /^(?:nvidia|amd|rocm|xpu|hl|npu)/.test(kind))
  return {
    exec,
    readFile: async (path) => files.get(path),
    listDirectory: async (path) => (path === PCI_DEVICES && bus.length > 0 ? bus.map(({pciAddress}) => pciAddress!) : undefined),
    env: {},
    findGpu,
    system: {platform: apple ? 'darwin' : 'linux'},
  }
}

const uevent = ({maker, pciDeviceId, pciAddress}: ListedPciCard): string =>
  `PCI_CLASS=30200\nPCI_ID=${maker.pciVendor}:${pciDeviceId?.slice(2)}\nPCI_SLOT_NAME=${pciAddress}\n`

const FREE_UNITS: Record<string, number> = dictionary({b: 1 / 1024, k: 1, m: 1024, g: 1024 ** 2})
const SUFFIXES: Record<string, number> = dictionary({B: 1 / 1024, K: 1, M: 1024, G: 1024 ** 2, T: 1024 ** 3})

/** A machine that serves models has 2 GiB at least: a smaller figure is one of `free -m` or `free -g`, whose command was left out. */
const likelyUnit = (total: number): number => (total < 2048 ? FREE_UNITS.g! : total < 2 * 1024 ** 2 ? FREE_UNITS.m! : 1)

/** The line of `free` as the kernel's file has it. Its unit is told by its letter or the flag of the command, and is KiB without either. */
function meminfoOf(free: string, command: string | undefined): string | undefined {
  const cells = /^\s*Mem:\s+(.*)$/m.exec(free)?.[1]?.trim().split(/\s+/) ?? []
  const [total, available] = [cells[0], cells[5]]
  if (total === undefined) return undefined
  const flag = /\s-(?:-(?:bytes|kibi|mebi|gibi)\b|[bkmg]\b)/.exec(command ?? '')?.[0]?.replace(/^\s-+/, '')[0]
  const kibibytes = (cell: string | undefined): number | undefined => {
    const [, digits, suffix] = /^(\d+(?:[.,]\d+)?)([BKMGT])?i?$/.exec(cell ?? '') ?? []
    if (digits === undefined) return undefined
    const unit = suffix ? SUFFIXES[suffix]! : (FREE_UNITS[flag ?? ''] ?? likelyUnit(Number(total)))
    return Math.round(Number(digits.replace(',', '.')) * unit)
  }
  const line = (name: string, value: number | undefined) => (value === undefined ? '' : `${name}: ${value} kB\n`)
  return `${line('MemTotal', kibibytes(total))}${line('MemAvailable', kibibytes(available))}`
}
