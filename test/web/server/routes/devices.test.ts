import { type Control, readControl } from '@pesebre/contract/control'
import { strFromU8, unzipSync } from 'fflate'
import t from 'tap'
import { openDatabase } from '../../../../web/server/src/db/database.ts'
import { fakeDevices } from '../../../fakes/devices.ts'
import { openWebApp, type Who } from '../../../fakes/web-app.ts'

async function setUp(t: { after(handler: () => Promise<void>): void }, options = {}) {
  const db = await openDatabase(':memory:')
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') }
  const now = () => clock.now
  const fake = fakeDevices({ db, now }, options)
  const web = await openWebApp({ db, now, devices: fake.devices })
  t.after(() => web.close())
  const ask = (route: string, body?: unknown, who: Who = 'admin') =>
    web.ask(who, route, body === undefined ? {} : { body })
  const control = (thing: string): Control => readControl(fake.shadows.get(`${thing}/control`)?.state)
  const auditOf = async () =>
    (await db.sql.selectFrom('audit').select(['action', 'subject']).orderBy('id').execute()).map(
      ({ action, subject }) => `${action} ${subject}`,
    )
  /** A horse of the stable that has no devices. */
  const horse = async (name: string) =>
    (await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body: { name } })).json.id as string
  return { ...fake, ...web, web, clock, ask, control, auditOf, makeHorse: horse }
}

t.test('a feeder is registered: name proposed, shadow, key, downloads of each form once', async (t) => {
  const { ask, control, things, auditOf, clock, web, makeHorse } = await setUp(t)
  const sol = await makeHorse('Sol')
  const proposal = await ask('GET /api/devices/proposal?kind=feeder')
  t.match(proposal.json, { kind: 'feeder', thing: /^feeder-[0-9a-f]{8}$/, firmware: null })
  const { thing } = proposal.json
  const made = await ask('POST /api/devices', { kind: 'feeder', thing, name: " Sol's feeder ", horse: sol })
  t.equal(made.status, 201)
  t.match(made.json, {
    device: {
      thing,
      kind: 'feeder',
      isRegistered: true,
      name: "Sol's feeder",
      standing: 'new',
      horse: { id: sol, name: 'Sol' },
      stable: { id: web.stable },
      at: null,
    },
    download: { forms: ['json', 'header', 'qr', 'zip'], expires: clock.now + 15 * 60_000 },
  })
  t.equal(things.get(thing), 'feeder')
  t.strictSame(control(thing).desired, { enabled: true, name: "Sol's feeder", queue: [] })

  const { url } = made.json.download
  const json = await ask(`GET ${url}?form=json`)
  t.equal(json.status, 200)
  t.match(json.headers, {
    'content-type': /^application\/json/,
    'content-disposition': `attachment; filename="${thing}.json"`,
    'cache-control': 'no-store',
  })
  t.match(json.json, {
    thing,
    kid: /^12[0-9a-f]{8}$/,
    secret: /^[0-9a-f]{32}$/,
    gateways: [{ id: 'a', host: 'gate.example', port: 5683 }],
  })
  t.match((await ask(`GET ${url}?form=header`)).text, `#define PESEBRE_THING "${thing}"`)
  const qr = await ask(`GET ${url}?form=qr`)
  t.match(qr.headers, { 'content-type': /^image\/svg\+xml/, 'content-disposition': /^inline/ })
  t.match(qr.text, '<svg')
  for (const form of ['json', 'header', 'qr'])
    t.equal((await ask(`GET ${url}?form=${form}`)).status, 410, form)
  const zip = await web.app.inject({ method: 'GET', url: `${url}?form=zip`, headers: web.headers('admin') })
  const files = unzipSync(zip.rawPayload)
  t.strictSame(Object.keys(files).sort(), [
    `${thing}/${thing}.json`,
    `${thing}/${thing}.svg`,
    `${thing}/identity.h`,
  ])
  t.strictSame(JSON.parse(strFromU8(files[`${thing}/${thing}.json`]!)), json.json)
  t.ok((await auditOf()).includes(`device.register ${thing}`))
  t.equal((await auditOf()).filter((one) => one.startsWith('device.download')).length, 4)
})

