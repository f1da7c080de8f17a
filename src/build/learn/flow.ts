import {parse} from 'yaml'

/** A value as one line of YAML in flow style, as the rows of `data/engines/` are written. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => `${scalar(key)}: ${flow(item)}`)
      .join(', ')}}`
  return typeof value === 'string' ? scalar(value) : String(value)
}

/** A string bare where YAML reads it back as the same string, and quoted elsewhere. */
function scalar(text: string): string {
  if (!/^[-\w./+][-\w./+ ]*$/.test(text) || /^(?:y|n|yes|no|on|off|null|true|false)$/i.test(text)) return JSON.stringify(text)
  try {
    return parse(text) === text ? text : JSON.stringify(text)
  } catch {
    return JSON.stringify(text)
  }
}
