import { createDecipheriv, createECDH, createPublicKey, hkdfSync, verify } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import t, { type Test } from 'tap'
import { isPushService } from '../../../../web/server/src/notify/push-service.ts'
import {
  encrypt,
  makeVapidKeys,
  PUSH_BYTES_MAX,
  push,
  vapidHeader,
} from '../../../../web/server/src/notify/web-push.ts'

const bytes = (text: string) => Buffer.from(text, 'base64url')

t.test('encrypt: the example of RFC 8291 section 5', async (t) => {
  const body = encrypt(
    Buffer.from('When I grow up, I want to be a watermelon'),
    {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
    {
      salt: bytes('DGv6ra1nlYgDCS1FRnbzlw'),
      privateKey: bytes('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw'),
    },
  )
  t.equal(
    Buffer.from(body).toString('base64url'),
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
})

/** A browser, and its push service. */
async function openBrowser(t: Test, status: () => number) {
  const pair = createECDH('prime256v1')
  const publicKey = pair.generateKeys()
  const auth = Buffer.alloc(16, 7)
  const got: { headers: IncomingHttpHeaders; body: Buffer }[] = []
  const service = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(parts) })
      response.writeHead(status()).end()
    })
  })
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  t.teardown(() => service.close())
  const { port } = service.address() as { port: number }
  const read = (body: Buffer): string => {
    const [salt, theirs] = [body.subarray(0, 16), body.subarray(21, 86)]
    const expand = (secret: Uint8Array, from: Uint8Array, info: Uint8Array, length: number) =>
      Buffer.from(hkdfSync('sha256', secret, from, info, length))
    const about = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, theirs])
    const secret = expand(pair.computeSecret(theirs), auth, about, 32)
    const key = expand(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
    const nonce = expand(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
    const sealed = body.subarray(86)
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(sealed.subarray(-16))
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    return text.subarray(0, -1).toString()
  }
  const target = {
    endpoint: `http://127.0.0.1:${port}/push/x`,
    p256dh: publicKey.toString('base64url'),
    auth: auth.toString('base64url'),
  }
  return { target, got, read }
}

t.test('push: what the browser reads is what was sent; who sends can be told by the key', async (t) => {
  let status = 201
  const { target, got, read } = await openBrowser(t, () => status)
  const keys = makeVapidKeys()
  const options = { keys, subject: 'https://stable.example', ttl_s: 60, isUrgent: true, now: Date.now() }
  const text = JSON.stringify({ title: 'Comedero atascado · Bella' })
  t.equal(await push(target, text, options), 'sent')
  const { headers, body } = got[0]!
  t.equal(read(body), text)
  t.match(headers, { ttl: '60', urgency: 'high', 'content-encoding': 'aes128gcm' })
  const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.authorization ?? '') ?? []
  t.equal(key, keys.publicKey)
  const [head = '', claims = '', signature = ''] = token.split('.')
  const { aud, exp, sub } = JSON.parse(bytes(claims).toString())
  t.match({ aud, sub }, { aud: new URL(target.endpoint).origin, sub: 'https://stable.example' })
  t.ok(exp > Date.now() / 1000 && exp < Date.now() / 1000 + 86_400, 'RFC 8292: at most a day')
  const point = bytes(key)
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const verifier = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  t.ok(verify('sha256', Buffer.from(`${head}.${claims}`), verifier, bytes(signature)))
  for (const [code, pushed] of [
    [410, 'gone'],
    [404, 'gone'],
    [429, 'failed'],
    [500, 'failed'],
    [302, 'failed'],
  ] as const) {
    status = code
    t.equal(await push(target, text, options), pushed, `${code}`)
  }
  t.equal(await push({ ...target, endpoint: 'http://127.0.0.1:1/' }, text, options), 'failed')
  t.equal(await push({ ...target, p256dh: 'AAAA' }, text, options), 'failed', 'a key that is none')
  t.throws(() => encrypt(Buffer.alloc(PUSH_BYTES_MAX + 1), target))
  t.notOk(vapidHeader(target.endpoint, options).includes(keys.privateKey))
})

t.test('isPushService: nothing on our own network', async (t) => {
  for (const good of [
    'https://fcm.googleapis.com/fcm/send/x',
    'https://updates.push.services.mozilla.com/wpush/v2/x',
    'https://web.push.apple.com/x',
  ])
    t.ok(isPushService(good), good)
  for (const bad of [
    'http://fcm.googleapis.com/x',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://localhost/x',
    'https://10.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://db.internal/x',
    'https://nas.local/',
    'https://router.lan/',
    'https://router/',
    'https://user@fcm.googleapis.com/',
    'https://fcm.googleapis.com:8443/',
    'file:///etc/passwd',
    'x',
  ])
    t.notOk(isPushService(bad), bad)
})
