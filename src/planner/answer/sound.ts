/** Parts of an answer that are not looked at with it: figures of others, and what `soundPart` looked at before. */
const APART: readonly string[] = ['quality', 'memory']

/**
 * An answer in which no figure is negative, missing or not finite: whoever reads it reckons with it. Only terms that give memory back are negative
 * (offload). It is the one place that looks; what it finds is a defect, and is said where.
 *
 * @throws Error where a figure is impossible.
 */
export function sound<T extends object>(result: T): T {
  for (const [name, value] of Object.entries(result)) if (!APART.includes(name)) requireSound(value, name)
  return result
}

/** The same for a part of answers that is made once for many of them. */
export function soundPart<T extends object>(part: T, place: string): T {
  requireSound(part, place)
  return part
}

function requireSound(value: unknown, place: string): void {
  if (typeof value === 'number') {
    const mayBeNegative = place.startsWith('memory.terms.')
    if (!Number.isFinite(value) || (value < 0 && !mayBeNegative)) throw new Error(`${place} is ${value}, which no figure can be`)
    return
  }
  if (typeof value !== 'object' || value === null) {
    if (value === null) throw new Error(`${place} is null, which no field can be`)
    return
  }
  for (const name in value) requireSound((value as Record<string, unknown>)[name], `${place}.${name}`)
}
