import type { Mailbox } from './mailbox.ts'

/** What the application needs from outside, as function types. The composition root (worker.ts) supplies them. */

/**
 * Takes a report (JSON of contract/src/report.ts, copied before it returns) into the journal. Resolves when the gateway may say 2.04:
 * it is on disk, or SQS has it, as `ackAfter` is set. Rejects when the report cannot be kept now.
 */
export type Keep = (json: Uint8Array) => Promise<void>

/** The next `seq` for a device that has none of its own: rises for ever, also over restarts. */
export type NextSeq = () => number

/** Whether a device may report now. Takes one from its allowance if so. */
export type Allow = (thing: string) => boolean

/** Seconds until it is worth trying again, from the real depth of the queue, for 4.29 and 5.03. */
export type RetryAfter = (thing: string) => number

/** Why the gateway is not ready, or undefined if it is. */
export type NotReady = () => string | undefined

/** The gateway's clock: milliseconds since 1970. */
export type Clock = () => number

/**
 * What waits for a device. Undefined: AWS cannot be asked now, and nothing is known; then the device is taken at its key's word
 * and gets no commands. A mailbox of which only an old state is known has no commands either. Must not reject.
 */
export type LookUp = (thing: string) => Mailbox | undefined | Promise<Mailbox | undefined>
