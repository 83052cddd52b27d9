import { createCipheriv, createECDH, createPrivateKey, hkdfSync, randomBytes, sign } from 'node:crypto'

/** Web Push: messages to browsers (RFC 8030), encrypted (RFC 8291), from a server that they can tell by its key (RFC 8292). */

/** A browser that takes messages. Base64url. */
export type PushTarget = { readonly endpoint: string; readonly p256dh: string; readonly auth: string }

/** A key pair on P-256, base64url: the public point uncompressed, the private scalar. */
export type VapidKeys = { readonly publicKey: string; readonly privateKey: string }

/** What came of a message: `gone` browsers never take one again; others may, later. */
export type Pushed = 'sent' | 'gone' | 'failed'

export type PushOptions = {
  readonly keys: VapidKeys
  /** Whom the push service can reach: `https:` or `mailto:` (RFC 8292 section 2.1). */
  readonly subject: string
  /** Seconds for which the service keeps it for a browser that is away. */
  readonly ttl_s: number
  readonly isUrgent: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  readonly send?: typeof fetch
}

/** One record (RFC 8188 section 2): what we send is far below. */
const RECORD_BYTES = 4096
/** Longest message: a record less its tag, delimiter and header (RFC 8291 section 4). */
export const PUSH_BYTES_MAX = 3_993
const TIMEOUT_MS = 10_000
/** At most a day (RFC 8292 section 2). */
const TOKEN_S = 12 * 3600

/** Sends one message. Never throws: what went wrong is in the answer. */
export async function push(target: PushTarget, text: string, options: PushOptions): Promise<Pushed> {
  const { keys, subject, ttl_s, isUrgent, now, send = fetch } = options
  try {
    const { status } = await send(target.endpoint, {
      method: 'POST',
      headers: {
        ttl: `${ttl_s}`,
        urgency: isUrgent ? 'high' : 'normal',
        'content-encoding': 'aes128gcm',
        'content-type': 'application/octet-stream',
        authorization: vapidHeader(target.endpoint, { keys, subject, now }),
      },
      body: encrypt(Buffer.from(text), target),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (status >= 200 && status < 300) return 'sent'
    // RFC 8030 section 7.3: it was there, and is not any more.
    return status === 404 || status === 410 ? 'gone' : 'failed'
  } catch {
    return 'failed'
  }
}

/** A new key pair. */
export function makeVapidKeys(): VapidKeys {
  const pair = createECDH('prime256v1')
  pair.generateKeys()
  return { publicKey: pair.getPublicKey('base64url'), privateKey: pair.getPrivateKey('base64url') }
}

/**
 * The body of a message (RFC 8291 section 3.4, aes128gcm of RFC 8188 in one record).
 * @param own key pair and salt, for the RFC's example; random otherwise
 */
export function encrypt(
  text: Uint8Array,
  { p256dh, auth }: Pick<PushTarget, 'p256dh' | 'auth'>,
  own: { salt: Uint8Array; privateKey?: Uint8Array } = { salt: randomBytes(16) },
): Uint8Array<ArrayBuffer> {
  if (text.length > PUSH_BYTES_MAX) throw new Error(`Cannot push a message: too long: ${text.length} bytes`)
  const pair = createECDH('prime256v1')
  if (own.privateKey === undefined) pair.generateKeys()
  else pair.setPrivateKey(own.privateKey)
  const [ours, theirs] = [pair.getPublicKey(), Buffer.from(p256dh, 'base64url')]
  const shared = pair.computeSecret(theirs)
  const about = Buffer.concat([Buffer.from('WebPush: info\0'), theirs, ours])
  const secret = expand(shared, { salt: Buffer.from(auth, 'base64url'), info: about, length: 32 })
  const key = expand(secret, {
    salt: own.salt,
    info: Buffer.from('Content-Encoding: aes128gcm\0'),
    length: 16,
  })
  const nonce = expand(secret, { salt: own.salt, info: Buffer.from('Content-Encoding: nonce\0'), length: 12 })
  const cipher = createCipheriv('aes-128-gcm', key, nonce)
  // 2 ends the last record.
  const sealed = Buffer.concat([cipher.update(text), cipher.update(Uint8Array.of(2)), cipher.final()])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(RECORD_BYTES)
  head.writeUInt8(ours.length, 4)
  return new Uint8Array(Buffer.concat([own.salt, head, ours, sealed, cipher.getAuthTag()]))
}

/** Who sends (RFC 8292 section 3): a JSON Web Token for the push service's origin, signed with ES256. */
export function vapidHeader(
  endpoint: string,
  { keys, subject, now }: { keys: VapidKeys; subject: string; now: number },
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { aud: new URL(endpoint).origin, exp: Math.floor(now / 1000) + TOKEN_S, sub: subject }
  const unsigned = `${part({ typ: 'JWT', alg: 'ES256' })}.${part(claims)}`
  const point = Buffer.from(keys.publicKey, 'base64url')
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
      d: keys.privateKey,
    },
  })
  const signature = sign('sha256', Buffer.from(unsigned), { key, dsaEncoding: 'ieee-p1363' })
  return `vapid t=${unsigned}.${signature.toString('base64url')}, k=${keys.publicKey}`
}

function expand(
  secret: Uint8Array,
  { salt, info, length }: { salt: Uint8Array; info: Uint8Array; length: number },
): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, length))
}
