/**
 * The pictures in web/screenshots, taken from a running stack with its demo stable:
 * `PESEBRE_WEB_PORT=8080 node test/web-app/screenshots.ts <folder>`. Needs Debian's chromium.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const [folder = 'web/screenshots'] = process.argv.slice(2)
const url = `http://localhost:${process.env['PESEBRE_WEB_PORT'] ?? 8080}`
const password = process.env['PESEBRE_DEMO_PASSWORD'] ?? 'pesebre-demo'
/** How many of the four looks. */
const most = Number(process.env['LOOKS'] ?? 4)
const isWhole = process.env['WHOLE'] === '1'
const LOOKS = [
  { size: 'phone', language: 'es', scheme: 'light', width: 390, height: 844 },
  { size: 'desktop', language: 'en', scheme: 'light', width: 1440, height: 900 },
  { size: 'phone', language: 'en', scheme: 'dark', width: 390, height: 844 },
  { size: 'desktop', language: 'es', scheme: 'dark', width: 1440, height: 900 },
] as const
type Look = (typeof LOOKS)[number]

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  for (const look of LOOKS.slice(0, most)) {
    await asOwner(browser, look)
    await asAdmin(browser, look)
  }
} finally {
  await browser.close()
}

async function asOwner(browser: Browser, look: Look): Promise<void> {
  const { context, tab } = await signIn(browser, look, 'owner')
  const take = (name: string) => picture(tab, look, name)
  await go(tab, '/')
  await tab.waitForSelector('.tile h2 a')
  await take('stable')
  const horses = await tab
    .locator('.tile h2 a')
    .evaluateAll((links) =>
      links.map((link) => ({ name: link.textContent ?? '', path: link.getAttribute('href') ?? '' })),
    )
  // Two portions for one horse follow each other too soon: each look has another one.
  const fed = horses.filter(({ name }) => /Sol|Mora/.test(name))
  const first = fed[LOOKS.indexOf(look) % 2]
  if (first === undefined)
    throw new Error(`Take pictures: no horse of the demo among ${JSON.stringify(horses)}`)
  const camera = await withCamera(
    tab,
    horses.map(({ path }) => path),
  )
  await go(tab, first.path)
  await tab.waitForSelector('.hold')
  await take('horse')
  await feed(tab)
  await take('feeding')
  for (const section of ['history', 'schedule', 'settings']) {
    await go(tab, `${first.path}/${section}`)
    await take(section)
  }
  if (camera !== undefined) {
    await go(tab, `${camera}/camera`)
    await tab.locator('.camera .button.primary').click()
    await tab.waitForTimeout(8_000)
    await take('camera')
  }
  await go(tab, '/alarms')
  await take('alarms')
  await tab.locator('.nav-item').nth(2).click()
  await tab.waitForLoadState('networkidle')
  await take('sharing')
  await go(tab, '/account')
  await take('account')
  await go(tab, '/account/notifications')
  await take('notifications')
  await context.close()
}

async function asAdmin(browser: Browser, look: Look): Promise<void> {
  const { context, tab } = await signIn(browser, look, 'admin')
  for (const [name, path] of [
    ['fleet', '/admin/devices'],
    ['register', '/admin/devices/new'],
    ['people', '/admin/people'],
    ['system', '/admin/system'],
  ] as const) {
    await go(tab, path)
    await picture(tab, look, name)
  }
  await go(tab, '/admin/devices')
  await tab.locator('.device-name a').first().click()
  await tab.waitForSelector('.facts')
  await picture(tab, look, 'device')
  await context.close()
}

async function signIn(
  browser: Browser,
  look: Look,
  who: string,
): Promise<{ context: BrowserContext; tab: Page }> {
  const { size, language, scheme, width, height } = look
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    locale: language === 'es' ? 'es-ES' : 'en-GB',
    timezoneId: 'Europe/Madrid',
    serviceWorkers: 'block',
    ...(size === 'phone' && { isMobile: true, hasTouch: true, deviceScaleFactor: 1 }),
  })
  const tab = await context.newPage()
  tab.on('console', (message) => {
    if (message.type() === 'error') console.error(tab.url(), message.text())
  })
  tab.on('pageerror', (error) => console.error(tab.url(), error.message))
  await go(tab, '/')
  if (who === 'owner') await picture(tab, look, 'login')
  await tab.fill('input[type=email]', `${who}@demo.example`)
  await tab.fill('input[type=password]', password)
  await tab.click('button[type=submit]')
  await tab.waitForSelector('.shell')
  await go(tab, '/account')
  await tab.locator(`input[type=radio][value=${language}]`).check({ force: true })
  await tab.waitForTimeout(500)
  return { context, tab }
}

async function withCamera(tab: Page, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const horse = await tab.evaluate(
      async (at) => (await fetch(`/api${at}`)).json() as Promise<unknown>,
      path,
    )
    if ((horse as { camera: string | null }).camera !== null) return path
  }
  return undefined
}

/** Holds the button for its second, and waits for the feeder's word. */
async function feed(tab: Page): Promise<void> {
  const hold = tab.locator('.hold')
  await hold.scrollIntoViewIfNeeded()
  const box = await hold.boundingBox()
  if (box === null) return
  await tab.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await tab.mouse.down()
  await tab.waitForTimeout(1_300)
  await tab.mouse.up()
  await tab
    .waitForSelector('.progress', { timeout: 10_000 })
    .catch(() => console.error('no order came to be'))
  await tab.waitForSelector('.way .is-now.good', { timeout: 20_000 }).catch(() => undefined)
  await tab.evaluate('scrollTo(0, 0)')
}

async function go(tab: Page, path: string): Promise<void> {
  await tab.goto(url + path)
  await tab.waitForLoadState('networkidle')
  await tab.waitForTimeout(300)
}

async function picture(
  tab: Page,
  { size, language, scheme, width, height }: Look,
  name: string,
): Promise<void> {
  const wide = Number(await tab.evaluate('document.documentElement.scrollWidth - innerWidth'))
  if (wide > 0) console.error(`${name} ${size} ${language}: ${wide} px too wide`)
  const whole = Number(await tab.evaluate('document.documentElement.scrollHeight'))
  if (isWhole) await tab.setViewportSize({ width, height: Math.max(height, Math.min(whole, 2400)) })
  await tab.waitForTimeout(150)
  await tab.screenshot({ path: join(folder, `${name}-${size}-${scheme}-${language}.png`) })
  if (isWhole) await tab.setViewportSize({ width, height })
}
