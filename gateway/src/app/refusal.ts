/** An answer other than the wished-for one. Thrown anywhere in the application, turned into a response in one place. */
export class Refusal extends Error {
  /** CoAP response code, for example 0x80 for 4.00. */
  readonly code: number
  /** Seconds, for Max-Age. */
  readonly retryAfter: number | undefined
  /** Largest body that would be taken, bytes, for Size1. */
  readonly size: number | undefined

  /** `message` is the diagnostic payload that the device gets (RFC 7252 section 5.5.2): keep it short. */
  constructor(code: number, message: string, hints: { retryAfter?: number; size?: number } = {}) {
    super(message)
    this.code = code
    this.retryAfter = hints.retryAfter
    this.size = hints.size
  }
}
