/** Lists that explain a figure and are long: term by term, part by part, with their rules. */
const EXPLAINING = new Set(['terms', 'breakdown'])

/** A document without what only explains its figures, unless that was asked for; lists stay, and are empty. */
export const shortened =
  (explain: unknown) =>
  <D extends object>(document: D): D =>
    explain === true ? document : (without(document) as D)

function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, EXPLAINING.has(name) && Array.isArray(part) ? [] : without(part)]))
}
