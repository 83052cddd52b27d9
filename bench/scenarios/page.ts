import { mkdirSync, rmSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import { DEMO_PASSWORD, demoEmail } from '../../local/src/demo/seed.ts'
import { startStack } from '../../local/src/supervisor/stack.ts'
import { es } from '../../web/app/src/words/es.ts'
import type { Findings } from '../figures.ts'
import { type Plan, progress } from '../plan.ts'
import { BUILD, findProgram } from '../processes.ts'

/** "Fast 3G" as Lighthouse throttles: 150 ms there and back, 1.6 Mbit/s down, 0.75 Mbit/s up. */
const FAST_3G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 }

/** The stable page of the demo on a phone with nothing in its cache, over a slow network. */
export async function page(plan: Plan): Promise<Findings> {
  const executablePath = findProgram('chromium')
  if (executablePath === undefined) throw new Error('Could not measure the page: chromium is not installed')
  const home = `${BUILD}page`
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const stack = await startStack({ home, ports: 'free', env: { PATH: process.env['PATH'] } })
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const painted: number[] = []
  const horses: number[] = []
  const bytes: number[] = []
  try {
    const { url } = stack.web!
    const state = await signIn(browser, url)
    for (let round = 0; round < (plan.quick ? 5 : 15); round++) {
      const seen = await openCold(browser, url, state)
      painted.push(seen.painted)
      horses.push(seen.horses)
      bytes.push(seen.bytes / 1000)
    }
    progress(`${painted.length} cold starts`)
  } finally {
    await browser.close()
    await stack.stop()
  }
  return {
    name: 'page',
    title: 'The stable page, cold, over fast 3G',
    how: "The demo stable in Debian's chromium, 390 x 844, signed in, empty cache; the network slowed down by the browser to 150 ms there and back and 1.6 Mbit/s. Counted from the navigation.",
    rows: [
      { what: 'every horse is there', unit: 'ms', values: horses },
      { what: 'bytes over the network by then', unit: 'kB', values: bytes },
    ],
    goals: [{ what: 'first contentful paint', values: painted, at: 'most', target: 1500, unit: 'ms' }],
    notes: [],
  }
}

type State = Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['storageState']>>

async function signIn(browser: Browser, url: string): Promise<State> {
  const context = await browser.newContext({ locale: 'es-ES' })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByLabel(es.login.email).fill(demoEmail('owner'))
  await page.getByLabel(es.login.password).fill(DEMO_PASSWORD)
  await page.getByRole('button', { name: es.login.submit }).click()
  await page.getByRole('navigation').first().waitFor()
  const state = await context.storageState()
  await context.close()
  return state
}

async function openCold(browser: Browser, url: string, storageState: State) {
  const context = await browser.newContext({
    storageState,
    locale: 'es-ES',
    viewport: { width: 390, height: 844 },
    serviceWorkers: 'block',
  })
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', FAST_3G)
  let bytes = 0
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength
  })
  await page.goto(url, { waitUntil: 'commit' })
  await page.getByRole('link', { name: /Sol/ }).first().waitFor()
  const horses = (await page.evaluate('performance.now()')) as number
  const painted = (await page.evaluate(
    "performance.getEntriesByName('first-contentful-paint')[0].startTime",
  )) as number
  const seen = { painted, horses, bytes }
  await context.close()
  return seen
}
