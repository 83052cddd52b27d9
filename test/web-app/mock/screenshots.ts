/**
 * Pictures of every page, for looking at: `node test/web-app/mock/screenshots.ts <folder> [name ...]`. Needs Debian's chromium and a built app.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { PAGES } from './pages.ts'
import { startMock } from './server.ts'

const [folder = '/tmp/pesebre-screenshots', ...names] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
const dist = join(import.meta.dirname, '../../../web/app', process.env['APP_DIST'] ?? 'dist')
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
const LOOKS = [
  { size: 'phone', language: 'es', scheme: 'light', width: 390, height: 844 },
  { size: 'desktop', language: 'en', scheme: 'dark', width: 1440, height: 900 },
  { size: 'phone', language: 'en', scheme: 'dark', width: 390, height: 844 },
  { size: 'desktop', language: 'es', scheme: 'light', width: 1440, height: 900 },
] as const
const looks = LOOKS.slice(0, Number(process.env['LOOKS'] ?? 2))
try {
  for (const page of PAGES.filter(({ name }) => names.length === 0 || names.includes(name)))
    for (const { size, language, scheme, width, height } of looks) {
      const mock = await startMock({ dist, role: page.role, language, isEmpty: page.isEmpty ?? false })
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        locale: language === 'es' ? 'es-ES' : 'en-GB',
        timezoneId: 'Europe/Madrid',
        serviceWorkers: 'block',
        ...(size === 'phone' && { isMobile: true, hasTouch: true }),
      })
      const tab = await context.newPage()
      tab.on('console', (message) => {
        if (message.type() === 'error' && !message.text().includes('404'))
          console.error(page.name, message.text())
      })
      tab.on('pageerror', (error) => console.error(page.name, error.message))
      // Twice: the font is only used when it is there at once.
      await tab.goto(mock.url + page.path)
      await tab.waitForLoadState('networkidle')
      await tab.reload()
      await tab.waitForLoadState('networkidle')
      await tab.waitForTimeout(200)
      if (page.press !== undefined) await tab.locator(page.press).first().click()
      const wide = await tab.evaluate('document.documentElement.scrollWidth - innerWidth')
      if (Number(wide) > 0) console.error(`${page.name} ${size} ${language}: ${wide} px too wide`)
      const whole = Number(await tab.evaluate('document.documentElement.scrollHeight'))
      await tab.setViewportSize({ width, height: Math.max(height, Math.min(whole, 2400)) })
      await tab.waitForTimeout(100)
      await tab.screenshot({ path: join(folder, `${page.name}-${size}-${scheme}-${language}.png`) })
      await context.close()
      await mock.close()
    }
} finally {
  await browser.close()
}
