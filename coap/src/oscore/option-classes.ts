import { inOrder, type Option } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { splitProxyUri } from './proxy-uri.ts'

/**
 * How an option is protected (RFC 8613 section 4.1): `E` inside only, encrypted; `U` outside only, for proxies to see and change;
 * `EU` inside for the other endpoint, and outside for a proxy's own use. There is no option of class I (integrity only) yet.
 */
export type OptionClass = 'E' | 'U' | 'EU'

/** The class of every option for which one is defined: RFC 8613 figure 5, and the RFC that is named with it. */
export const OPTION_CLASSES: readonly (readonly [number: number, optionClass: OptionClass])[] = [
  [OPTION.IF_MATCH, 'E'],
  [OPTION.URI_HOST, 'U'],
  [OPTION.ETAG, 'E'],
  [OPTION.IF_NONE_MATCH, 'E'],
  [OPTION.OBSERVE, 'EU'],
  [OPTION.URI_PORT, 'U'],
  [OPTION.LOCATION_PATH, 'E'],
  [OPTION.OSCORE, 'U'],
  [OPTION.URI_PATH, 'E'],
  [OPTION.CONTENT_FORMAT, 'E'],
  [OPTION.MAX_AGE, 'EU'],
  [OPTION.URI_QUERY, 'E'],
  // RFC 8768 has proxies count with it.
  [OPTION.HOP_LIMIT, 'U'],
  [OPTION.ACCEPT, 'E'],
  // RFC 9177 section 4.1.
  [OPTION.Q_BLOCK1, 'EU'],
  [OPTION.LOCATION_QUERY, 'E'],
  [OPTION.BLOCK2, 'EU'],
  [OPTION.BLOCK1, 'EU'],
  [OPTION.SIZE2, 'EU'],
  [OPTION.Q_BLOCK2, 'EU'],
  [OPTION.PROXY_URI, 'U'],
  [OPTION.PROXY_SCHEME, 'U'],
  [OPTION.SIZE1, 'EU'],
  // RFC 9175 sections 2.2 and 3.3.
  [OPTION.ECHO, 'EU'],
  [OPTION.NO_RESPONSE, 'EU'],
  [OPTION.REQUEST_TAG, 'EU'],
]

/** The class of an option; what has no name here is of class E (section 4.1). */
export function optionClass(number: number): OptionClass {
  return byNumber.get(number) ?? 'E'
}

/** The options of a message to be sent, by where they go. */
export interface SplitOptions {
  readonly inner: readonly Option[]
  readonly outer: readonly Option[]
  readonly hasObserve: boolean
}

/**
 * Parts the options of a message to be sent (section 4.1). Throws RangeError for one that has an OSCORE option already: OSCORE
 * inside OSCORE is not defined (section 4.1.3.7).
 */
export function splitOptions(options: readonly Option[], isRequest: boolean): SplitOptions {
  const inner: Option[] = []
  const outer: Option[] = []
  let hasObserve = false
  for (const option of options) {
    const { number, value } = option
    if (number === OPTION.OSCORE) throw new RangeError('Failed to protect a message: it has an OSCORE option')
    if (number === OPTION.OBSERVE) {
      // Outside for proxies to forward by; inside, a notification only says that it is one (sections 4.1.3.5.1 and .2).
      hasObserve = true
      outer.push(option)
      inner.push(isRequest ? option : { number, value: NO_BYTES })
    } else if (number === OPTION.PROXY_URI) {
      const split = splitProxyUri(value)
      outer.push(split.outer)
      inner.push(...split.inner)
    } else if (optionClass(number) === 'U') outer.push(option)
    else inner.push(option)
  }
  return { inner: inOrder(inner), outer, hasObserve }
}

/**
 * The options of a message received: those from inside, and of those outside the ones of class U (section 8.2, steps 1 and 7). The
 * others outside are discarded, whatever they say: anyone on the way could have put them there.
 */
export function joinOptions(inner: readonly Option[], outer: readonly Option[]): readonly Option[] {
  const extra = outer.filter(
    ({ number }) =>
      number !== OPTION.OSCORE &&
      optionClass(number) === 'U' &&
      !inner.some((option) => option.number === number),
  )
  return extra.length === 0 ? inner : inOrder([...inner, ...extra])
}

/** The value of the OSCORE option, undefined if there is not exactly one (it is not repeatable, section 2). */
export function oscoreOptionOf(options: readonly Option[]): Uint8Array | undefined {
  let found: Uint8Array | undefined
  for (const { number, value } of options) {
    if (number !== OPTION.OSCORE) continue
    if (found !== undefined) return undefined
    found = value
  }
  return found
}

/** Whether a message claims to be an OSCORE message. */
export function isProtected(options: readonly Option[]): boolean {
  return options.some(({ number }) => number === OPTION.OSCORE)
}

const NO_BYTES = new Uint8Array(0)
const byNumber = new Map(OPTION_CLASSES)
