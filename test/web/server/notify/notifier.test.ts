import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { openAlarms } from '../../../../web/server/src/alarms/alarms.ts'
import { createPlaces } from '../../../../web/server/src/feeding/feeders.ts'
import type { FeedRow } from '../../../../web/server/src/feeding/timeline.ts'
import { openMail } from '../../../../web/server/src/notify/mail.ts'
import { createNotifier } from '../../../../web/server/src/notify/notifier.ts'
import { openNotificationSettings } from '../../../../web/server/src/notify/settings.ts'
import { messageOf } from '../../../../web/server/src/notify/texts.ts'
import { readVapidKeys } from '../../../../web/server/src/notify/vapid.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

t.setTimeout(60_000)

const MINUTE = 60_000
const ENDPOINT = 'https://push.example/'

async function openOffice() {
  const web = await openWebApp({ hasMail: true })
  const { db, clock, users } = web
  const settings = openNotificationSettings(db)
  const keys = await readVapidKeys(db)
  const places = createPlaces(db, () => clock.now, 0)
  const mails: { to: string; subject: string; text: string }[] = []
  const pushes: { endpoint: string; title: string; body: string; url: string; lang: string; tag: string }[] =
    []
  const dead = new Set<string>()
  const open = () => {
    const alarms = openAlarms({ db, places, now: () => clock.now, publish: () => undefined })
    const notifier = createNotifier({
      ...{ db, settings, alarms, places, keys, origin: 'https://stable.example', now: () => clock.now },
      log: { info: () => undefined, warn: () => undefined },
      mail: async (mail) => void mails.push(mail),
      push: async ({ endpoint }, text) => {
        if (dead.has(endpoint)) return 'gone'
        pushes.push({ endpoint, ...JSON.parse(text) })
        return 'sent'
      },
    })
    return { alarms, notifier }
  }
  const subscribe = (who: 'owner' | 'groom' | 'vet', name: string = who) =>
    settings.subscribe(
      users[who],
      { endpoint: `${ENDPOINT}${name}`, keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) } },
      { userAgent: null, at: clock.now },
    )
  return { web, db, clock, users, settings, mails, pushes, dead, open, subscribe, ...open() }
}

const JAM = { kind: 'jammed', isOn: true, isAnew: true, detail: { n: 1, grams: 500 } } as const

t.test(
  'an alarm is told by push and mail, in each one’s language, again until it is acknowledged',
  async (t) => {
    const office = await openOffice()
    t.teardown(office.web.close)
    const { web, db, clock, users, mails, pushes, notifier, alarms } = office
    await db.sql.updateTable('users').set({ language: 'es' }).where('id', '=', users.owner).execute()
    await office.subscribe('owner', 'phone')
    await office.subscribe('owner', 'tablet')
    await office.subscribe('groom')
    await alarms.take(web.feeder, [JAM])
    await notifier.round()
    t.same(pushes.map(({ endpoint }) => endpoint.slice(ENDPOINT.length)).toSorted(), [
      'groom',
      'phone',
      'tablet',
    ])
    t.match(
      pushes.find(({ endpoint }) => endpoint.endsWith('phone')),
      {
        title: 'Comedero atascado · Bella',
        body: /desatascarlo/,
        lang: 'es',
        url: `/horses/${web.horse}`,
        tag: `jammed/${web.feeder}`,
      },
    )
    t.match(
      mails.find(({ to }) => to === 'groom@stable.example'),
      { subject: 'Feeder jammed · Bella', text: /https:\/\/stable.example\/horses/ },
    )
    t.equal(mails.length, 3, 'the vet as well, the stranger not')

    clock.now += 59 * MINUTE
    await notifier.round()
    t.equal(pushes.length, 3, 'cool-down')
    clock.now += MINUTE
    await notifier.round()
    t.equal(pushes.length, 6)
    t.match(pushes.at(-1), { title: /^(Sigue así|Still so): / })
    const [row] = alarms.open()
    await alarms.acknowledge(row!.id, {
      user: { id: users.groom, name: 'groom' },
      at: clock.now,
      address: null,
    })
    clock.now += 500 * MINUTE
    await notifier.round()
    t.equal(pushes.length, 6)
  },
)

t.test('a start forgets nothing, and two servers do not tell twice', async (t) => {
  const office = await openOffice()
  t.teardown(office.web.close)
  const { web, clock, pushes, notifier, alarms } = office
  await office.subscribe('owner')
  await alarms.take(web.feeder, [JAM])
  await notifier.round()
  clock.now += 10 * MINUTE
  const next = office.open()
  await next.alarms.refresh()
  await next.notifier.round()
  t.equal(pushes.length, 1)
  clock.now += 50 * MINUTE
  await Promise.all([next.notifier.round(), notifier.round()])
  t.equal(pushes.length, 2)
})

t.test('each kind as a person wants it; a browser that is gone is forgotten', async (t) => {
  const office = await openOffice()
  t.teardown(office.web.close)
  const { web, clock, users, settings, mails, pushes, notifier, alarms } = office
  const off = { push: false, email: false, cooldown: 0 }
  for (const who of ['groom', 'vet'] as const) await settings.put(users[who], { kinds: { battery: off } })
  await office.subscribe('owner', 'old')
  await office.subscribe('owner', 'new')
  office.dead.add(`${ENDPOINT}old`)
  await alarms.take(web.feeder, [{ kind: 'battery', isOn: true, detail: { battery_mv: 3450 } }])
  await notifier.round()
  t.same(mails, [], 'a low battery is not mailed, unless one wants it')
  t.match(pushes, [{ endpoint: `${ENDPOINT}new`, body: /3\.45 V/ }])
  t.equal((await settings.subscriptionsOf(users.owner)).length, 1)

  const fed = {
    thing: web.feeder,
    state: 'done',
    planned_g: 500,
    actual_g: 497,
    updated_at: clock.now,
  } as FeedRow
  await notifier.tellFed(fed)
  t.equal(pushes.length, 1, 'nobody has asked for it')
  await settings.put(users.owner, { kinds: { fed: { push: true, email: false, cooldown: 30 } } })
  await notifier.tellFed(fed)
  await notifier.tellFed(fed)
  t.match(pushes.slice(1), [{ title: 'Fed · Bella', body: 'Bella got 497 g at 13:00.' }])
})

