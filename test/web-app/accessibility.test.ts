import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import t from 'tap'
import { missing, onPath } from '../fakes/needs.ts'
import { PAGES, type Page } from './mock/pages.ts'
import { startMock } from './mock/server.ts'

t.setTimeout(300_000)
const root = join(import.meta.dirname, '../..')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const skip = missing('chromium (Debian: chromium)', () => onPath('chromium'))

type Violation = { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }

/** Spanish by day on a phone, English by night on a desktop: both of each are seen on every page. */
const LOOKS = [
  { language: 'es', scheme: 'light', width: 390, height: 844 },
  { language: 'en', scheme: 'dark', width: 1440, height: 900 },
] as const

t.test('no page breaks a rule of axe, in either language, by day or by night', { skip }, async (t) => {
  const dist = mkdtempSync(join(tmpdir(), 'pesebre-app-'))
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'web/app'), '--outDir', dist],
    { stdio: 'pipe' },
  )
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    for (const page of PAGES)
      for (const look of LOOKS) {
        const found = await examine(browser, page, { ...look, dist })
        const told = found.violations.map(
          ({ id, help, nodes }) =>
            `${id}: ${help}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`,
        )
        t.same(told, [], `${page.name}, ${look.language}`)
        t.same(found.errors, [], `${page.name}, ${look.language}: nothing fails in the console`)
        t.equal(found.tooWide, 0, `${page.name}, ${look.language}: nothing is cut off at the side`)
        t.equal(found.lang, look.language, `${page.name}: the page says its language`)
        t.equal(found.headings, 1, `${page.name}, ${look.language}: one heading of the page`)
      }
  } finally {
    await browser.close()
    rmSync(dist, { recursive: true, force: true })
  }
})

type Look = (typeof LOOKS)[number] & { dist: string }

async function examine(browser: Browser, page: Page, look: Look) {
  const { language, scheme, width, height, dist } = look
  const mock = await startMock({ dist, role: page.role, language, isEmpty: page.isEmpty ?? false })
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: language === 'es' ? 'es-ES' : 'en-GB',
    timezoneId: 'Europe/Madrid',
    reducedMotion: 'reduce',
    serviceWorkers: 'block',
    bypassCSP: false,
  })
  try {
    const tab = await context.newPage()
    const errors: string[] = []
    tab.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    tab.on('pageerror', (error) => errors.push(error.message))
    await tab.goto(mock.url + page.path)
    await tab.waitForLoadState('networkidle')
    await tab.waitForSelector('h1, .empty')
    if (page.press !== undefined) await tab.locator(page.press).first().click()
    // Evaluated, not added as a script: the policy of the page refuses foreign ones.
    await tab.evaluate(axe)
    const result = (await tab.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
      violations: Violation[]
    }
    const tooWide = Number(
      await tab.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)'),
    )
    const lang = String(await tab.evaluate('document.documentElement.lang'))
    const headings = Number(await tab.evaluate('document.querySelectorAll("h1").length'))
    return { violations: result.violations, errors, tooWide, lang, headings }
  } finally {
    await context.close()
    await mock.close()
  }
}
