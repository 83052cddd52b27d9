import { CODE } from '../codec/codes.ts'
import { OPTION } from '../codec/options.ts'
import { isSame } from './key-derivation.ts'
import type { MessageFields } from './plaintext.ts'
import { type Acceptance, type ReplayProtection, ReplayWindow } from './replay-window.ts'

/** Length of an Echo option, bytes (RFC 9175 section 2.2.1). */
const ECHO_LENGTH_MAX = 40
/** Shorter ones could be guessed by who has recorded requests for long: they would have been sent with that very value before. */
const ECHO_LENGTH_MIN = 8

/**
 * The replay window of a context whose record of what it has seen is lost (RFC 8613 Appendix B.1.2). Until a request carries the
 * Echo value that was given out after the loss, none is fresh: each is answered with 4.01 and that value, under a Partial IV of our
 * own. The first one that carries it sets the lower edge of a new window.
 *
 * The value stays the same until then, so that recorded requests that somebody sends in between cannot take it away from the device.
 */
export class Recovery implements ReplayProtection {
  /** The value to be given out. */
  readonly echo: Uint8Array
  readonly #width: number | undefined
  #window: ReplayWindow | undefined = undefined

  /** `echo`: 8 to 40 random bytes, new for every loss. `width` is that of the new window. Throws RangeError for other lengths. */
  constructor(echo: Uint8Array, width?: number) {
    if (echo.length < ECHO_LENGTH_MIN || echo.length > ECHO_LENGTH_MAX)
      throw new RangeError(`Failed to begin a recovery: Echo value of ${echo.length} bytes`)
    // Refuses a bad width now and not when the device has come back.
    new ReplayWindow(width)
    this.echo = echo
    this.#width = width
  }

  /** The new window, once a request has proved to be fresh: put it in the place of this. */
  get window(): ReplayWindow | undefined {
    return this.#window
  }

  check(sequenceNumber: number): boolean {
    return this.#window === undefined || this.#window.check(sequenceNumber)
  }

  commit(sequenceNumber: number, echo: Uint8Array | undefined): Acceptance {
    if (this.#window !== undefined) return this.#window.commit(sequenceNumber)
    if (echo === undefined || !isSame(echo, this.echo)) return 'unproven'
    this.#window = ReplayWindow.after(sequenceNumber, this.#width)
    return 'fresh'
  }
}

/** The value of the first Echo option, undefined without one. */
export function echoOf({ options }: Pick<MessageFields, 'options'>): Uint8Array | undefined {
  return options.find(({ number }) => number === OPTION.ECHO)?.value
}

/**
 * For clients: the Echo value with which a request has to be made once more, with a new Partial IV, if the answer asks for that
 * (RFC 9175 section 2.3).
 */
export function challengeOf(response: MessageFields): Uint8Array | undefined {
  return response.code === CODE.UNAUTHORIZED ? echoOf(response) : undefined
}