t.test('texts: both languages for every kind, with the time on the wall of the stable', async (t) => {
  const at = Date.parse('2026-11-20T07:06:00Z')
  const of = { of: 'Bella', at, zone: 'Europe/Madrid', isAgain: false }
  const missed = { ...of, kind: 'missed', detail: { minute: 480, grams: 900 } } as const
  t.same(messageOf(missed, 'es'), {
    title: 'Comida sin confirmar · Bella',
    body: 'Sin noticia de la comida de las 08:00 de Bella (900 g). Puede que no haya comido.',
  })
  t.match(
    messageOf({ ...missed, detail: { ...missed.detail, reason: 'battery' } }, 'en').body,
    /08:00 \(900 g\): the feeder refused it \(battery too low\)/,
  )
  const late = { ...of, kind: 'late', detail: { seen: at - 3_600_000 } } as const
  t.match(messageOf(late, 'en').body, 'since 07:06.')
  t.match(messageOf({ ...late, detail: { seen: at - 86_400_000 } }, 'es').body, /08:06 \(19 nov/)
  for (const kind of [
    'jammed',
    'interrupted',
    'unknown',
    'empty',
    'battery',
    'camera_gone',
    'gateway',
    'fed',
  ] as const)
    for (const language of ['es', 'en'] as const)
      t.notMatch(messageOf({ ...of, kind, detail: {} }, language).body, /undefined|NaN|\s{2}/)
})

t.test('GET, PUT /api/me/notifications; POST, DELETE /api/push/subscriptions', async (t) => {
  const { web, users, settings } = await openOffice()
  t.teardown(web.close)
  const all = await web.ask('groom', 'GET /api/me/notifications')
  t.match(all.json, {
    kinds: { jammed: { push: true, email: true, cooldown: 60 }, fed: { push: false } },
    available: { push: false, email: true },
    subscriptions: 0,
  })
  const kinds = { fed: { push: true, email: false, cooldown: 0 } }
  t.match((await web.ask('groom', 'PUT /api/me/notifications', { body: { kinds } })).json, {
    kinds: { fed: { push: true }, jammed: { push: true } },
  })
  t.match(
    (await web.ask('owner', 'GET /api/me/notifications')).json,
    { kinds: { fed: { push: false } } },
    'of oneself',
  )
  t.equal(
    (await web.ask('groom', 'PUT /api/me/notifications', { body: { kinds: { nothing: kinds.fed } } })).status,
    400,
  )
  t.equal((await web.ask('groom', 'GET /api/push/key')).status, 503)
  const body = {
    endpoint: `${ENDPOINT}x`,
    expirationTime: null,
    keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) },
  }
  t.equal((await web.ask('groom', 'POST /api/push/subscriptions', { body })).status, 204)
  t.equal(
    (
      await web.ask('groom', 'POST /api/push/subscriptions', {
        body: { ...body, endpoint: 'https://169.254.169.254/latest' },
      })
    ).status,
    400,
  )
  t.equal(
    (await web.ask('owner', 'DELETE /api/push/subscriptions', { body: { endpoint: body.endpoint } })).status,
    204,
  )
  t.equal((await settings.subscriptionsOf(users.groom)).length, 1, 'not somebody else’s')
  await web.ask('owner', 'POST /api/push/subscriptions', { body })
  t.equal((await settings.subscriptionsOf(users.groom)).length, 0, 'a browser is of who subscribed it last')
  for (let n = 0; n < 25; n++)
    await settings.subscribe(
      users.vet,
      { ...body, endpoint: `${ENDPOINT}${n}` },
      { userAgent: 'x'.repeat(999), at: n },
    )
  t.equal((await settings.subscriptionsOf(users.vet)).length, 20)
})

t.test(
  'openMail: a mail as the server hears it; nobody else is added by what people are called',
  async (t) => {
    const heard: string[] = []
    const server = createServer((socket) => {
      let isData = false
      socket.write('220 here\r\n')
      socket.on('data', (part: Buffer) => {
        const text = part.toString()
        heard.push(text)
        if (isData) {
          if (!text.endsWith('\r\n.\r\n')) return
          isData = false
          socket.write('250 taken\r\n')
        } else if (/^EHLO/.test(text)) socket.write('250 here\r\n')
        else if (/^DATA/.test(text)) {
          isData = true
          socket.write('354 go on\r\n')
        } else socket.write('250 well\r\n')
      })
      socket.on('error', () => undefined)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const { port } = server.address() as { port: number }
    const mail = openMail(`smtp://127.0.0.1:${port}?from=pesebre@stable.example`)
    await mail.send({ to: 'ana@stable.example', subject: 'Comida · Niño\r\nBcc: x@y.example', text: 'Hola' })
    mail.close()
    const said = heard.join('')
    t.match(said, 'MAIL FROM:<pesebre@stable.example>')
    t.same(said.match(/RCPT TO:<[^>]+>/g), ['RCPT TO:<ana@stable.example>'])
    t.notMatch(said, /\r\nBcc:/i)
  },
)
