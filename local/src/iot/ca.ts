/** The certificate authority of the local AWS IoT: made once, kept in a directory. Keys are P-256. */
import 'reflect-metadata'
import { createHash, type webcrypto } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as x509 from '@peculiar/x509'

export type IssuedCertificate = {
  /** SHA-256 of the certificate in DER, in hex: what AWS IoT calls the certificate id. */
  readonly id: string
  readonly certificatePem: string
  readonly publicKeyPem: string
  /** PKCS #8. It is not kept here. */
  readonly privateKeyPem: string
  readonly notBefore: Date
  readonly notAfter: Date
}

export type Authority = {
  readonly caFile: string
  readonly caPem: string
  /** For the MQTT listener: valid for 127.0.0.1 and localhost. */
  readonly server: { readonly keyPem: string; readonly certificatePem: string }
  /** A client certificate with a new key. */
  issue(): Promise<IssuedCertificate>
}

type KeyPair = webcrypto.CryptoKeyPair

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 24 * 60 * 60 * 1000
const CA_DAYS = 3650
const SERVER_DAYS = 365
/** A server certificate with less than this left is replaced at the next start. */
const SERVER_DAYS_LEFT_MIN = 30
/** A clock that lags a little must not see a certificate of the future. */
const BACKDATE_MS = 60_000
/** AWS IoT's own client certificates end then (Developer Guide, "Create AWS IoT client certificates"). */
const CLIENT_END = new Date('2049-12-31T23:59:59Z')

const { subtle } = globalThis.crypto
x509.cryptoProvider.set(globalThis.crypto)

/** Reads the authority of a directory, or makes one there: `ca.pem`, and `ca.key` and the server's for itself. */
export async function openAuthority(dir: string): Promise<Authority> {
  mkdirSync(dir, { recursive: true })
  const file = (name: string) => join(dir, name)
  const isNew = !existsSync(file('ca.pem')) || !existsSync(file('ca.key'))
  if (isNew) await createAuthority(file)
  const caPem = readFileSync(file('ca.pem'), 'utf8')
  const ca = new x509.X509Certificate(caPem)
  const caKey = await importKey(readFileSync(file('ca.key'), 'utf8'))
  const sign = (options: Leaf) => createLeaf(ca, caKey, options)

  if (isNew || !isFresh(file('server.pem')) || !existsSync(file('server.key'))) {
    const { certificate, keys } = await sign({ subject: 'CN=localhost', days: SERVER_DAYS, server: true })
    writeSecret(file('server.key'), await exportKey(keys.privateKey))
    writeFileSync(file('server.pem'), certificate.toString('pem'))
  }
  return {
    caFile: file('ca.pem'),
    caPem,
    server: {
      keyPem: readFileSync(file('server.key'), 'utf8'),
      certificatePem: readFileSync(file('server.pem'), 'utf8'),
    },
    async issue() {
      const { certificate, keys } = await sign({
        subject: 'CN=AWS IoT Certificate',
        days: undefined,
        server: false,
      })
      return {
        id: certificateId(new Uint8Array(certificate.rawData)),
        certificatePem: `${certificate.toString('pem')}\n`,
        publicKeyPem: pem(await subtle.exportKey('spki', keys.publicKey), 'PUBLIC KEY'),
        privateKeyPem: await exportKey(keys.privateKey),
        notBefore: certificate.notBefore,
        notAfter: certificate.notAfter,
      }
    },
  }
}

/** @param der the certificate as it came over TLS */
export function certificateId(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex')
}

async function createAuthority(file: (name: string) => string): Promise<void> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Pesebre local AWS IoT',
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: new Date(Date.now() + CA_DAYS * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  // The certificate comes last: where it is, the key is, whenever the process may have been killed.
  writeSecret(file('ca.key'), await exportKey(keys.privateKey))
  writeFileSync(file('ca.pem'), `${certificate.toString('pem')}\n`)
}

type Leaf = { readonly subject: string; readonly days: number | undefined; readonly server: boolean }

async function createLeaf(
  ca: x509.X509Certificate,
  caKey: webcrypto.CryptoKey,
  { subject, days, server }: Leaf,
): Promise<{ certificate: x509.X509Certificate; keys: KeyPair }> {
  const keys = await generateKeys()
  const usage = server ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: ca.subject,
    notBefore: new Date(Date.now() - BACKDATE_MS),
    notAfter: days === undefined ? CLIENT_END : new Date(Date.now() + days * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: caKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(ca),
      ...(server
        ? [
            new x509.SubjectAlternativeNameExtension([
              { type: 'dns', value: 'localhost' },
              { type: 'ip', value: '127.0.0.1' },
            ]),
          ]
        : []),
    ],
  })
  return { certificate, keys }
}

function generateKeys(): Promise<KeyPair> {
  return subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<KeyPair>
}

/** 16 random bytes, positive and without a leading zero byte (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return Buffer.from(bytes).toString('hex')
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return pem(await subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}

function importKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const [der] = x509.PemConverter.decode(keyPem)
  if (der === undefined) throw new Error('Cannot read the key of the local certificate authority: no PEM')
  return subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign'])
}

function pem(der: ArrayBuffer, label: string): string {
  return `${x509.PemConverter.encode(der, label)}\n`
}

function writeSecret(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 })
}

function isFresh(path: string): boolean {
  if (!existsSync(path)) return false
  const { notAfter } = new x509.X509Certificate(readFileSync(path, 'utf8'))
  return notAfter.getTime() - Date.now() > SERVER_DAYS_LEFT_MIN * DAY_MS
}