t.test('a camera is registered: certificate with the policy of cameras, as zip', async (t) => {
  const { ask, certificates, things, web } = await setUp(t)
  const made = await ask('POST /api/devices', { kind: 'camera' })
  const { thing } = made.json.device
  t.match(made.json, { device: { speaks: 'mqtt', standing: 'new' }, download: { forms: ['json', 'zip'] } })
  t.equal(things.get(thing), 'camera')
  t.strictSame([...certificates.values()], [{ thing, policy: 'yard-pesebre-camera', status: 'ACTIVE' }])
  const { url } = made.json.download
  t.match((await ask(`GET ${url}?form=header`)).status, 410)
  const zip = await web.app.inject({ method: 'GET', url: `${url}?form=zip`, headers: web.headers('admin') })
  const files = Object.entries(unzipSync(zip.rawPayload)).map(([name, bytes]) => [name, strFromU8(bytes)])
  t.strictSame(Object.fromEntries(files), {
    [`${thing}/certificate.pem`]: 'CERT\n',
    [`${thing}/private-key.pem`]: 'KEY\n',
    [`${thing}/authority.pem`]: 'CA\n',
    [`${thing}/endpoint.json`]: `${JSON.stringify({ thing, name: thing, host: 'iot.example', port: 8883 }, null, 2)}\n`,
  })
})

t.test('what is downloaded is for the admin who registered, with the right token, in time', async (t) => {
  const { ask, clock, db, users, web } = await setUp(t)
  const { device, download } = (await ask('POST /api/devices', { kind: 'feeder' })).json
  const other = `/api/devices/${device.thing}/credentials/${'x'.repeat(32)}`
  t.equal((await ask(`GET ${other}?form=json`)).status, 410)
  await db.sql.updateTable('users').set({ role: 'admin' }).where('id', '=', users.owner).execute()
  t.equal((await web.ask('owner', `GET ${download.url}?form=json`)).status, 410, 'another admin')
  t.equal((await ask(`GET ${download.url}?form=exe`)).status, 400)
  clock.now += 15 * 60_000
  t.equal((await ask(`GET ${download.url}?form=json`)).status, 410, 'too late')
})

t.test(
  'a horse has at most one feeder and one camera: the database decides, and says which is in the way',
  async (t) => {
    const { ask, horse, feeder, makeHorse, things } = await setUp(t)
    const taken = await ask('POST /api/devices', { kind: 'feeder', horse })
    t.equal(taken.status, 409)
    t.match(taken.json, { type: '/problems/conflict', reason: 'horse-taken', thing: feeder })
    t.equal(things.size, 0, 'nothing was made')

    const sol = await makeHorse('Sol')
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask('POST /api/devices', { kind: 'feeder', horse: sol })),
    )
    t.strictSame(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409, 409])
    t.equal((await ask('POST /api/devices', { kind: 'camera', horse: sol })).status, 201)
    const free = (await ask('POST /api/devices', { kind: 'feeder' })).json.device.thing
    const assigned = await ask(`PUT /api/devices/${free}/assignment`, { horse })
    t.match(assigned, { status: 409, json: { reason: 'horse-taken', thing: feeder } })
  },
)

