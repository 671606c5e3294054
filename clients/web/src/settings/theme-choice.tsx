import { useState } from 'react'
import { chooseTheme, readTheme, type Theme } from './theme.ts'

const THEMES: { value: Theme; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' }
]

export function ThemeChoice() {
  const [theme, setTheme] = useState(readTheme)

  function choose(value: Theme) {
    setTheme(value)
    chooseTheme(value)
  }

  return (
    <fieldset className="flex w-fit max-w-full rounded-control border border-line bg-sunken p-1">
      <legend className="sr-only">Theme</legend>
      {THEMES.map(({ value, label }) => (
        <label
          key={value}
          className="cursor-pointer rounded-lg px-4 py-1.5 text-muted has-checked:bg-surface has-checked:font-medium has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-pine"
        >
          <input
            type="radio"
            name="theme"
            className="sr-only"
            checked={theme === value}
            onChange={() => choose(value)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  )
}
