import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { markTexts } from '../../scripts/texts/mark-texts.ts'

/** Weights of icons that neither our pages nor the library's components draw. */
const UNUSED_WEIGHTS = / {2}\[\n {4}"(?:duotone|light|thin)",\n[\s\S]*?\n {2}\],?\n/g

/** Leaves them out: each icon brings six drawings of itself, of which three are loaded for nothing. */
function leanIcons(): Plugin {
  return {
    name: 'posthorn-lean-icons',
    transform(code, id) {
      return id.includes('@phosphor-icons/react/dist/defs/') ? code.replace(UNUSED_WEIGHTS, '') : null
    },
  }
}

export default defineConfig({
  plugins: [markTexts(), leanIcons(), react(), tailwindcss()],
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
