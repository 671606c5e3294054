import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const COMMANDS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
  'C:/Program Files (x86)/Google/Chrome/Application/chrome.exe',
  'C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe'
]

/** A Chromium for the browser test: `PAI_CHROMIUM` where it is set, else one that is installed; null: none. */
export function findChromium(): string | null {
  const chosen = process.env.PAI_CHROMIUM
  if (chosen) return chosen
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter).filter(Boolean)]
  const candidates = folders.flatMap((folder) => COMMANDS.map((command) => join(folder, command)))
  return [...candidates, ...PLACES].find((path) => existsSync(path)) ?? null
}
