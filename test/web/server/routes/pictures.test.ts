import { PutObjectCommand } from '@aws-sdk/client-s3'
import sharp from 'sharp'
import t from 'tap'
import { openDatabase } from '../../../../web/server/src/db/database.ts'
import { createPictures } from '../../../../web/server/src/pictures/pictures.ts'
import { bucketOrigin, openPictureStore } from '../../../../web/server/src/pictures/store.ts'
import { makeBucket } from '../../../fakes/bucket.ts'
import { startSqs } from '../../../fakes/sqs.ts'
import { openWebApp, type WebApp, type Who } from '../../../fakes/web-app.ts'

const jpeg = await sharp({ create: { width: 300, height: 200, channels: 3, background: 'brown' } })
  .jpeg()
  .toBuffer()

/** The routes on a stand-in for S3, and a browser that sends files. */
async function setUp(t: { after(handler: () => Promise<void>): void }) {
  const aws = await startSqs()
  const bucket = await makeBucket(aws.url)
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: aws.url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  })
  const db = await openDatabase(':memory:')
  const errors: unknown[] = []
  const changed: string[] = []
  const store = openPictureStore(bucket.name)
  const pictures = createPictures({ db, store, now: Date.now }, (error) => errors.push(error))
  const web = await openWebApp({ db, pictures, onHorseChange: ({ horse }) => changed.push(horse) })
  t.after(async () => {
    await web.close()
    pictures.close()
    bucket.close()
    await aws.close()
  })

  /** As the page does it: form, file, done. */
  async function upload(who: Who, file: Uint8Array, type = 'image/jpeg') {
    const form = await ask(who, `POST ${path}`, { type, size: file.length })
    if (form.status !== 200) return form
    const body = new FormData()
    for (const [name, value] of Object.entries(form.json.fields as Record<string, string>))
      body.append(name, value)
    body.append('file', new Blob([new Uint8Array(file)], { type }))
    const sent = await fetch(form.json.url, { method: 'POST', body })
    if (!sent.ok) throw new Error(`The bucket does not take it: ${sent.status} ${await sent.text()}`)
    return ask(who, `POST ${path}/done`)
  }
  const path = `/api/horses/${web.horse}/picture`
  const ask = (who: Who, route: string, body?: unknown) =>
    web.ask(who, route, body === undefined ? {} : { body })
  return { web, bucket, errors, changed, upload, path, ask }
}

function raw(web: WebApp, who: Who, url: string, headers: Record<string, string> = {}) {
  return web.app.inject({ method: 'GET', url, headers: { ...web.headers(who), ...headers } })
}

t.test('a picture is sent, made ours, and read by those who may', async (t) => {
  const { web, bucket, changed, errors, upload, path, ask } = await setUp(t)
  t.equal((await ask('vet', `GET ${path}`)).status, 404, 'none yet')
  const done = await upload('groom', jpeg)
  t.equal(done.status, 200)
  const { pictureAt } = done.json
  t.equal(pictureAt, web.clock.now)
  t.strictSame(changed, [web.horse])

  const card = await raw(web, 'vet', `${path}?size=card&v=${pictureAt}`)
  t.equal(card.statusCode, 200)
  t.match(card.headers, {
    'content-type': 'image/webp',
    'cache-control': 'private, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
  })
  t.match(await sharp(card.rawPayload).metadata(), { format: 'webp', width: 300 })
  const full = await raw(web, 'owner', `${path}?size=full`)
  t.match(full.headers, { 'cache-control': 'private, no-cache' })
  const tag = String(full.headers['etag'])
  t.equal((await raw(web, 'owner', `${path}?size=full`, { 'if-none-match': tag })).statusCode, 304)
  for (const [who, status] of [
    ['stranger', 404],
    ['nobody', 401],
    ['admin', 200],
  ] as const)
    t.equal((await raw(web, who, path)).statusCode, status, who)

  const before = await bucket.keys()
  t.equal(before.length, 2, 'what was sent is not kept')
  await upload('owner', jpeg)
  const after = await bucket.keys()
  t.equal(after.length, 2, 'nor is the old picture')
  t.notSame(after, before)
  t.not((await raw(web, 'owner', `${path}?size=full`)).headers['etag'], tag)
  t.strictSame(errors, [])
})

t.test('a vet may not change it, and a stranger knows of nothing', async (t) => {
  const { upload, ask, path } = await setUp(t)
  t.equal((await upload('vet', jpeg)).status, 403)
  t.equal((await upload('stranger', jpeg)).status, 404)
  t.equal((await ask('vet', `POST ${path}/done`)).status, 403)
})

t.test('the form is for one object of this type and size', async (t) => {
  const { ask, path, web } = await setUp(t)
  const { json } = await ask('owner', `POST ${path}`, { type: 'image/png', size: 5 })
  t.equal(json.fields.key, `pictures/incoming/${web.horse}`)
  const policy = JSON.parse(Buffer.from(json.fields.Policy, 'base64').toString())
  t.ok(
    policy.conditions.some((one: unknown) => JSON.stringify(one) === '["content-length-range",1,10485760]'),
    'size',
  )
  t.ok(
    policy.conditions.some((one: unknown) => JSON.stringify(one) === '["eq","$Content-Type","image/png"]'),
    'type',
  )
  t.ok(Date.parse(policy.expiration) - Date.now() <= 600_000)
  for (const body of [
    { type: 'image/svg+xml', size: 5 },
    { type: 'image/png', size: 10 * 1024 * 1024 + 1 },
    { type: 'image/png', size: 0 },
    { type: 'image/png' },
  ])
    t.equal((await ask('owner', `POST ${path}`, body)).status, 400)
})

t.test('what is no picture is refused and thrown away; the one before stays', async (t) => {
  const { web, bucket, upload, ask, path } = await setUp(t)
  await upload('owner', jpeg)
  const { pictureAt } = (await ask('owner', `GET /api/horses/${web.horse}`)).json
  web.clock.now += 1000
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
  const refused = await upload('owner', svg, 'image/png')
  t.match(refused, { status: 422, json: { type: '/problems/refused', reason: 'not-picture' } })
  t.equal((await bucket.keys()).length, 2)
  t.equal((await ask('owner', `GET /api/horses/${web.horse}`)).json.pictureAt, pictureAt)
  t.match(await ask('owner', `POST ${path}/done`), { status: 409, json: { reason: 'missing' } })
})

t.test('a file that is larger than the form allows is not read, also where S3 lets it through', async (t) => {
  const { web, bucket, ask, path } = await setUp(t)
  const Body = Buffer.alloc(10 * 1024 * 1024 + 1)
  Body.set(jpeg)
  const Key = `pictures/incoming/${web.horse}`
  await bucket.client.send(new PutObjectCommand({ Bucket: bucket.name, Key, Body }))
  t.match(await ask('owner', `POST ${path}/done`), { status: 422, json: { reason: 'not-picture' } })
  t.strictSame(await bucket.keys(), [])
})

t.test('bucketOrigin() is where the form goes', async (t) => {
  const { ask, path } = await setUp(t)
  const { url } = (await ask('owner', `POST ${path}`, { type: 'image/png', size: 5 })).json
  t.equal(await bucketOrigin('pesebre'), new URL(url).origin)
})

t.test('without a bucket there are no pictures', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const { status } = await web.ask('owner', `GET /api/horses/${web.horse}/picture`)
  t.equal(status, 503)
})
