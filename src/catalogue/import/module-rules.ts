import {compilePattern, type Matcher} from './pattern.ts'

/** Longest lists that are read; the longest published one has 22,422 entries. */
const MAX_ENTRIES = 200_000
/** Patterns for one layer are tried in that layer only; the longest published list of them has 471. */
const MAX_LAYER_PATTERNS = 5000
/** Patterns that may name any layer are tried everywhere; published lists have up to 20. */
const MAX_GENERAL_PATTERNS = 100

/** Answers whether any entry of a list names a module or one of the modules around it. */
export class ModuleList {
  private readonly exact = new Set<string>()
  /** First steps of the exact names: a part of a module's name that begins otherwise need not be looked up. */
  private readonly beginnings = new Set<string>()
  private readonly anywhere: Matcher[] = []
  private readonly inLayer = new Map<string, Matcher[]>()
  /** Parts of the answer that hold for every layer alike. */
  readonly dependsOnLayer: boolean

  constructor(entries: readonly string[], warnings: string[]) {
    let dependsOnLayer = false
    let layerPatterns = 0
    let leftOut = Math.max(0, entries.length - MAX_ENTRIES)
    for (const entry of entries.slice(0, MAX_ENTRIES)) {
      const expression = entry.startsWith('re:') ? entry.slice(3) : undefined
      if (/\d/.test(entry)) dependsOnLayer = true
      if (expression === undefined && !entry.includes('*')) {
        const name = entry.replace(/\.(?:weight|bias)$/, '')
        this.exact.add(name)
        this.beginnings.add(name.split('.', 1)[0]!)
        continue
      }
      const layer = /\blayers\\?\.(\d+)(?:\\?\.)/.exec(entry)?.[1]
      if (layer === undefined ? this.anywhere.length >= MAX_GENERAL_PATTERNS : ++layerPatterns > MAX_LAYER_PATTERNS) {
        leftOut++
        continue
      }
      const matcher = compilePattern(expression ?? fromGlob(entry))
      if (!matcher) {
        warnings.push(`quantization_config: the pattern "${entry.slice(0, 80)}" is not understood and was left out`)
        continue
      }
      if (layer === undefined) this.anywhere.push(matcher)
      else this.inLayer.set(layer, [...(this.inLayer.get(layer) ?? []), matcher])
    }
    this.dependsOnLayer = dependsOnLayer
    if (leftOut > 0) warnings.push(`quantization_config: ${leftOut} of a list of ${entries.length} modules were left out, more than what is read`)
  }

  /** `layer`: the layer's number, which saves trying the patterns of other layers. */
  names(module: string, layer?: number): boolean {
    if (this.exact.size > 0 && this.holdsPartOf(module)) return true
    if (this.anywhere.some((matches) => matches(module))) return true
    return layer !== undefined && (this.inLayer.get(String(layer)) ?? []).some((matches) => matches(module))
  }

  /** True when the list holds any run of whole dotted steps of the name: of a.b.c, one of a, a.b, a.b.c, b, b.c, c. */
  private holdsPartOf(module: string): boolean {
    const steps = module.split('.')
    for (let from = 0; from < steps.length; from++) {
      if (!this.beginnings.has(steps[from]!)) continue
      let part = ''
      for (let to = from; to < steps.length; to++) {
        part = to === from ? steps[to]! : `${part}.${steps[to]}`
        if (this.exact.has(part)) return true
      }
    }
    return false
  }
}

/** `*` stands for anything; the rest must begin and end at whole dotted parts. */
function fromGlob(glob: string): string {
  const body = glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '.*')
  return `(.*\\.)?${body}(\\..*)?$`
}
