import {arrayOf, objectOf, parseLooseJson} from '../loose-json.ts'

/** What a pasted text may hold, by the command that prints it. */
export type OutputKind =
  | 'nvidia-smi'
  | 'nvidia-smi -q'
  | 'nvidia-smi -L'
  | 'nvidia-smi nvlink -s'
  | 'nvidia-smi --query-gpu'
  | 'nvidia-smi topo -m'
  | 'nvidia-smi topo -p2p'
  | 'rocm-smi'
  | 'amd-smi'
  | 'amd-smi static'
  | 'amd-smi metric'
  | 'amd-smi topology'
  | 'rocminfo'
  | 'xpu-smi discovery'
  | 'xpu-smi'
  | 'xpu-smi topology'
  | 'hl-smi'
  | 'npu-smi info'
  | 'npu-smi topology'
  | 'lspci'
  | 'system_profiler'
  | 'sysctl'
  | 'meminfo'
  | 'free'
  | 'lscpu'
  | 'dmidecode'

export interface PastedOutput {
  kind: OutputKind
  text: string
  /** The command that stands before it, as it was typed. */
  command?: string
}

/** First lines by which outputs are known. The first that matches wins. */
const STARTS: {kind: OutputKind; pattern: RegExp}[] = [
  {kind: 'nvidia-smi -q', pattern: /^\s*(?:<\?xml\b|<!DOCTYPE nvidia_smi_log|<nvidia_smi_log\b)|=NVSMI LOG=/},
  {kind: 'nvidia-smi', pattern: /\bNVIDIA-SMI\s+\d/},
  {kind: 'nvidia-smi -L', pattern: /^\s*GPU 0: \S/},
  {kind: 'nvidia-smi topo -m', pattern: /^\s*GPU0\s+(?!X\b)\S/},
  {kind: 'rocm-smi', pattern: /ROCm System Management Interface|^\s*GPU\[0\]\s*:|^\s*device,.*\b(?:VRAM|Card|GPU)\b/i},
  {kind: 'amd-smi', pattern: /\bAMD-SMI\s+\d/},
  {kind: 'amd-smi static', pattern: /^\s*GPU: \d{1,3}$/},
  {kind: 'amd-smi topology', pattern: /^\s*(?:ACCESS|WEIGHT|HOPS|LINK TYPE|NUMA BW) TABLE:\s*$/},
  {kind: 'rocminfo', pattern: /^\s*(?:ROCk module\b|HSA System Attributes|HSA Agents|\*{7}$)/},
  {kind: 'xpu-smi discovery', pattern: /^\s*\|\s*Device ID\s*\|\s*Device Information/},
  {kind: 'xpu-smi', pattern: /\bIntel XPU-SMI\b/},
  {kind: 'xpu-smi topology', pattern: /^\s*GPU \d{1,3}\/\d{1,2}\s/},
  {kind: 'hl-smi', pattern: /\bHL-SMI Version:|^\s*0,[^,]*,\s*HL-/},
  {kind: 'npu-smi info', pattern: /^\s*\|\s*(?:npu-smi \d|NPU\s+Name\s*\||Chip\s[^|]*\|\s*Bus-Id\s*\|\s*AICore)/},
  {kind: 'npu-smi topology', pattern: /^\s*NPU0\s+(?!X\b)\S/},
  {kind: 'lspci', pattern: /^\s*(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] (?:"|[A-Z0-9][\w /-]+(?: \[[0-9a-f]{4}\])?: )/i},
  {kind: 'meminfo', pattern: /^\s*MemTotal:\s+\d+ kB$/},
  {kind: 'free', pattern: /^\s*total\s+used\s+free\s+shared\b/},
  {kind: 'lscpu', pattern: /^\s*(?:Architecture:\s+\S|CPU\(s\):\s+\d)/},
  {kind: 'dmidecode', pattern: /^\s*# dmidecode \d/},
  {kind: 'system_profiler', pattern: /^\s*(?:Graphics\/Displays|Hardware|Memory):$|^\s*(?:Chipset Model|Chip): Apple \S/},
  {kind: 'sysctl', pattern: /^\s*(?:hw\.memsize|machdep\.cpu\.brand_string|iogpu\.wired_limit_mb): \S/},
]

/** A card of a table whose head was left out. */
const HEADLESS: {kind: OutputKind; pattern: RegExp}[] = [
  {kind: 'nvidia-smi', pattern: /^\s*\|\s+\d{1,3}\s+(?:NVIDIA|Tesla|Quadro|GeForce|TITAN|GRID|Orin)\b[^|]*\|[^|]*\|[^|]*\|$/},
  {kind: 'hl-smi', pattern: /^\s*\|\s+\d{1,3}\s+HL-\d[^|]*\|[^|]*\|/},
  {kind: 'nvidia-smi --query-gpu', pattern: /^\s*(?:\d{1,3},\s*)?(?:NVIDIA|Tesla|Quadro|GeForce|TITAN) [^,|]{2,60},(?:[^,]*,)*\s*\d{3,7}(?: MiB)?(?:,|$)/},
]

/** Sections inside which a line that would begin another is a part of it. */
const PARTS: Partial<Record<OutputKind, OutputKind[]>> = {
  'rocm-smi': ['rocm-smi', 'nvidia-smi topo -m'],
  'amd-smi topology': ['amd-smi topology'],
  rocminfo: ['rocminfo'],
  'xpu-smi topology': ['xpu-smi topology'],
  'npu-smi info': ['npu-smi info'],
  lspci: ['lspci'],
  lscpu: ['lscpu'],
  system_profiler: ['system_profiler'],
  sysctl: ['sysctl'],
}

const PROGRAM =
  /(?:^|[$#>%❯➜»] ?|\bsudo |\bssh \S{1,80} |\bexec (?:-\w+ )*\S{1,80} |\bwatch (?:-\S+ (?:\d+ )?)*)((?:\/\S*\/)?(?:nvidia-smi|rocm-smi|amd-smi|xpu-smi|xpumcli|hl-smi|npu-smi|rocminfo|lspci|lscpu|free|dmidecode|sysctl|system_profiler)(?:\.exe)?(?:\s[^|]*)?|cat \/proc\/meminfo)(?:\s*\|.*)?$/

/** `index, name, memory.total [MiB]`: names of fields of the query, one of them telling of a card. */
const QUERY_HEADER = /^\s*[a-z][\w.]*(?: \[[^\],]*\])?(?:,\s*[A-Za-z][\w.]*(?: \[[^\],]*\])?)*$/
// Programs on a card are another query: its rows are no cards.
const isQueryHeader = (line: string): boolean =>
  !/\bpid\b/.test(line) && /(?:^|[\s,])(?:name|gpu_name|memory\.(?:total|used|free)|uuid|index)\b/.test(line) && QUERY_HEADER.test(line)

/** The outputs that a text holds, in its order. Lines that belong to none are passed over. */
export function outputsIn(lines: readonly string[]): PastedOutput[] {
  const outputs: {kind: OutputKind; lines: string[]; command?: string}[] = []
  let command: string | undefined
  let current: (typeof outputs)[number] | undefined
  const begin = (kind: OutputKind, line: string) => {
    current = {kind, lines: [line], ...(command === undefined ? {} : {command})}
    outputs.push(current)
    command = undefined
  }
  for (const line of lines) {
    const typed = line.length < 400 && !/^\s*[|+<]/.test(line) ? PROGRAM.exec(line)?.[1] : undefined
    if (typed !== undefined) {
      current = undefined
      command = typed.trim()
      continue
    }
    const kind = kindOf(line, current, command)
    if (kind !== undefined) begin(kind, line)
    else if (current) {
      current.lines.push(line)
      if (line.includes('</nvidia_smi_log>')) current = undefined
    }
  }
  return [...outputs.map(told).filter((output) => output !== undefined), ...jsonOutputs(lines.join('\n'))]
}

function kindOf(line: string, current: {kind: OutputKind; lines: string[]} | undefined, command: string | undefined): OutputKind | undefined {
  // XML is one output to its end.
  if (current?.kind === 'nvidia-smi -q' && current.lines.some((own) => own.includes('<nvidia_smi_log') || own.includes('<?xml'))) return undefined
  const start = STARTS.find(({pattern}) => pattern.test(line))?.kind
  // Blocks of one answer count on; one that does not begins another.
  if (start === 'amd-smi static' && current?.kind === start && numberIn(line) > Math.max(...current.lines.filter((own) => /^\s*GPU: /.test(own)).map(numberIn)))
    return undefined
  if (start !== undefined) return PARTS[current?.kind ?? start]?.includes(start) && current ? undefined : start
  if (isQueryHeader(line)) return 'nvidia-smi --query-gpu'
  if (current?.kind === 'nvidia-smi --query-gpu') return undefined
  if (current === undefined && /^sysctl -n hw\.memsize$/.test(command ?? '') && /^\d{9,14}$/.test(line)) return 'sysctl'
  if (current === undefined && command !== undefined && /--query-gpu/.test(command) && line.includes(',')) return 'nvidia-smi --query-gpu'
  const row = HEADLESS.find(({pattern}) => pattern.test(line))?.kind
  return row === undefined || row === current?.kind || current?.kind === 'nvidia-smi -q' ? undefined : row
}

const numberIn = (line: string): number => Number(/\d+/.exec(line)?.[0] ?? 0)

/** What the lines of a section turn out to be. */
function told({kind, lines, command}: {kind: OutputKind; lines: string[]; command?: string}): PastedOutput | undefined {
  const dedented = kind === 'nvidia-smi -q' ? lines : withoutIndent(lines)
  // `sysctl -n` prints the figure without its name.
  const text = `${kind === 'sysctl' && /^\d+$/.test(lines[0] ?? '') ? `hw.memsize: ${lines[0]}` : dedented.join('\n')}\n`
  const by = (own: OutputKind): PastedOutput => ({kind: own, text, ...(command === undefined ? {} : {command})})
  if (kind === 'nvidia-smi -L') return by(/^\s*(?:Link \d|.*links? (?:is|are) )/im.test(text) ? 'nvidia-smi nvlink -s' : kind)
  if (kind === 'nvidia-smi topo -m') return by(/^\s*GPU\d+\s.*\b(?:OK|CNS|GNS|TNS|NS)\b/m.test(text) ? 'nvidia-smi topo -p2p' : kind)
  if (kind === 'amd-smi static' && !/\b(?:MARKET_NAME|TARGET_GRAPHICS_VERSION|PRODUCT_NAME|DEVICE_ID|VRAM):/.test(text))
    return by(/\bMEM_USAGE:/.test(text) ? 'amd-smi metric' : kind)
  return by(kind)
}

/** A section that was pasted with blanks before every line loses them; the first line sets how many. */
function withoutIndent(lines: string[]): string[] {
  const blanks = /^\s*/.exec(lines[0] ?? '')?.[0] ?? ''
  const isMatrix = /^\s*(?:GPU|NPU)\d|^\s*total\s+used/.test(lines[0] ?? '')
  if (blanks === '' || isMatrix) return lines
  return lines.map((line) => (line.startsWith(blanks) ? line.slice(blanks.length) : line.trimStart()))
}

/** Eight cards with all that amd-smi tells of them are below 1 MiB. */
const MOST_JSON_CHARACTERS = 4 * 2 ** 20

/** JSON is known by its keys, wherever it stands. */
function jsonOutputs(text: string): PastedOutput[] {
  return parseLooseJson(text.slice(0, MOST_JSON_CHARACTERS)).flatMap((document): PastedOutput[] => {
    const kind = kindOfJson(document)
    return kind === undefined ? [] : [{kind, text: JSON.stringify(document)}]
  })
}

function kindOfJson(document: unknown): OutputKind | undefined {
  const object = objectOf(document)
  const keys = Object.keys(object)
  if (keys.some((key) => /^card\d{1,3}$/.test(key))) return 'rocm-smi'
  if (keys.some((key) => /^SP(?:Displays|Hardware|Memory)DataType$/.test(key))) return 'system_profiler'
  if ('device_list' in object || ('device_id' in object && 'device_name' in object)) return 'xpu-smi discovery'
  const entry = objectOf((Array.isArray(document) ? document : arrayOf(object.gpu_data))[0])
  if (!('gpu' in entry)) return undefined
  if ('mem_usage' in entry && !('asic' in entry)) return 'amd-smi metric'
  return 'links' in entry || 'link_type' in entry ? 'amd-smi topology' : 'amd-smi static'
}
