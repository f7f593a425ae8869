import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    // Browsers that know light-dark(), of which all colours are made.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // Nothing is inlined: the pages' policy takes scripts, styles and fonts from the relay alone.
    assetsInlineLimit: 0,
    // What each page loads is counted by it.
    manifest: true,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8787' } },
})
