import {useState} from 'preact/hooks'

const SHOWN_MS = 1500

/** Copies a text, also where a page from a file has no clipboard of its own. */
export function CopyButton({text}: {text: string}) {
  const [done, setDone] = useState<'copied' | 'not copied' | undefined>()
  const copy = async () => {
    setDone((await copied(text)) ? 'copied' : 'not copied')
    setTimeout(() => setDone(undefined), SHOWN_MS)
  }
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      {done ?? 'copy'}
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
