/**
 * What AWS IoT allows as topics, and the topics of the shadow service.
 * Source: Developer Guide, "Reserved topics" and "MQTT topics"; AWS General Reference, "AWS IoT Core message broker
 * and protocol limits and quotas".
 */
import { isThingName } from '@pesebre/contract/names'

/** Bytes of UTF-8. */
export const TOPIC_BYTES_MAX = 256
export const TOPIC_SLASHES_MAX = 7
/** Bytes of a message's payload. */
export const PAYLOAD_BYTES_MAX = 128 * 1024

/** The shadow that a request is about; `name` is undefined for the classic one. */
export type ShadowId = { readonly thing: string; readonly name: string | undefined }
export type ShadowOperation = 'get' | 'update' | 'delete'

const SHADOW_NAME = /^[$a-zA-Z0-9:_-]{1,64}$/
const SHADOW_REQUEST = /^\$aws\/things\/([^/]+)\/shadow(?:\/name\/([^/]+))?\/(get|update|delete)$/
const SUBSCRIBABLE = /^\$aws\/(things|events)\//

/** AWS IoT API Reference, UpdateThingShadow: shadowName. */
export function isShadowName(name: string): boolean {
  return SHADOW_NAME.test(name)
}

/** The prefix of all topics of one shadow. */
export function shadowPrefix({ thing, name }: ShadowId): string {
  const classic = `$aws/things/${thing}/shadow`
  return name === undefined ? classic : `${classic}/name/${name}`
}

/** What a message asks of the shadow service; undefined for every other topic. */
export function parseShadowTopic(
  topic: string,
): { readonly id: ShadowId; readonly operation: ShadowOperation } | undefined {
  if (!topic.startsWith('$aws/things/')) return undefined
  const found = SHADOW_REQUEST.exec(topic)
  if (found === null) return undefined
  const [, thing = '', name, operation] = found
  if (!isThingName(thing) || (name !== undefined && !isShadowName(name))) return undefined
  return { id: { thing, name }, operation: operation as ShadowOperation }
}

/** Why a client may not publish to a topic, undefined when it may. Policies come after this. */
export function publishProblem(topic: string, retain: boolean): string | undefined {
  const problem = sizeProblem(topic)
  if (problem !== undefined) return problem
  if (topic.includes('#') || topic.includes('+')) return 'a topic has no wildcards'
  if (!topic.startsWith('$')) return undefined
  if (retain) return 'a reserved topic keeps no message'
  return parseShadowTopic(topic) === undefined ? 'the topic is reserved' : undefined
}

/** Why a client may not subscribe to a filter, undefined when it may. Policies come after this. */
export function subscribeProblem(filter: string): string | undefined {
  if (filter.startsWith('$') && !SUBSCRIBABLE.test(filter)) return 'the topic is reserved'
  return sizeProblem(filter)
}

function sizeProblem(topic: string): string | undefined {
  if (topic === '' || Buffer.byteLength(topic) > TOPIC_BYTES_MAX) {
    return `a topic has 1 to ${TOPIC_BYTES_MAX} bytes`
  }
  const slashes = topic.split('/').length - 1
  return slashes > TOPIC_SLASHES_MAX ? `a topic has at most ${TOPIC_SLASHES_MAX} slashes` : undefined
}
