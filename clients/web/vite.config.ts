import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    // An inlined font or icon would be a data: address, which the Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    // Its helper would be an inline script, and every browser we support preloads modules itself.
    modulePreload: { polyfill: false }
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:3000' } }
})
