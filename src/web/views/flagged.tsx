import {fieldOf} from '../question/fields.ts'

/** Takes a flag that a sentence names: with its value, or to where it is set. */
export type PressFlag = (flag: string, value: string | undefined) => void

/** A value stands beside its flag: `--prefer speed`. A word that only follows it, as in "--gpu can name a mix", is none. */
function valueBeside(flag: string, word: string | undefined): string | undefined {
  const field = fieldOf(flag)
  if (!field || field.isSwitch || word === undefined || word === '' || word.includes('...')) return undefined
  // What takes any text would take a word of the sentence: a value of those has a digit.
  if (ANY_TEXT.has(field.flag) && !/\d/.test(word)) return undefined
  try {
    field.parse(word)
    return word
  } catch {
    return undefined
  }
}

const ANY_TEXT: ReadonlySet<string> = new Set(['model', 'gpu', 'machine', 'engine', 'engine-version', 'kv-cache', 'draft', 'words', 'growth', 'price'])

/** A sentence whose flags can be pressed where there is a form: a flag with a value is set, one without is shown where it is set. */
export function Flagged({text, press}: {text: string; press: PressFlag | undefined}) {
  if (!text.includes('--')) return <>{text}</>
  const parts = text.split(/(?<![\w-])(--[a-z][a-z-]*[a-z])/)
  return (
    <>
      {parts.map((part, index) => {
        if (index % 2 === 0) return press && index > 0 ? part.slice(taken(parts[index - 1]!, part).length) : part
        const name = part.slice(2)
        const flag = fieldOf(name)?.flag
        if (!flag || !press)
          return (
            <span key={String(index)} class="together">
              {part}
            </span>
          )
        const beside = taken(part, parts[index + 1]!)
        const value = valueBeside(name, beside.trim())
        return (
          <button
            key={String(index)}
            type="button"
            class="flag"
            title={value === undefined ? 'Show where it is set' : 'Ask with this'}
            onClick={() => press(flag, value)}
          >
            {part}
            {beside}
          </button>
        )
      })}
    </>
  )
}

/** What of the text behind a flag is its value, with the blank before it. */
function taken(flag: string, after: string): string {
  const beside = /^ (?:[\w./:=%×-]|,(?=\w))*[\w%]/.exec(after)?.[0] ?? ''
  return valueBeside(flag.slice(2), beside.trim()) === undefined ? '' : beside
}
