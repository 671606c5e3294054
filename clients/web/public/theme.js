// Runs before the first paint, so that a dark page never flashes white. It is a file of its own
// because the Content-Security-Policy allows no inline script. `src/settings/theme.ts` calls it again.
;(() => {
  const media = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => {
    let chosen = 'system'
    try {
      chosen = localStorage.getItem('pai.theme') ?? 'system'
    } catch {
      // Storage may be blocked; the system's theme is a fine answer.
    }
    const dark = chosen === 'dark' || (chosen !== 'light' && media.matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
    document.querySelector('meta[name=theme-color]')?.setAttribute('content', dark ? '#0f1715' : '#f6f9f7')
  }
  media.addEventListener('change', apply)
  addEventListener('storage', apply)
  addEventListener('pai:theme', apply)
  apply()
})()
