/** What the commands need of CoAP; udp.ts does it. */

/** One request to the host that a client was opened for. */
export type CoapRequest = {
  /** `METHOD` in @pesebre/coap/codec/codes. */
  readonly method: number
  readonly path: readonly string[]
  readonly query: readonly string[]
  /** Default true. */
  readonly confirmable?: boolean
  readonly contentFormat?: number
  readonly payload?: Uint8Array
}

export type CoapResponse = {
  /** `0x44` is 2.04. */
  readonly code: number
  readonly contentFormat: number | undefined
  readonly payload: Uint8Array
  /** From sending to the answer, milliseconds. */
  readonly ms: number
}

/** Sends a request and waits for its answer. Throws a Failure when none comes in time, or nobody listens. */
export type CoapExchange = (request: CoapRequest, timeoutMs: number) => Promise<CoapResponse>

export type CoapClient = {
  readonly request: CoapExchange
  /**
   * Observes a resource (RFC 7641): its answer now, then one for each notification, until `signal` is aborted; then
   * the server is told. Ends after one answer when the server does not let the resource be observed.
   */
  observe(target: Pick<CoapRequest, 'path' | 'query'>, signal: AbortSignal): AsyncIterable<CoapResponse>
  close(): void
}
