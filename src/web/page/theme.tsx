import {useEffect, useState} from 'preact/hooks'

type Theme = 'auto' | 'light' | 'dark'
const NEXT: Record<Theme, Theme> = {auto: 'dark', dark: 'light', light: 'auto'}
const KEY = 'servefit-theme'

/** A page from a file may be allowed to remember nothing. */
function remembered(): Theme {
  try {
    const theme = localStorage.getItem(KEY)
    return theme === 'light' || theme === 'dark' ? theme : 'auto'
  } catch {
    return 'auto'
  }
}

/** Dark, light, or as the system has it. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(remembered)
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // Then it is asked again the next time.
    }
  }, [theme])
  return (
    <button type="button" class="theme" title="Dark, light, or as the system has it" onClick={() => setTheme(NEXT[theme])}>
      Colours: {theme}
    </button>
  )
}
