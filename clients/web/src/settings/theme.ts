import { readStored, writeStored } from '../storage.ts'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'pai.theme'

export function readTheme(): Theme {
  const stored = readStored(KEY)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

/** `public/theme.js` owns what a theme does to the page, since it must also do it before the first paint. */
export function chooseTheme(theme: Theme) {
  writeStored(KEY, theme)
  dispatchEvent(new Event('pai:theme'))
}
