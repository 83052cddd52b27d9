import { readFileSync } from 'node:fs'
import type { Outcome } from '@pesebre/contract/check-in'
import type { DeviceIdentity } from '@pesebre/contract/identity'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { webClient } from '../../../local/src/demo/web-client.ts'
import { type Feeder, startFeeder } from './feeder.ts'
import { holdToFeed, openStage, type Stage, skip, WAYS, type Way } from './stage.ts'

const timeout = 240_000
t.setTimeout(2 * timeout)

const ADMIN = { name: 'Ana Torres', email: 'ana@example.org', password: 'heno fresco por la mañana' }
const VET = { name: 'Vera Vidal', email: 'vera@example.org', password: 'cuatro herraduras nuevas' }

/** What a feeder may say of an order, and what is read then. */
const ENDS: readonly {
  ending: (n: number) => Outcome
  state: Outcome['state']
  alarm?: 'jammed' | 'interrupted'
}[] = [
  { state: 'refused', ending: (n) => ({ n, state: 'refused', reason: 'battery' }) },
  { state: 'expired', ending: (n) => ({ n, state: 'expired' }) },
  { state: 'interrupted', ending: (n) => ({ n, state: 'interrupted', grams: 100 }), alarm: 'interrupted' },
  { state: 'jammed', ending: (n) => ({ n, state: 'jammed', grams: 20 }), alarm: 'jammed' },
]

for (const way of WAYS)
  t.test(`the first days of a stable, ${way.title}`, { timeout, skip }, async (t) => {
    const stage = await openStage(t)
    const page = await stage.newcomer(way)
    await makeFirstAdmin(t, stage, { page, way })
    const { horse, stable } = await makeStable(page, way)
    const identity = await register(t, page)
    const feeder = await startFeeder(identity, stage.stack.ports.coap)
    t.teardown(feeder.close)
    await meet(t, page, feeder)
    const api = webClient(stage.url)
    await api.call('POST', '/api/session', { email: ADMIN.email, password: ADMIN.password })
    await api.call('PUT', `/api/horses/${horse}/limits`, { portion: null, daily: null, gap: 0 })

    const second = await stage.signIn(way, ADMIN)
    await second.goto(`/horses/${horse}`)
    await feed(t, { page, second, feeder, way, horse })
    for (const end of ENDS) await endOtherwise(t, end, { page, feeder, way })
    await takeBack(t, { page, feeder, way })
    await assign(t, { page, way, horse, thing: identity.thing })
    await alarms(t, { page, second, way, stable })
    await schedule(t, { page, feeder, way, horse })
    await share(t, stage, { page, way, horse })
    await restart(t, stage, { page, second, feeder, way, horse })
    await revoke(t, { page, feeder, thing: identity.thing })
    t.strictSame(stage.faults, [], 'no page has thrown')
  })

type Scene = { page: Page; way: Way }

async function makeFirstAdmin(t: Test, stage: Stage, { page, way: { words } }: Scene): Promise<void> {
  const token = stage.stack.web?.setup
  if (token === undefined) throw new Error('Failed to begin: no setup link')
  await page.goto(token.startsWith('http') ? token : `/setup#${token}`)
  await page.getByLabel(words.setup.name, { exact: true }).fill(ADMIN.name)
  await page.getByLabel(words.login.email, { exact: true }).fill(ADMIN.email)
  await page.getByLabel(words.setup.password, { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: words.setup.submit }).click()
  await page.getByText(words.stable.none).first().waitFor()
  const again = await stage.newcomer(WAYS[0]!)
  await again.goto(token.startsWith('http') ? token : `/setup#${token}`)
  t.pass('the link makes the first admin')
}

