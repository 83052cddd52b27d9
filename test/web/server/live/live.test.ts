import { LIVE_CLOSE } from '@pesebre/contract/api/live'
import t from 'tap'
import { type Browser, type LiveWeb, openLiveWeb } from '../../../fakes/live-web.ts'
import type { Who } from '../../../fakes/web-app.ts'

t.setTimeout(60_000)

async function setUp(t: { teardown(handler: () => Promise<void>): void }, limits = {}): Promise<LiveWeb> {
  const live = await openLiveWeb(limits)
  t.teardown(() => live.close())
  return live
}

async function stateOf(browser: Browser, thing: string) {
  for (;;) {
    const state = await browser.next('state')
    if (state.thing === thing) return state
  }
}

const refusal = (connecting: Promise<unknown>) =>
  connecting.then(
    () => 'let in',
    (error: { status?: number }) => error.status,
  )

t.test('who is not signed in, or comes from another site, is refused before the upgrade', async (t) => {
  const { connect } = await setUp(t)
  t.equal(await refusal(connect('nobody')), 401)
  t.equal(await refusal(connect('owner', { origin: 'https://evil.example' })), 403)
  t.equal(await refusal(connect('owner', { cookie: 'session=made-up' })), 401)
  t.equal(await refusal(connect('vet')), 'let in')
})

t.test('one user has so many sockets, and no more', async (t) => {
  const { connect } = await setUp(t, { perUser: 2 })
  await connect('owner')
  const second = await connect('owner')
  t.equal(await refusal(connect('owner')), 503)
  t.equal(await refusal(connect('groom')), 'let in')
  second.socket.close()
  await second.closed
  while ((await refusal(connect('owner'))) !== 'let in') await new Promise(setImmediate)
  t.pass()
})

t.test('a stable is watched with all of its devices; what is not one of one’s own is refused', async (t) => {
  const { web, iot, connect } = await setUp(t)
  iot.change(web.feeder, { hopper_pct: 50, link: { at: 1000, seq: 7, gateway: 'a', interval_s: 300 } })
  const vet = await connect('vet')
  vet.watch({ stables: [web.stable, web.otherStable], things: ['feeder-ffffffff'], fleet: true, hops: true })
  t.strictSame((await vet.next('watching')).refused, [web.otherStable, 'feeder-ffffffff', 'fleet', 'hops'])
  const { cursor, ...state } = await stateOf(vet, web.feeder)
  t.match(cursor, /^test\.\d+$/)
  t.strictSame(state, {
    kind: 'state',
    thing: web.feeder,
    state: { hopper_pct: 50 },
    at: 1000,
    seq: 7,
    interval_s: 300,
    gateway: 'a',
  })
  iot.report(web.feeder, { hopper_pct: 49, link: { at: 2000, seq: 8, gateway: 'a' } })
  t.match(await stateOf(vet, web.feeder), { state: { hopper_pct: 49 }, seq: 8 })
})

const SEES: Record<Exclude<Who, 'nobody'>, boolean> = {
  admin: true,
  owner: true,
  groom: true,
  vet: true,
  stranger: false,
}
for (const [who, sees] of Object.entries(SEES) as [Exclude<Who, 'nobody'>, boolean][]) {
  t.test(`${who} ${sees ? 'sees' : 'does not see'} the stable and its feeder`, async (t) => {
    const { web, live, connect } = await setUp(t)
    const browser = await connect(who)
    browser.watch({ stables: [web.stable], things: [web.feeder] })
    const { refused } = await browser.next('watching')
    t.strictSame(refused, sees ? [] : [web.stable, web.feeder])
    live.publish({ kind: 'horse', stable: web.stable, horse: web.horse }, { stable: web.stable })
    live.publish({ kind: 'link', isLive: true, since: 1 }, { everybody: true })
    await browser.next('link')
    await browser.next('link')
    t.equal(
      browser.got.some(({ kind }) => kind === 'horse'),
      sees,
    )
  })
}

t.test('only what somebody watches is heard of AWS IoT', async (t) => {
  const { web, iot, connect } = await setUp(t)
  t.strictSame(iot.filters(), [])
  const owner = await connect('owner')
  owner.watch({ things: [web.feeder] })
  await owner.next('watching')
  t.strictSame(iot.filters(), [`$aws/things/${web.feeder}/shadow/update/documents`])
  const vet = await connect('vet')
  vet.watch({ things: [web.feeder] })
  await vet.next('watching')
  owner.watch({})
  await owner.next('watching')
  t.equal(iot.filters().length, 1)
  vet.socket.terminate()
  while (iot.filters().length > 0) await new Promise(setImmediate)
  t.pass()
})

