import {linesWithoutActing} from '../core/acting-characters.ts'
import type {Recording} from './recording.ts'
import type {ExecOutcome} from './probe.ts'
import {withoutStyling} from './quantity.ts'

/** Names by which the person or the machine would be known. */
export interface Known {
  hostname?: string
  userNames: string[]
  homes: string[]
}

/** Names of hosts and users that identify nobody, and that tools print in other meanings. */
const ORDINARY =
  /^(?:localhost|root|user|users|admin|administrator|ubuntu|debian|fedora|arch|centos|linux|server|host|gpu|node|nvidia|amd|intel|apple|dgx|home|runner|build|test|work|tmp|code|python3?|docker|default|card|memory|name|none|null|ollama|vllm|sglang)$/i

const PCI = /\b([0-9a-f]{4}|[0-9a-f]{8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])\b/gi

/**
 * The recording without serial numbers, identities, bus addresses, names of hosts and people, network addresses and tokens.
 * The same thing becomes the same stand-in everywhere, in paths too, and addresses keep their order, so the parsers read
 * the cleaned recording as they read the first.
 */
export function cleaned(recording: Recording, known: Known): Recording {
  const addresses = addressesOf(recording)
  const identities = new Map<string, string>()
  const text = (value: string) => cleanText(value, known, addresses, identities)
  const keys = <T>(record: Record<string, T>, value: (entry: T, key: string) => T) =>
    Object.fromEntries(Object.entries(record).map(([key, entry]) => [text(key), value(entry, key)]))
  const {hostname: _hostname, ...system} = recording.system ?? {platform: 'unknown'}
  // First, since the environment may name cards by the beginning of an identity that only the outputs tell in full.
  const commands = recording.commands.map(({line, outcome}) => ({line: text(line), outcome: cleanOutcome(outcome, text)}))
  const variable = (value: string, name: string) => {
    if (/_VISIBLE_DEVICES$/.test(name))
      return value
        .split(',')
        .map((entry) => visibleEntry(entry.trim(), identities))
        .join(',')
    return /^(?:KUBERNETES_SERVICE_HOST|WSL_DISTRO_NAME|container)$/.test(name) ? 'set' : text(value)
  }
  return {
    ...recording,
    ...(recording.system ? {system} : {}),
    env: keys(recording.env, variable),
    commands,
    files: keys(recording.files, text),
    directories: keys(recording.directories, (names) => names.map(text)),
    existing: recording.existing.map(text),
    disks: keys(recording.disks, (space) => space),
  }
}

/** A number stays; an identity, whole or abbreviated, becomes the stand-in of the one that it names. */
function visibleEntry(entry: string, identities: Map<string, string>): string {
  const [, kind, start = ''] = /^(GPU|MIG)-(?:GPU-)?(.*)$/i.exec(entry) ?? []
  if (kind === undefined) return /^-?\d+$/.test(entry) || entry === '' ? entry : 'removed'
  const named = [...identities].filter(([identity]) => identity.startsWith(start.toLowerCase()))
  return `${kind}-${named.length === 1 ? named[0]?.[1] : 'removed'}`
}

/** Far more than a tool prints about a machine full of cards; what is longer is a tool gone mad, and a beginning of it tells that. */
const TEXT_LIMIT = 2 ** 20

function cleanOutcome(full: ExecOutcome, text: (value: string) => string): ExecOutcome {
  const long = 'stdout' in full && full.stdout.length + full.stderr.length > TEXT_LIMIT
  const outcome = long
    ? {...full, stdout: full.stdout.slice(0, TEXT_LIMIT), stderr: full.stderr.slice(0, TEXT_LIMIT), ...(full.kind === 'ended' ? {truncated: true} : {})}
    : full
  if (outcome.kind === 'ended' || outcome.kind === 'timeout') return {...outcome, stdout: text(outcome.stdout), stderr: text(outcome.stderr)}
  return outcome.kind === 'failed' ? {...outcome, message: text(outcome.message)} : outcome
}

/** Stand-ins for the addresses of cards, by domain, bus and device; functions of one device stay together. */
function addressesOf(recording: Recording): Map<string, string> {
  const slots = new Set<string>()
  const note = (text: string) => {
    for (const [, domain = '', bus = '', device = ''] of text.matchAll(PCI)) slots.add(slotOf(domain, bus, device))
    for (const [, location = '', domain = '0'] of text.matchAll(/^location_id (\d{1,6})$(?:[\s\S]{0,900}?^domain (\d{1,5})$)?/gm))
      slots.add(slotOfNumber(location, domain))
    for (const [, location = ''] of text.matchAll(/^ {2}BDFID:\s+(\d{1,6})\s*$/gm)) slots.add(slotOfNumber(location, '0'))
  }
  for (const {line, outcome} of recording.commands) {
    note(line)
    if ('stdout' in outcome) note(`${outcome.stdout}\n${outcome.stderr}`)
  }
  for (const [path, content] of Object.entries(recording.files)) note(`${path}\n${content}`)
  for (const names of Object.values(recording.directories)) note(names.join('\n'))
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  return new Map([...slots].sort().map((slot, at) => [slot, `${hex(Math.floor((at + 1) / 256), 4)}:${hex((at + 1) % 256, 2)}:00`]))
}

const slotOf = (domain: string, bus: string, device: string) => `${domain.padStart(8, '0')}:${bus}:${device}`.toLowerCase()

/** Bus and device as one number, as ROCm counts. */
function slotOfNumber(location: string, domain: string): string {
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  return slotOf(hex(Number(domain), 8), hex((Number(location) >> 8) & 0xff, 2), hex((Number(location) >> 3) & 0x1f, 2))
}