t.test('a name that is taken, or is none, is refused', async (t) => {
  const { ask, shadows } = await setUp(t)
  const thing = 'feeder-0000beef'
  t.equal((await ask('POST /api/devices', { kind: 'feeder', thing })).status, 201)
  t.match(await ask('POST /api/devices', { kind: 'feeder', thing }), {
    status: 409,
    json: { reason: 'registered', thing },
  })
  const elsewhere = 'feeder-0000cafe'
  shadows.set(`${elsewhere}/control`, { version: 1, state: { desired: { enabled: true } } })
  t.match(await ask('POST /api/devices', { kind: 'feeder', thing: elsewhere }), {
    status: 409,
    json: { reason: 'registered' },
  })
  t.equal((await ask(`GET /api/devices/${elsewhere}`)).status, 404, 'no row is left of it')
  for (const wrong of ['camera-00000001', 'feeder-1', 'feeder-0000BEEF', 'bella'])
    t.equal((await ask('POST /api/devices', { kind: 'feeder', thing: wrong })).status, 400, wrong)
  t.equal((await ask('POST /api/devices', { kind: 'drone' })).status, 400)
  t.equal((await ask('POST /api/devices', { kind: 'feeder', horse: 'hrs_aaaaaaaaaaaaaaaa' })).status, 404)
})

t.test('when AWS IoT fails half-way nothing is left, and the horse is free', async (t) => {
  const { ask, fail, makeHorse } = await setUp(t)
  const sol = await makeHorse('Sol')
  for (const [kind, what] of [
    ['feeder', 'changeControl'],
    ['feeder', 'ensureThing'],
    ['camera', 'createCertificate'],
  ] as const) {
    fail(what)
    t.equal((await ask('POST /api/devices', { kind, horse: sol })).status, 500, what)
    t.equal(
      (await ask('POST /api/devices', { kind, horse: sol })).status,
      kind === 'feeder' && what === 'changeControl' ? 201 : 201,
    )
    const { devices } = (await ask(`GET /api/devices?kind=${kind}&search=sol&standing=new`)).json
    t.equal(devices.length, 1)
    await ask(`POST /api/devices/${devices[0].thing}/revoke`)
  }
})

t.test('disable, enable, revoke: the door is shut before anything is said', async (t) => {
  const { ask, control, certificates, horse, auditOf } = await setUp(t)
  const feeder = (await ask('POST /api/devices', { kind: 'feeder' })).json.device.thing
  const camera = (await ask('POST /api/devices', { kind: 'camera' })).json.device.thing
  const [certificate] = [...certificates.values()]
  const status = () => certificate?.status
  for (const [step, enabled, state, standing] of [
    ['disable', false, 'INACTIVE', 'disabled'],
    ['enable', true, 'ACTIVE', 'new'],
    ['revoke', false, 'REVOKED', 'revoked'],
  ] as const) {
    t.match(await ask(`POST /api/devices/${feeder}/${step}`), { status: 200, json: { standing } })
    t.equal(control(feeder).desired.enabled, enabled)
    t.match(await ask(`POST /api/devices/${camera}/${step}`), { status: 200, json: { standing } })
    t.equal(status(), state)
  }
  t.match(await ask(`POST /api/devices/${feeder}/enable`), { status: 409, json: { reason: 'revoked' } })
  t.match(await ask(`PUT /api/devices/${feeder}/assignment`, { horse }), { status: 409 })
  t.ok((await auditOf()).includes(`device.revoke ${camera}`))
  t.equal((await ask('POST /api/devices/feeder-99999999/disable')).status, 404)
})

t.test('revoke frees the horse, and what was offered for download is gone', async (t) => {
  const { ask, makeHorse } = await setUp(t)
  const sol = await makeHorse('Sol')
  const { device, download } = (await ask('POST /api/devices', { kind: 'feeder', horse: sol })).json
  t.match((await ask(`POST /api/devices/${device.thing}/revoke`)).json, { horse: null })
  t.equal((await ask(`GET ${download.url}?form=json`)).status, 410)
  t.equal((await ask('POST /api/devices', { kind: 'feeder', horse: sol })).status, 201)
})