t.test('after sleep a browser gets what it missed; after a long one, reset', async (t) => {
  const { web, live, iot, states, connect } = await setUp(t)
  const horse = (id: string) =>
    live.publish({ kind: 'horse', stable: web.stable, horse: id }, { stable: web.stable })
  const first = await connect('owner')
  first.watch({ stables: [web.stable] })
  await first.next('watching')
  horse('one')
  const { cursor } = await first.next('horse')
  first.socket.terminate()
  await first.closed
  horse('two')
  while (states.count() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  iot.change(web.feeder, { hopper_pct: 10 })
  const second = await connect('owner')
  second.watch({ stables: [web.stable] }, cursor)
  t.match(await second.next('horse'), { horse: 'two' })
  t.match(await stateOf(second, web.feeder), { state: { hopper_pct: 10 } }, 'although nobody heard of it')
  const third = await connect('owner')
  third.watch({ stables: [web.stable] }, 'another-run.12')
  await third.next('reset')
})

t.test('while AWS IoT is away the page is told, and afterwards what was missed is read', async (t) => {
  const { web, iot, live, connect } = await setUp(t)
  iot.onLink((link) => live.publish({ kind: 'link', ...link }, { everybody: true }))
  const owner = await connect('owner')
  owner.watch({ things: [web.feeder] })
  t.match(await owner.next('link'), { isLive: true })
  await owner.next('watching')
  await owner.next('state')
  iot.setLive(false)
  t.match(await owner.next('link'), { isLive: false })
  iot.report(web.feeder, { hopper_pct: 3 })
  iot.setLive(true)
  t.match(await owner.next('link'), { isLive: true })
  t.match(await owner.next('state'), { state: { hopper_pct: 3 } })
})

t.test('who loses a role loses the stable at once; whose session ends is closed', async (t) => {
  const { web, live, connect } = await setUp(t)
  const vet = await connect('vet')
  vet.watch({ stables: [web.stable] })
  await vet.next('watching')
  await web.db.sql.deleteFrom('members').where('user_id', '=', web.users.vet).execute()
  live.recheck()
  await vet.next('reset')
  live.publish({ kind: 'horse', stable: web.stable, horse: 'x' }, { stable: web.stable })
  live.publish({ kind: 'link', isLive: true, since: 1 }, { everybody: true })
  await vet.next('link')
  await vet.next('link')
  t.notOk(vet.got.some(({ kind }) => kind === 'horse'))
  await web.db.sql.deleteFrom('sessions').where('user_id', '=', web.users.vet).execute()
  live.recheck()
  t.equal(await vet.closed, LIVE_CLOSE.signedOut)
})

t.test('a write of one user has nobody else looked at', async (t) => {
  const { web, live, connect } = await setUp(t)
  const [owner, vet] = [await connect('owner'), await connect('vet')]
  for (const one of [owner, vet]) {
    one.watch({ stables: [web.stable] })
    await one.next('watching')
  }
  await web.db.sql.deleteFrom('sessions').execute()
  live.recheck(web.users.owner)
  t.equal(await owner.closed, LIVE_CLOSE.signedOut)
  t.equal(vet.socket.readyState, vet.socket.OPEN)
})

t.test('a device that moves to another stable is heard there, and no longer here', async (t) => {
  const { web, iot, live, connect } = await setUp(t)
  const [owner, stranger] = [await connect('owner'), await connect('stranger')]
  owner.watch({ stables: [web.stable] })
  stranger.watch({ stables: [web.otherStable] })
  await Promise.all([owner.next('watching'), stranger.next('watching')])
  await web.db.sql
    .updateTable('devices')
    .set({ horse_id: web.otherHorse })
    .where('thing', '=', web.feeder)
    .execute()
  live.recheck()
  const moved = stranger.next('state')
  const report = setInterval(() => iot.report(web.feeder, { hopper_pct: 1 }), 20)
  t.match(await moved, { thing: web.feeder })
  clearInterval(report)
  const before = owner.got.length
  iot.report(web.feeder, { hopper_pct: 2 })
  live.publish({ kind: 'link', isLive: true, since: 1 }, { everybody: true })
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(
    owner.got.slice(before).map(({ kind }) => kind),
    ['link'],
  )
})

t.test('what is no watch message ends the connection', async (t) => {
  const { connect } = await setUp(t)
  const rude = ['nothing', '{}', '{"watch":{"stables":"all"}}', '{"watch":{},"more":1}', '[]', 'null']
  for (const text of rude) {
    const browser = await connect('owner')
    browser.socket.send(text)
    t.equal(await browser.closed, 1008, text)
  }
  const binary = await connect('owner')
  binary.socket.send(Buffer.from('{"watch":{}}'))
  t.equal(await binary.closed, 1008)
  const large = await connect('owner')
  large.socket.send(`{"watch":{},"since":"${'x'.repeat(100_000)}"}`)
  t.equal(await large.closed, 1009)
  const busy = await connect('owner')
  for (let i = 0; i < 200; i++) busy.watch({})
  t.equal(await busy.closed, 1008)
})

t.test('a browser that reads too slowly is told once it has caught up; memory does not grow', async (t) => {
  const { web, live, connect } = await setUp(t)
  const slow = await connect('owner')
  slow.watch({ stables: [web.stable] })
  await slow.next('watching')
  slow.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  const horse = 'x'.repeat(50_000)
  for (let i = 0; i < 2_000; i++) {
    live.publish({ kind: 'horse', stable: web.stable, horse }, { stable: web.stable })
    if (i % 100 === 0) await new Promise(setImmediate)
  }
  const grown = process.memoryUsage().arrayBuffers - before
  t.ok(grown < 20_000_000, `of 100 MB that were told, ${Math.round(grown / 1e6)} MB are held`)
  slow.socket.resume()
  await slow.next('reset')
  const told = slow.got.filter(({ kind }) => kind === 'horse').length
  t.ok(told < 2_000, `${told} of 2000 were sent`)
  live.publish({ kind: 'horse', stable: web.stable, horse: 'after' }, { stable: web.stable })
  while (slow.got.at(-1)?.kind !== 'horse') await new Promise(setImmediate)
  t.match(slow.got.at(-1), { horse: 'after' })
})