function cleanText(source: string, {hostname, userNames, homes}: Known, addresses: Map<string, string>, identities: Map<string, string>): string {
  let text = linesWithoutActing(withoutStyling(source).replace(/\r\n?/g, '\n'), (character) => (character === '\t' ? character : ''))
  for (const home of homes.filter((path) => path.length > 3)) text = text.replaceAll(home, '/home/user')
  text = text
    .replace(/(\\+Users\\+)[^\\/"'<>|:\n]{1,64}(?=\\)/g, (_, place: string) => `${place}user`)
    .replace(/(\/(?:home|Users)\/|\\Users\\)[^\s/\\"'<>|:]+/g, (_, place: string) => `${place}user`)
  text = text
    .replace(/\b(?:hf_|gh[pousr]_|github_pat_|glpat-|sk-|xox[abprs]-|AKIA)[A-Za-z0-9_-]{12,}/g, 'token-removed')
    .replace(/\bBearer\s+[^\s<"',]+/gi, 'Bearer token-removed')
    .replace(/((?:token|secret|password|passwd|api[_-]?key)["']?\s*[=:]\s*["']?)[^\s"',<]+/gi, '$1removed')
    .replace(/(--?(?:hf-)?(?:token|password|api-key)[ =])[^\s<"',]+/gi, '$1removed')
    .replace(/\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{0,64}[a-z]{2,8}\b/gi, 'mail-removed')
  // Serial numbers: in XML, in JSON, behind a colon.
  const serial = String.raw`[\w .-]{0,40}?(?:serial|unique.?id|asset.?tag|\bpdi|\bguid|fru.?id|chassis.?id)[\w .#()-]{0,24}`
  text = text
    .replace(new RegExp(`(<(${serial})>)[^<]*(</)`, 'gi'), '$1removed$3')
    .replace(new RegExp(`("${serial}"\\s*:\\s*)(?:"[^"\\n]*"|-?\\d[\\w.+-]*)`, 'gi'), '$1"removed"')
    .replace(new RegExp(`^([\\t |]*(?:GPU\\[\\d+\\]\\s*:\\s*)?${serial}:[ \\t]*)(?!removed)[^\\s|][^\\n|]*?([ \\t]*\\|?[ \\t]*)$`, 'gim'), '$1removed$2')
    .replace(/\b[0-9A-Z]{4}-HL[0-9A-Z]{4,}(?:-[0-9A-Z]+){3,}\b/g, 'removed')
  text = text.replace(PCI, (whole, domain: string, bus: string, device: string, part: string) => {
    const stand = addresses.get(slotOf(domain, bus, device))
    if (stand === undefined) return whole
    return `${domain.length === 8 ? stand.padStart(stand.length + 4, '0') : stand}.${part}`
  })
  text = text
    .replace(/^location_id (\d{1,6})$([\s\S]{0,900}?^domain )?(\d{1,5}$)?/gm, (whole, location: string, between?: string, domain?: string) => {
      const stand = addresses.get(slotOfNumber(location, domain ?? '0'))
      if (stand === undefined) return whole
      const rest = between === undefined ? '' : `${between}${Number.parseInt(stand.slice(0, 4), 16)}`
      return `location_id ${numberOf(stand, Number(location) & 7)}${rest}`
    })
    .replace(/^( {2}BDFID:\s+)(\d{1,6})(\s*)$/gm, (whole, label: string, location: string, end: string) => {
      const stand = addresses.get(slotOfNumber(location, '0'))
      return stand === undefined ? whole : `${label}${numberOf(stand, Number(location) & 7)}${end}`
    })
    .replace(/(<pci_(?:bus|device|domain|sub_system_id|base_class|sub_class)>)[^<]*(<)/g, '$1removed$2')
    .replace(/(<(?:board_id|minor_number|gpu_module_id)>)[^<]*(<)/g, '$1removed$2')
  const standIn = (whole: string, make: (number: number) => string) => {
    const key = whole.toLowerCase()
    const stand = identities.get(key) ?? make(identities.size + 1)
    identities.set(key, stand)
    return stand
  }
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  text = text
    .replace(/\b[0-9a-f]{8}([-_])[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}\b/gi, (whole) =>
      standIn(whole, (number) => `${hex(number, 8)}-0000-0000-0000-${hex(number, 12)}`),
    )
    .replace(/\bGPU-[0-9a-f]{16}\b/gi, (whole) => standIn(whole, (number) => `GPU-${hex(number, 16)}`))
    .replace(/\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b/gi, (whole) => standIn(whole, (number) => hex(number, whole.length)))
    .replace(/\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi, '00:00:00:00:00:00')
    .replace(/(?<![\w.:-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w-]|\.\d)/g, '0.0.0.0')
    .replace(/(?<![\w:.])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:.])|(?<![\w:.])(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}:?){1,4}(?![\w:.])/gi, '::')
  for (const [name, stand] of [...userNames.map((user) => [user, 'user'] as const), [hostname, 'host'] as const, [hostname?.split('.')[0], 'host'] as const])
    if (name && name.length > 2 && !ORDINARY.test(name))
      text = text.replace(new RegExp(`(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'gi'), stand)
  return text === '' || text.endsWith('\n') || !source.endsWith('\n') ? text : `${text}\n`
}

/** Bus, device and function of a stand-in as one number. */
function numberOf(stand: string, part: number): number {
  const [, bus = '0', device = '0'] = stand.split(':')
  return (Number.parseInt(bus, 16) << 8) | (Number.parseInt(device, 16) << 3) | part
}
