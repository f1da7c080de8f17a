const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Sets a field by its dotted path; what stands in the way of the path is replaced. */
export function setField(content: Record<string, unknown>, path: string, value: unknown): void {
  const parts = path.split('.')
  const last = parts.pop() ?? path
  let place = content
  for (const part of parts) {
    if (!isMapping(place[part])) place[part] = {}
    place = place[part] as Record<string, unknown>
  }
  place[last] = value
}

/** Adds fields to others, mapping by mapping; nothing of what is added is shared afterwards. */
export function mergeFields(into: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(from)) {
    const own = into[key]
    if (isMapping(value) && isMapping(own)) mergeFields(own, value)
    else into[key] = structuredClone(value)
  }
}
