import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { type Stack, startStack } from '../../../local/src/supervisor/stack.ts'
import { en, type Words } from '../../../web/app/src/words/en.ts'
import { es } from '../../../web/app/src/words/es.ts'
import { missing, onPath } from '../../fakes/needs.ts'

/** A journey is gone in Spanish on a phone, and in English on a desktop. */
export type Way = {
  readonly title: string
  readonly language: 'es' | 'en'
  readonly words: Words
  readonly locale: string
  readonly viewport: { readonly width: number; readonly height: number }
  readonly isPhone: boolean
}

export const WAYS: readonly Way[] = [
  {
    title: 'in Spanish on a phone',
    language: 'es',
    words: es,
    locale: 'es-ES',
    viewport: { width: 390, height: 844 },
    isPhone: true,
  },
  {
    title: 'in English on a desktop',
    language: 'en',
    words: en,
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
    isPhone: false,
  },
]

/** Debian's browser. Playwright's own would be downloaded. */
const CHROMIUM = 'chromium'
export const skip = missing(`a browser (${CHROMIUM})`, () => onPath(CHROMIUM))

export type Stage = {
  readonly stack: Stack
  readonly url: string
  /** What pages have thrown. */
  readonly faults: readonly string[]
  /** A person at a device of his own, not signed in. */
  newcomer(way: Way): Promise<Page>
  /** Another page of the same person on another device: signs in. */
  signIn(way: Way, account: Account): Promise<Page>
}

export type Account = { readonly email: string; readonly password: string }

/** The whole product on free ports, and a browser. Both go when the test is over. */
export async function openStage(t: Test, { demo = false } = {}): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'pesebre-journey-'))
  const stack = await startStack({ home, ports: 'free', demo, env: { PATH: process.env['PATH'] } })
  const browser: Browser = await chromium.launch({
    executablePath: `/usr/bin/${CHROMIUM}`,
    args: ['--no-sandbox'],
  })
  const contexts: BrowserContext[] = []
  const faults: string[] = []
  t.teardown(async () => {
    await keepPictures(t, contexts)
    await browser.close()
    await stack.stop()
    rmSync(home, { recursive: true, force: true })
  })
  const { url } = stack.web!

  async function newcomer({ locale, viewport, isPhone }: Way): Promise<Page> {
    const context = await browser.newContext({
      locale,
      viewport,
      hasTouch: isPhone,
      timezoneId: 'Europe/Madrid',
      baseURL: url,
      reducedMotion: 'reduce',
    })
    contexts.push(context)
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    page.on('pageerror', (error) => faults.push(error.message))
    return page
  }

  async function signIn(way: Way, { email, password }: Account): Promise<Page> {
    const page = await newcomer(way)
    await page.goto('/')
    await page.getByLabel(way.words.login.email).fill(email)
    await page.getByLabel(way.words.login.password).fill(password)
    await page.getByRole('button', { name: way.words.login.submit }).click()
    await page.getByRole('navigation').first().waitFor()
    return page
  }

  return { stack, url, faults, newcomer, signIn }
}

/** What every page showed when a journey failed, into the directory that `PESEBRE_JOURNEY_PICTURES` names. */
async function keepPictures(t: Test, contexts: readonly BrowserContext[]): Promise<void> {
  const dir = process.env['PESEBRE_JOURNEY_PICTURES']
  if (dir === undefined || t.passing()) return
  const pages = contexts.flatMap((context) => context.pages())
  for (const [i, page] of pages.entries())
    await page
      .screenshot({ path: join(dir, `${t.name.replaceAll(/\W+/g, '-')}-${i}.png`) })
      .catch(() => undefined)
}

/** Holds the button that feeds for longer than it asks for. `slipsOff`: and slides off it at once. */
export async function holdToFeed(page: Page, { slipsOff = false } = {}): Promise<void> {
  const button = page.locator('button.hold')
  await button.waitFor()
  await page.waitForLoadState('networkidle')
  // To the middle: at the edge it would lie under the bar at the bottom of a phone.
  await page.evaluate("document.querySelector('button.hold').scrollIntoView({ block: 'center' })")
  // Waits until it stands still.
  await button.hover()
  await page.mouse.down()
  if (slipsOff) await page.mouse.move(2, 2)
  await page.waitForTimeout(1300)
  await page.mouse.up()
}
