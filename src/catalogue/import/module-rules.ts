import {compilePattern, type Matcher} from './pattern.ts'

/** Longest lists that are read; the longest published one has 22,422 entries. */
const MAX_ENTRIES = 200_000
/** Patterns with wildcards are tried one by one; the longest published list of them has 471. */
const MAX_WILDCARDS = 5000

/** Answers whether any entry of a list names a module or one of the modules around it. */
export class ModuleList {
  private readonly exact = new Set<string>()
  private readonly anywhere: Matcher[] = []
  private readonly inLayer = new Map<string, Matcher[]>()
  /** Parts of the answer that hold for every layer alike. */
  readonly dependsOnLayer: boolean

  constructor(entries: readonly string[], warnings: string[]) {
    let dependsOnLayer = false
    let wildcards = 0
    for (const entry of entries.slice(0, MAX_ENTRIES)) {
      const expression = entry.startsWith('re:') ? entry.slice(3) : undefined
      if (/\d/.test(entry)) dependsOnLayer = true
      if (expression === undefined && !entry.includes('*')) {
        this.exact.add(entry.replace(/\.(?:weight|bias)$/, ''))
        continue
      }
      if (++wildcards > MAX_WILDCARDS) continue
      const matcher = compilePattern(expression ?? fromGlob(entry))
      if (!matcher) {
        warnings.push(`quantization_config: the pattern "${entry.slice(0, 80)}" is not understood and was left out`)
        continue
      }
      const layer = /\blayers\\?\.(\d+)(?:\\?\.)/.exec(entry)?.[1]
      if (layer === undefined) this.anywhere.push(matcher)
      else this.inLayer.set(layer, [...(this.inLayer.get(layer) ?? []), matcher])
    }
    this.dependsOnLayer = dependsOnLayer
    if (entries.length > MAX_ENTRIES || wildcards > MAX_WILDCARDS) warnings.push(`quantization_config: a list of ${entries.length} modules is longer than what is read; the rest was left out`)
  }

  /** `layer`: the layer's number, which saves trying the patterns of other layers. */
  names(module: string, layer?: number): boolean {
    if (this.exact.size > 0 && partsOf(module).some(part => this.exact.has(part))) return true
    if (this.anywhere.some(matches => matches(module))) return true
    return layer !== undefined && (this.inLayer.get(String(layer)) ?? []).some(matches => matches(module))
  }
}

/** Every run of whole dotted parts of a name: `a.b.c` gives a, a.b, a.b.c, b, b.c, c. */
function partsOf(module: string): string[] {
  const steps = module.split('.')
  const parts: string[] = []
  for (let from = 0; from < steps.length; from++) for (let to = from + 1; to <= steps.length; to++) parts.push(steps.slice(from, to).join('.'))
  return parts
}

/** `*` stands for anything; the rest must begin and end at whole dotted parts. */
function fromGlob(glob: string): string {
  const body = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*')
  return `(.*\\.)?${body}(\\..*)?$`
}
