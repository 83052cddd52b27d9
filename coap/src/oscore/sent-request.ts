import type { NonceChoice, SecurityContext } from './context.ts'

/** A request of ours that waits for its response: what `verifyResponse` has to remember of it (RFC 8613 section 8). */
export class SentRequest {
  readonly context: SecurityContext
  /** The Sender Sequence Number that the request took. */
  readonly partialIv: number
  /** Whether it asked for notifications. */
  readonly isRegistration: boolean
  #isOver = false
  /** Whether a response under the request's nonce was taken. */
  #isNonceUsed = false
  /** The Notification Number (section 7.4.1); -1 below the first. */
  #notificationNumber = -1
  #notifications = 0

  /** `protectRequest` makes one. */
  constructor(context: SecurityContext, partialIv: number, isRegistration: boolean) {
    this.context = context
    this.partialIv = partialIv
    this.isRegistration = isRegistration
  }

  /** Whether no response will be taken any more: the last one has come. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The additional authenticated data of the request and of every response; good until those of another are asked for. */
  get aad(): Uint8Array {
    return this.context.aadOf({ partialIv: this.partialIv, madeBy: 'sender' })
  }

  /** How many notifications were taken. */
  get notifications(): number {
    return this.#notifications
  }

  /** The nonce that a response with this Partial IV, or without one, has to be under (section 8.4, step 4). */
  nonceOf(partialIv: number | undefined): NonceChoice {
    if (partialIv === undefined) return { partialIv: this.partialIv, madeBy: 'sender' }
    return { partialIv, madeBy: 'recipient' }
  }

  /** Whether a response with this Partial IV may be taken at all: one under the request's nonce, and none after the last. */
  mayTake(partialIv: number | undefined): boolean {
    return !this.#isOver && (partialIv !== undefined || !this.#isNonceUsed)
  }

  /**
   * Takes a verified notification. False if it is not newer than what has come; one without Partial IV is older than all others
   * (section 7.4.1).
   */
  takeNotification(partialIv: number | undefined): boolean {
    const number = partialIv ?? -1
    if (this.#notifications > 0 && number <= this.#notificationNumber) return false
    if (partialIv === undefined) this.#isNonceUsed = true
    this.#notificationNumber = number
    this.#notifications++
    return true
  }

  /** Takes a verified response that is no notification: the last. */
  takeLast(): void {
    this.#isOver = true
  }
}
