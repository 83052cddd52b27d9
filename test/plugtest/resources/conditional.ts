/** TD_COAP_CORE_21 to 23 and 27 to 29: ETag, If-Match, If-None-Match. */
import { CODE } from '@pesebre/coap/codec/codes'
import { createDigest } from '@pesebre/coap/endpoint/messaging/digest'
import { etag, maxAge } from '@pesebre/coap/endpoint/response'
import { bodyOf, type Representation, type Resource, shown, textOf } from '../resource.ts'

/** As the descriptions ask of a resource that proxies may cache, seconds. */
const MAX_AGE = 30

export function conditionalResources(): readonly Resource[] {
  return [validate(), create('create1'), create('create3')]
}

/** /validate has another ETag after each change, also when the same is put again. */
function validate(): Resource {
  const first = textOf('Ask me again with my ETag')
  let now = first
  let version = 1
  const change = (next: Representation): void => {
    now = next
    version++
  }
  const tag = (): Uint8Array => tagOf(now.payload, version)
  return {
    path: 'validate',
    attributes: () => ({ title: 'Varies, and has an ETag', ct: `${now.format}` }),
    tag,
    get: () => shown(now, [etag(tag()), maxAge(MAX_AGE)]),
    put: (request) => {
      change(bodyOf(request))
      return { code: CODE.CHANGED }
    },
    delete: () => {
      change(first)
      return { code: CODE.DELETED }
    },
  }
}

/** A resource that is not there until it is put, and can be deleted again. */
function create(path: string): Resource {
  let now: Representation | undefined
  return {
    path,
    attributes: () =>
      now && { title: 'Created by a client', ct: `${now.format}`, sz: `${now.payload.length}` },
    exists: () => now !== undefined,
    tag: () => now && tagOf(now.payload, 0),
    get: () => (now ? shown(now, [etag(tagOf(now.payload, 0))]) : { code: CODE.NOT_FOUND }),
    put: (request) => {
      const code = now === undefined ? CODE.CREATED : CODE.CHANGED
      now = bodyOf(request)
      return { code }
    },
    delete: () => {
      now = undefined
      return { code: CODE.DELETED }
    },
  }
}

const digest = createDigest(new Uint8Array(8))

function tagOf(payload: Uint8Array, version: number): Uint8Array {
  digest.update('', version, payload)
  const { low, high } = digest
  return Uint8Array.of(low, low >> 8, low >> 16, low >> 24, high, high >> 8)
}
