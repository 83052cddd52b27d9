import { defineConfig } from 'vite'
import { compressed } from './compressed.ts'

/** Where `npm run dev -w web/app` finds the API. */
const api = process.env['PESEBRE_WEB_URL'] ?? 'http://localhost:8080'

export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [compressed()],
  build: {
    target: 'es2022',
    // The strict CSP knows no data: scripts and styles; small images may stay files, too.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw/worker.ts' },
      // The service worker's own address must never change: browsers look for a newer one there.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/api': { target: api, ws: true }, '/relay': { target: api, ws: true } } },
})