t.test('replace: a new number at the same horse, with the schedule; the old one is disabled', async (t) => {
  const { ask, control, db, shadows, makeHorse } = await setUp(t)
  const sol = await makeHorse('Sol')
  const old = (await ask('POST /api/devices', { kind: 'feeder', horse: sol, name: 'F' })).json.device.thing
  const config = { version: 7, zone: 'Europe/Madrid', schedule: [[420, 500, 127]], calibration: 900 }
  const document = shadows.get(`${old}/control`)!
  const { desired } = document.state as { desired: object }
  shadows.set(`${old}/control`, { version: document.version, state: { desired: { ...desired, config } } })
  await db.sql
    .insertInto('schedules')
    .values({ thing: old, version: 7, zone: 'Europe/Madrid', slots: '[{"minute":420}]', created_at: 1 })
    .execute()
  const made = await ask(`POST /api/devices/${old}/replace`)
  t.equal(made.status, 201)
  const { thing } = made.json.device
  t.not(thing, old)
  t.match(made.json, {
    device: { name: 'F', horse: { id: sol }, standing: 'new' },
    download: { forms: ['json', 'header', 'qr', 'zip'] },
  })
  t.strictSame(control(thing).desired.config, {
    version: 7,
    zone: 'Europe/Madrid',
    schedule: [[420, 500, 127]],
  })
  t.equal(control(old).desired.enabled, false)
  t.match((await ask(`GET /api/devices/${old}`)).json, {
    standing: 'revoked',
    replacedBy: thing,
    horse: null,
  })
  t.match(await db.sql.selectFrom('schedules').selectAll().where('thing', '=', thing).execute(), [
    { version: 7, slots: '[{"minute":420}]' },
  ])
  t.match(await ask(`POST /api/devices/${old}/replace`), { status: 409, json: { reason: 'replaced' } })
  t.match(await ask(`POST /api/devices/${old}/enable`), { status: 409 })
})

t.test('replace: when it fails, the old one is where it was', async (t) => {
  const { ask, fail, control, makeHorse } = await setUp(t)
  const sol = await makeHorse('Sol')
  const old = (await ask('POST /api/devices', { kind: 'feeder', horse: sol })).json.device.thing
  fail('ensureThing')
  t.equal((await ask(`POST /api/devices/${old}/replace`)).status, 500)
  t.match((await ask(`GET /api/devices/${old}`)).json, {
    horse: { id: sol },
    replacedBy: null,
    standing: 'new',
  })
  t.equal(control(old).desired.enabled, true)
})

t.test('assign: to a horse, to another, away; a feeder does not take a schedule along unasked', async (t) => {
  const { ask, control, shadows, changes, db, makeHorse } = await setUp(t)
  const [sol, mora] = [await makeHorse('Sol'), await makeHorse('Mora')]
  const { thing } = (await ask('POST /api/devices', { kind: 'feeder' })).json.device
  const to = (horse: string | null, schedule?: string) =>
    ask(`PUT /api/devices/${thing}/assignment`, { horse, ...(schedule && { schedule }) })
  t.match(await to(sol), { status: 200, json: { horse: { id: sol } } })
  t.match(await to(sol), { status: 200 })
  t.match(await to(mora), { status: 200, json: { horse: { id: mora } } })
  t.match(changes.at(-1), { thing, horses: [{ id: sol }, { id: mora }] })

  const document = shadows.get(`${thing}/control`)!
  const { desired } = document.state as { desired: object }
  const config = { version: 3, zone: 'Europe/Madrid', schedule: [[420, 500, 127]] }
  shadows.set(`${thing}/control`, { version: document.version, state: { desired: { ...desired, config } } })
  t.match(await to(sol), { status: 409, json: { reason: 'has-schedule', thing } })
  t.match(await to(null), { status: 409, json: { reason: 'has-schedule' } })
  t.match((await ask(`GET /api/devices/${thing}`)).json, { horse: { id: mora } })
  t.match(await to(sol, 'keep'), { status: 200 })
  t.strictSame(control(thing).desired.config, config)
  await db.sql
    .insertInto('schedules')
    .values({ thing, version: 3, zone: 'Europe/Madrid', slots: '[1]', created_at: 1 })
    .execute()
  t.match(await to(null, 'clear'), { status: 200, json: { horse: null } })
  t.strictSame(control(thing).desired.config, { ...config, version: 4, schedule: [] })
  t.match(
    await db.sql
      .selectFrom('schedules')
      .select(['version', 'slots'])
      .where('thing', '=', thing)
      .orderBy('version')
      .execute(),
    [{ version: 3 }, { version: 4, slots: '[]' }],
  )
})

