import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'

t.setTimeout(120_000)
const root = join(import.meta.dirname, '../..')
/** What a browser loads before the first page can be drawn, bytes of gzip. */
const FIRST_LOAD_MAX = 60_000

t.test('the first load is at most 60 kB of JavaScript, and what is shown later is not in it', async (t) => {
  const dist = mkdtempSync(join(tmpdir(), 'pesebre-app-'))
  t.teardown(() => rmSync(dist, { recursive: true, force: true }))
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'web/app'), '--outDir', dist],
    { stdio: 'pipe' },
  )
  const html = readFileSync(join(dist, 'index.html'), 'utf8')
  const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)].map(([, path]) => path!)
  const loaded = files.map((path) => readFileSync(join(dist, path)))
  const bytes = loaded.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0)
  t.ok(files.length > 0, 'the page names its scripts')
  t.ok(bytes <= FIRST_LOAD_MAX, `${bytes} bytes of ${FIRST_LOAD_MAX}`)
  t.notOk(
    loaded.some((file) => file.includes('uplot') || file.includes('uPlot')),
    'charts come when they are asked for',
  )
  t.notMatch(
    html,
    /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/,
    'nothing inline: the policy would refuse it',
  )
  t.match(readFileSync(join(dist, 'sw.js'), 'utf8'), /push/, 'the service worker is at its own address')
})
