import { mkdirSync, rmSync } from 'node:fs'
import { METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Proposal, Registered } from '@pesebre/contract/api/device'
import type { DeviceIdentity } from '@pesebre/contract/identity'
import { chromium, type Page } from 'playwright-core'
import { webClient } from '../../local/src/demo/web-client.ts'
import { type Stack, startStack } from '../../local/src/supervisor/stack.ts'
import { createUdpPeer } from '../../test/fakes/udp-peer.ts'
import { createSecureDevice, hear, type Sent } from '../../test/gateway/secure-device.ts'
import { en } from '../../web/app/src/words/en.ts'
import type { Findings } from '../figures.ts'
import { type Plan, progress } from '../plan.ts'
import { BUILD, findProgram } from '../processes.ts'

const ADMIN = { name: 'Ana', email: 'ana@example.org', password: 'hay in the morning' }
const GRAMS_DAILY = 60_000

/** From the tap on "feed" to "accepted" on the screen, with a feeder that is awake and observes its mailbox. */
export async function feeding(plan: Plan): Promise<Findings> {
  const browserPath = findProgram('chromium')
  if (browserPath === undefined) throw new Error('Could not measure feeding: chromium is not installed')
  const home = `${BUILD}feeding`
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const stack = await startStack({ home, ports: 'free', demo: false, env: { PATH: process.env['PATH'] } })
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
  const took: number[] = []
  try {
    const { identity, horse } = await prepare(stack)
    const feeder = await wakeFeeder(identity, stack.ports.coap)
    const page = await open(await browser.newPage({ locale: 'en-GB' }), stack.web!.url, horse)
    for (let round = 1; round <= (plan.quick ? 10 : 30); round++) {
      took.push(await feedOnce(page))
      await page.getByText(en.doneGrams('').trim()).first().waitFor()
      await page.waitForTimeout(300)
    }
    progress(`${took.length} feedings`)
    await feeder.close()
  } finally {
    await browser.close()
    await stack.stop()
  }
  return {
    name: 'feeding',
    title: 'From the tap to "accepted" on the screen',
    how: 'The whole local stack, its processes as npm start runs them, one gateway and one browser. The feeder is awake: it observes its mailbox and accepts at once. Counted in the page, from the click that confirms to the changed text.',
    rows: [],
    goals: [
      { what: 'tap to accepted, median of the feedings', values: took, at: 'most', target: 500, unit: 'ms' },
    ],
    notes: ['Of this up to 200 ms are the time that a report may wait for others on its way to SQS.'],
  }
}

/** The first admin, a stable, a horse without a gap between portions, and a feeder for it. */
async function prepare(stack: Stack): Promise<{ identity: DeviceIdentity; horse: string }> {
  const { url, setup } = stack.web!
  const api = webClient(url)
  const token = setup!.split('#').at(-1)
  await api.call('GET', '/api/session')
  await api.call('POST', '/api/setup', { token, ...ADMIN, language: 'en' })
  const stable = await api.call<{ id: string }>('POST', '/api/stables', { name: 'Bench', zone: 'UTC' })
  const horse = await api.call<{ id: string }>('POST', `/api/stables/${stable.id}/horses`, {
    name: 'Lucero',
    weightKg: 600,
  })
  const { thing } = await api.call<Proposal>('GET', '/api/devices/proposal?kind=feeder')
  const made = await api.call<Registered>('POST', '/api/devices', { kind: 'feeder', thing, horse: horse.id })
  const identity = await api.call<DeviceIdentity>('GET', `${made.download.url}?form=json`)
  const limits = { portion: null, daily: GRAMS_DAILY, gap: 0, override: true }
  await api.call('PUT', `/api/horses/${horse.id}/limits`, limits)
  return { identity, horse: horse.id }
}