t.test('a device that was registered elsewhere becomes known when it gets a horse', async (t) => {
  const { ask, shadows, things, certificates, makeHorse, auditOf } = await setUp(t)
  const sol = await makeHorse('Sol')
  const [feeder, camera] = ['feeder-12345678', 'camera-12345678']
  things
    .set(feeder, 'feeder')
    .set(camera, 'camera')
    .set('bella', 'feeder')
    .set('gate', 'door')
    .set('loose', undefined)
  certificates.set('abc', { thing: camera, policy: 'p', status: 'ACTIVE' })
  shadows.set(`${feeder}/control`, {
    version: 1,
    state: { desired: { enabled: true, name: 'From the command line' } },
  })
  t.match(await ask(`PUT /api/devices/${feeder}/assignment`, { horse: sol }), {
    status: 200,
    json: { isRegistered: true, name: 'From the command line', horse: { id: sol } },
  })
  t.match(await ask(`PUT /api/devices/${camera}/assignment`, { horse: sol }), { status: 200 })
  await ask(`POST /api/devices/${camera}/disable`)
  t.equal(certificates.get('abc')?.status, 'INACTIVE')
  t.ok((await auditOf()).includes(`device.adopt ${feeder}`))
  const mora = await makeHorse('Mora')
  t.match(await ask('PUT /api/devices/bella/assignment', { horse: mora }), {
    status: 200,
    json: { isSecure: false },
  })
  t.match(await ask('POST /api/devices/bella/disable'), { status: 409, json: { reason: 'open' } })
  for (const thing of ['gate', 'loose', 'nothing'])
    t.equal((await ask(`PUT /api/devices/${thing}/assignment`, { horse: mora })).status, 404, thing)
})

t.test('rename changes the name here and for the command line', async (t) => {
  const { ask, control } = await setUp(t)
  const { thing } = (await ask('POST /api/devices', { kind: 'feeder' })).json.device
  t.match(await ask(`PATCH /api/devices/${thing}`, { name: 'Box 3' }), {
    status: 200,
    json: { name: 'Box 3' },
  })
  t.equal(control(thing).desired.name, 'Box 3')
  t.equal((await ask(`PATCH /api/devices/${thing}`, { name: '' })).status, 400)
})

t.test('firmware: the manifest and what it names, and nothing else of the disk', async (t) => {
  const manifest = {
    name: 'Feeder',
    version: '1.2',
    builds: [{ parts: [{ path: 'feeder.bin', offset: 0 }] }],
  }
  const dir = t.testdir({
    feeder: { 'manifest.json': JSON.stringify(manifest), 'feeder.bin': 'BINARY', 'secret.bin': 'SECRET' },
    'outside.bin': 'OUTSIDE',
  })
  const { ask } = await setUp(t, { firmwareDir: dir })
  t.match((await ask('GET /api/devices/proposal?kind=feeder')).json.firmware, {
    version: '1.2',
    manifest: '/api/firmware/feeder/manifest.json',
  })
  t.equal((await ask('GET /api/devices/proposal?kind=sensor')).json.firmware, null)
  t.strictSame((await ask('GET /api/firmware/feeder/manifest.json')).json, manifest)
  t.equal((await ask('GET /api/firmware/feeder/feeder.bin')).text, 'BINARY')
  for (const path of [
    'feeder/secret.bin',
    'feeder/..%2foutside.bin',
    'feeder/../outside.bin',
    'sensor/manifest.json',
    'drone/manifest.json',
  ])
    t.not((await ask(`GET /api/firmware/${path}`)).status, 200, path)
})
