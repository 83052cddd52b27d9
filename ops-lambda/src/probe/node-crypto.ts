import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'

const ALGORITHM = 'aes-128-ccm'
const TAG = { authTagLength: 8 } as const

/** The cryptography of OSCORE for a device. */
export const nodeCrypto: CryptoPrimitives = {
  hkdf: ({ salt, secret, info, length }) => new Uint8Array(hkdfSync('sha256', secret, salt, info, length)),
  seal({ key, nonce, aad, data }) {
    const cipher = createCipheriv(ALGORITHM, createSecretKey(key), nonce, TAG)
    cipher.setAAD(aad, { plaintextLength: data.length })
    const sealed = cipher.update(data)
    cipher.final()
    return Buffer.concat([sealed, cipher.getAuthTag()])
  },
  open({ key, nonce, aad, data }) {
    const end = data.length - TAG.authTagLength
    const decipher = createDecipheriv(ALGORITHM, createSecretKey(key), nonce, TAG)
    decipher.setAuthTag(data.subarray(end)).setAAD(aad, { plaintextLength: end })
    const plaintext = decipher.update(data.subarray(0, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plaintext
  },
}
