import {useState} from 'preact/hooks'

const SHOWN_MS = 1500

/** Copies a text, also where a page from a file has no clipboard of its own. */
export function CopyButton({text, label = 'copy'}: {text: string | (() => string); label?: string}) {
  const [done, setDone] = useState<'copied' | 'not copied' | undefined>()
  const copy = async () => {
    setDone((await copied(typeof text === 'string' ? text : text())) ? 'copied' : 'not copied')
    setTimeout(() => setDone(undefined), SHOWN_MS)
  }
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      {done ?? label}
    </button>
  )
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    return done
  }
}

/** Saves a text under its name. */
export function SaveButton({name, text}: {name: string; text: string}) {
  const save = () => {
    const address = URL.createObjectURL(new Blob([text], {type: 'text/plain'}))
    const link = document.createElement('a')
    link.href = address
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(address), SHOWN_MS)
  }
  return (
    <button type="button" class="copy" onClick={save}>
      save
    </button>
  )
}