async function makeStable(page: Page, { words }: Way): Promise<{ horse: string; stable: string }> {
  await page.getByRole('button', { name: words.stable.make }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(words.stable.name).fill('Los Álamos')
  await dialog.getByRole('button', { name: words.act.add }).click()
  await page.getByRole('button', { name: words.stable.addHorse }).first().click()
  await dialog.getByLabel(words.stable.horseName).fill('Lucero')
  await dialog.getByLabel(words.stable.weight).fill('500')
  await dialog.getByRole('button', { name: words.act.add }).click()
  await page
    .getByRole('link', { name: /Lucero/ })
    .first()
    .click()
  await page.waitForURL(/\/horses\//)
  const horse = new URL(page.url()).pathname.split('/')[2]!
  const alarms = await page.getByRole('link', { name: words.nav.alarms }).first().getAttribute('href')
  return { horse, stable: alarms!.split('/')[2]! }
}

/** Registers a feeder for the horse and downloads what is flashed. */
async function register(t: Test, page: Page): Promise<DeviceIdentity> {
  await page.goto('/admin/devices/new')
  const form = page.locator('form')
  await form.locator('select').selectOption({ index: 1 })
  await form.locator('button[type=submit]').click()
  const downloading = page.waitForEvent('download')
  await page.locator('.downloads button').first().click()
  const download = await downloading
  const identity = JSON.parse(readFileSync((await download.path())!, 'utf8')) as DeviceIdentity
  t.match(identity, { thing: /^feeder-[0-9a-f]{8}$/, secret: /^[0-9a-f]{32}$/, gateways: [{ id: 'a' }] })
  t.ok(await page.locator('.downloads button').first().isDisabled(), 'each form can be had once')
  return identity
}

/** The page of registration hears of the first report by itself. */
async function meet(t: Test, page: Page, feeder: Feeder): Promise<void> {
  t.equal(await page.locator('.waiting').count(), 1)
  t.equal((await feeder.checkIn()).code, '2.04')
  await page.getByText('71').first().waitFor()
  t.equal(await page.locator('.waiting').count(), 0, 'first contact is seen without a reload')
}

type Feeding = Scene & { feeder: Feeder }

async function feed(
  t: Test,
  { page, second, feeder, way, horse }: Feeding & { second: Page; horse: string },
): Promise<void> {
  const { state } = way.words
  await page.goto(`/horses/${horse}`)
  await holdToFeed(page, { slipsOff: true })
  t.equal(await page.locator('.progress').count(), 0, 'who slides off the button orders nothing')
  await holdToFeed(page)
  const status = (shown: Page) => shown.locator('.progress [role=status]')
  await status(page).getByText(state.queued, { exact: true }).waitFor()
  await status(second).getByText(state.queued, { exact: true }).waitFor()
  const { n, grams } = await feeder.command()
  await feeder.say({ n, state: 'accepted' })
  await status(page).getByText(state.accepted, { exact: true }).waitFor()
  await feeder.say({ n, state: 'dispensing' })
  await status(page).getByText(state.dispensing, { exact: true }).waitFor()
  t.equal(await status(second).getByText(state.done).count(), 0, 'nobody says fed before the feeder does')
  await feeder.say({ n, state: 'done', grams })
  const fed = new RegExp(way.words.doneGrams('').trim())
  await status(page).getByText(fed).first().waitFor()
  const times = page.locator('.way li time')
  t.ok((await times.count()) >= 4, 'every state has its time')
  await status(second).getByText(fed).first().waitFor()
  t.pass('two browsers at once see the same')
}

async function endOtherwise(
  t: Test,
  { state, ending }: (typeof ENDS)[number],
  { page, feeder, way: { words } }: Feeding,
): Promise<void> {
  await holdToFeed(page)
  const status = page.locator('.progress [role=status]')
  await status.getByText(words.state.queued, { exact: true }).waitFor()
  const { n } = await feeder.command()
  await feeder.say(ending(n))
  await status.getByText(words.state[state]).first().waitFor()
  const said = (await status.textContent())!
  t.notMatch(said, new RegExp(`^${words.state.done}`), state)
  if (state === 'refused') t.match(said, words.reason.battery, 'it says why')
}

/** A feeder that says nothing: the order waits, and says until when. */
async function takeBack(t: Test, { page, feeder, way: { words } }: Feeding): Promise<void> {
  await holdToFeed(page)
  const [before] = words.feed.waits('|', '|').split('|')
  await page.getByText(before!.trim()).first().waitFor()
  t.pass('while the feeder is silent, it is said when it hears of the order and when that expires')
  await page.getByRole('button', { name: words.feed.takeBack }).click()
  await page.locator('.progress [role=status]').getByText(words.state.cancelled).first().waitFor()
  t.equal((await feeder.checkIn()).downlink.commands, undefined, 'what was taken back reaches no feeder')
}

/** The admin takes the feeder from its horse, and gives it back. */
async function assign(
  t: Test,
  { page, way: { words }, horse, thing }: Scene & { horse: string; thing: string },
): Promise<void> {
  const give = async (index: number): Promise<void> => {
    await page.goto(`/admin/devices/${thing}`)
    const form = page.locator('form', { has: page.locator('select') })
    await form.locator('option').nth(1).waitFor({ state: 'attached' })
    await form.locator('select').selectOption({ index })
    await form.locator('button[type=submit]').click()
    await page.getByText(words.act.saved, { exact: true }).first().waitFor()
    await page.goto(`/horses/${horse}`)
  }
  await give(0)
  await page.getByText(words.card.noFeeder).first().waitFor()
  await give(1)
  await page.locator('button.hold').waitFor()
  t.pass('a feeder is taken from a horse and given back')
}

async function alarms(
  t: Test,
  { page, second, way: { words }, stable }: Scene & { second: Page; stable: string },
): Promise<void> {
  await second.goto(`/stables/${stable}/alarms`)
  await page.goto(`/stables/${stable}/alarms`)
  for (const { alarm } of ENDS) if (alarm) await page.getByText(words.alarm.kind[alarm]).first().waitFor()
  const jam = (shown: Page) => shown.locator('.alarm', { hasText: words.alarm.kind.jammed }).first()
  await jam(page).getByRole('button', { name: words.alarm.acknowledge }).click()
  await jam(second).getByText(ADMIN.name).waitFor()
  t.pass('who acknowledges an alarm is seen by the others')
}

async function schedule(
  t: Test,
  { page, feeder, way: { words }, horse }: Feeding & { horse: string },
): Promise<void> {
  await page.goto(`/horses/${horse}/schedule`)
  await page.getByRole('button', { name: words.schedule.add }).click()
  await page.getByLabel(words.schedule.time, { exact: true }).fill('02:30')
  await page.getByLabel(words.schedule.grams, { exact: true }).fill('400')
  await page.locator('.save-bar').getByRole('button', { name: words.act.save }).click()
  await page.getByText(words.schedule.pending).first().waitFor()
  // Europe/Madrid goes forward on 28 March 2027 and back on 31 October 2027.
  await page.getByText(words.schedule.skipped('02:30', '03:00')).waitFor()
  await page.getByText(words.schedule.doubled('02:30')).waitFor()
  t.ok((await feeder.checkIn()).downlink.config, 'the feeder is given the schedule')
  await feeder.checkIn()
  await page.getByText(words.schedule.active).waitFor()
  t.pass('pending until the feeder says that it runs it')
}

async function share(t: Test, stage: Stage, { page, way, horse }: Scene & { horse: string }): Promise<void> {
  const { words } = way
  await page.getByRole('link', { name: words.nav.sharing }).first().click()
  await page.getByRole('button', { name: words.sharing.invite }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(words.sharing.role).selectOption('vet')
  await dialog.getByRole('button', { name: words.sharing.invite }).click()
  const link = await dialog.locator('.link-box input').inputValue()
  const vet = await stage.newcomer(way)
  await vet.goto(link)
  await vet.getByLabel(words.setup.name, { exact: true }).fill(VET.name)
  await vet.getByLabel(words.login.email, { exact: true }).fill(VET.email)
  await vet.getByLabel(words.setup.password, { exact: true }).fill(VET.password)
  await vet.getByRole('button', { name: words.invitation.submit }).click()
  await vet.getByText('Lucero').first().waitFor()
  await vet.goto(`/horses/${horse}`)
  await vet.getByText(words.feed.notAllowed).waitFor()
  t.equal(await vet.locator('button.hold').count(), 0, 'a vet may look, and not feed')
  const api = webClient(stage.url)
  await api.call('POST', '/api/session', { email: VET.email, password: VET.password })
  const refused = await api
    .call('POST', `/api/horses/${horse}/feeds`, { grams: 100 })
    .catch((error: Error) => error.message)
  t.match(refused, / 403 /, 'nor by the API')
}

/** The web server dies in the middle of a feeding. */
async function restart(
  t: Test,
  stage: Stage,
  { page, second, feeder, way, horse }: Feeding & { second: Page; horse: string },
): Promise<void> {
  const { state } = way.words
  await page.goto(`/horses/${horse}`)
  await second.goto(`/horses/${horse}`)
  await holdToFeed(page)
  const status = page.locator('.progress [role=status]')
  await status.getByText(state.queued, { exact: true }).waitFor()
  const { n, grams } = await feeder.command()
  const before = stage.stack.pid('web')!
  process.kill(before, 'SIGKILL')
  await feeder.say({ n, state: 'accepted' })
  await feeder.say({ n, state: 'done', grams })
  const fed = new RegExp(way.words.doneGrams('').trim())
  await status.getByText(fed).first().waitFor({ timeout: 60_000 })
  await second.locator('.progress [role=status]').getByText(fed).first().waitFor({ timeout: 60_000 })
  t.not(stage.stack.pid('web'), before, 'it was another server that said so')
  const api = webClient(stage.url)
  await api.call('POST', '/api/session', { email: ADMIN.email, password: ADMIN.password })
  const { feeds } = await api.call<{ feeds: { n?: number; state: string; actual?: number }[] }>(
    'GET',
    `/api/horses/${horse}/feeds`,
  )
  const same = feeds.filter((feed) => feed.n === n)
  t.match(same, [{ state: 'done', actual: grams }], 'in the ledger once, with what was given')
}

async function revoke(
  t: Test,
  { page, feeder, thing }: { page: Page; feeder: Feeder; thing: string },
): Promise<void> {
  await page.goto(`/admin/devices/${thing}`)
  await page.locator('button.danger').first().click()
  await page.getByRole('dialog').locator('button.danger').click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  let code = ''
  for (let tries = 0; tries < 50 && code !== '4.03'; tries++) {
    code = (await feeder.checkIn()).code
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.equal(code, '4.03', 'a revoked feeder is refused at once')
}
