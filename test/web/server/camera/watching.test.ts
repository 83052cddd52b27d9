import t from 'tap'
import { createMayWatch } from '../../../../web/server/src/camera/watching.ts'
import { ORIGIN, openWebApp, type Who } from '../../../fakes/web-app.ts'
import { closeCode, refusal, startRelay, until } from './support.ts'

async function world(t: { teardown(handler: () => unknown): void }) {
  const app = await openWebApp()
  const mayWatch = createMayWatch({ db: app.db, now: () => app.clock.now, origin: ORIGIN })
  const r = await startRelay({ mayWatch })
  t.teardown(async () => {
    await r.stop()
    await app.close()
  })
  const url = (horse: string) => `ws://127.0.0.1:${r.port}/relay/v1/view/${horse}`
  return { ...app, r, mayWatch, url, as: (who: Who) => ({ ...app.headers(who), origin: ORIGIN }) }
}

t.test(
  'who may watch: everybody of the stable, and admins; others do not learn that there is such a horse',
  async (t) => {
    const w = await world(t)
    for (const who of ['admin', 'owner', 'groom', 'vet'] as const)
      t.same(await w.mayWatch(w.as(who), w.horse), { user: w.users[who], camera: w.camera }, who)
    t.equal(await refusal(w.r.connect(w.url(w.horse), w.as('nobody'))), 401)
    t.equal(await refusal(w.r.connect(w.url(w.horse), w.as('stranger'))), 404)
    t.equal(await refusal(w.r.connect(w.url('hrs_none'), w.as('owner'))), 404)
    t.equal(await refusal(w.r.connect(w.url(w.otherHorse), w.as('owner'))), 404, 'of another stable')
    t.equal(
      await refusal(w.r.connect(w.url(w.otherHorse), w.as('stranger'))),
      404,
      'their own, without a camera',
    )
  },
)

t.test('a page of another site is refused, whoever is signed in there', async (t) => {
  const w = await world(t)
  for (const origin of ['https://evil.example', 'null', 'http://localhost:8081', `${ORIGIN}.evil.example`])
    t.equal(await refusal(w.r.connect(w.url(w.horse), { ...w.as('owner'), origin })), 403, origin)
  const { origin: _, ...without } = w.as('owner')
  t.equal(await refusal(w.r.connect(w.url(w.horse), { ...without, 'sec-fetch-site': 'cross-site' })), 403)
})

t.test('who may watch no more is cut off: put out of the stable, signed out, disabled', async (t) => {
  const w = await world(t)
  const watch = (who: Who) => w.r.viewer(w.horse, { headers: w.as(who) })
  const [vet, groom, owner, admin] = await Promise.all(
    (['vet', 'groom', 'owner', 'admin'] as const).map(async (who) => (await watch(who)).socket),
  )
  await w.db.sql.deleteFrom('members').where('user_id', '=', w.users.vet).execute()
  await w.db.sql.deleteFrom('sessions').where('user_id', '=', w.users.groom).execute()
  await w.db.sql.updateTable('users').set({ disabled_at: 1 }).where('id', '=', w.users.owner).execute()
  const codes = Promise.all([closeCode(vet!), closeCode(groom!), closeCode(owner!)])
  w.r.relay.recheck()
  // To who is not of the stable, the horse does not exist.
  t.same(await codes, [4004, 4003, 4003])
  t.equal(w.r.relay.status(w.camera).viewers, 1)
  t.equal(admin!.readyState, admin!.OPEN)
})

t.test('a camera that moves to another horse, or is disabled, is not watched where it was', async (t) => {
  const w = await world(t)
  const viewer = await w.r.viewer(w.horse, { headers: w.as('owner') })
  const closed = closeCode(viewer.socket)
  await w.db.sql
    .updateTable('devices')
    .set({ horse_id: w.otherHorse })
    .where('thing', '=', w.camera)
    .execute()
  w.r.relay.recheck()
  t.equal(await closed, 4004)
  t.equal(await refusal(w.r.connect(w.url(w.horse), w.as('owner'))), 404)
  const stranger = await w.r.viewer(w.otherHorse, { headers: w.as('stranger') })
  const disabled = closeCode(stranger.socket)
  await w.db.sql.updateTable('devices').set({ state: 'disabled' }).where('thing', '=', w.camera).execute()
  w.r.relay.recheck()
  t.equal(await disabled, 4004)
})

t.test('who was put out gets not one picture more', async (t) => {
  const w = await world(t)
  const vet = await w.r.viewer(w.horse, { headers: w.as('vet') })
  const owner = await w.r.viewer(w.horse, { headers: w.as('owner') })
  const camera = await w.r.camera(await w.r.command(0))
  camera.send()
  await until(() => vet.pictures.length === 1 && owner.pictures.length === 1)
  await w.db.sql.deleteFrom('members').where('user_id', '=', w.users.vet).execute()
  w.r.relay.recheck()
  await until(() => w.r.relay.status(w.camera).viewers === 1)
  camera.send()
  await until(() => owner.pictures.length === 2)
  t.equal(vet.pictures.length, 1)
})

t.test(
  'GET snapshot: a JPEG with its time; none without a camera, none of a camera that is silent',
  async (t) => {
    const app = await openWebApp({
      relay: {
        status: () => {
          throw new Error('not asked')
        },
        async snapshot(camera, maxAgeMs) {
          if (maxAgeMs === 0) return undefined
          t.equal(camera, app.camera)
          return { jpeg: Buffer.from(`xxffd8`).subarray(2), at: 1_000 + maxAgeMs }
        },
      },
    })
    t.teardown(() => app.close())
    const path = `GET /api/horses/${app.horse}/snapshot`
    const picture = await app.ask('vet', path)
    t.equal(picture.status, 200)
    t.match(picture.headers, {
      'content-type': 'image/jpeg',
      'x-picture-at': '61000',
      'cache-control': /private/,
    })
    t.equal(picture.text, 'ffd8')
    t.equal((await app.ask('owner', `${path}?maxAge=900`)).headers['x-picture-at'], '901000')
    t.match(await app.ask('owner', `${path}?maxAge=0`), {
      status: 503,
      json: { type: '/problems/unavailable' },
    })
    for (const wrong of ['901', '-1', 'x'])
      t.equal((await app.ask('owner', `${path}?maxAge=${wrong}`)).status, 400)
    t.equal((await app.ask('stranger', path)).status, 404)
    t.equal((await app.ask('nobody', path)).status, 401)
    t.equal((await app.ask('stranger', `GET /api/horses/${app.otherHorse}/snapshot`)).status, 404)
  },
)