/** A feeder that observes its mailbox, and says "accepted" and then "done" of each command. */
async function wakeFeeder(identity: DeviceIdentity, coapPort: number) {
  const device = createSecureDevice({ number: identity.number, secret: Buffer.from(identity.secret, 'hex') })
  // One socket for all: notifications go to where its newest report came from.
  const peer = await createUdpPeer({ to: coapPort })
  const waiting = new Map<string, (bytes: Buffer) => void>()
  const state = { hopper_pct: 80, battery_mv: 4000 }
  let serial = 0
  let last = 0
  let isOver = false

  async function ask(make: (token: Uint8Array) => Sent): Promise<Sent> {
    const sent = make(Uint8Array.of(1, serial++))
    const answered = new Promise<Buffer>((resolve) => waiting.set(tokenOf(sent.bytes), resolve))
    await peer.send(sent.bytes)
    hear(await answered, sent)
    return sent
  }
  const report = (uplink: object) =>
    ask((token) => device.checkIn({ state, interval_s: 60, ...uplink }, { token }))

  async function obey(told: Buffer, observation: Sent): Promise<void> {
    // Confirmable ones want an ACK (RFC 7641 section 4.5).
    if (((told[0]! >> 4) & 3) === 0) await peer.send(Uint8Array.of(0x60, 0, told[2]!, told[3]!))
    for (const { n, grams } of hear(told, observation).downlink.commands ?? []) {
      if (n <= last) continue
      last = n
      await report({ outcomes: [{ n, state: 'accepted' }] })
      // Long enough for the screen to show what came before.
      await new Promise((resolve) => setTimeout(resolve, 1500))
      await report({ outcomes: [{ n, state: 'done', grams }] })
    }
  }

  let observation: Sent | undefined
  let obeying: Promise<unknown> = Promise.resolve()
  const listening = (async () => {
    while (!isOver) {
      const bytes = await peer.next(1000).catch(() => undefined)
      if (bytes === undefined) continue
      const token = tokenOf(bytes)
      const resolve = waiting.get(token)
      waiting.delete(token)
      if (resolve) resolve(bytes)
      else if (observation && token === tokenOf(observation.bytes))
        obeying = Promise.all([obeying, obey(bytes, observation)])
    }
  })()
  await report({})
  const options = [{ number: OPTION.OBSERVE, value: new Uint8Array(0) }]
  observation = await ask((token) =>
    device.request({ method: METHOD.GET, path: ['commands'], options, token }),
  )
  return {
    close: async () => {
      await obeying
      isOver = true
      await listening
      await peer.close()
    },
  }
}

function tokenOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(4, 4 + (bytes[0]! & 15))).toString('hex')
}

async function open(page: Page, url: string, horse: string): Promise<Page> {
  page.setDefaultTimeout(20_000)
  await page.goto(url)
  await page.getByLabel(en.login.email).fill(ADMIN.email)
  await page.getByLabel(en.login.password).fill(ADMIN.password)
  await page.getByRole('button', { name: en.login.submit }).click()
  await page.getByRole('navigation').first().waitFor()
  await page.goto(`${url}/horses/${horse}`)
  await page.locator('button.hold').waitFor()
  await page.waitForLoadState('networkidle')
  return page
}

/** By keyboard, as a screen reader would: its confirmation is one click, whose time is known. */
async function feedOnce(page: Page): Promise<number> {
  await page.locator('button.hold').focus()
  await page.keyboard.press('Enter')
  const confirm = page.getByRole('dialog').locator('button.primary')
  await confirm.waitFor()
  // Without a value of its own, or this would wait for the promise.
  await page.evaluate(`void (window.took = new Promise((resolve) => {
    let begun
    document.querySelector('dialog button.primary, [role=dialog] button.primary')
      .addEventListener('click', () => { begun = performance.now() }, { capture: true, once: true })
    new MutationObserver((_, observer) => {
      const text = document.querySelector('.progress [role=status]')?.textContent ?? ''
      if (begun === undefined || !text.includes(${JSON.stringify(en.state.accepted)})) return
      observer.disconnect()
      resolve(performance.now() - begun)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  }))`)
  await confirm.click()
  return (await page.evaluate('window.took')) as number
}
