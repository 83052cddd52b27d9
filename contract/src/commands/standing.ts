import { type CommandKind, isFinal, type OutcomeState, type RefuseReason } from '../check-in.ts'
import type { CancelledCommand, Control, KeptOutcome, QueuedCommand } from '../control.ts'

/** How long after a command's time its end may still be on its way to us, seconds. After that nobody knows. */
export const WORD_GRACE_S = 120

/**
 * How a command stands, for people. Only the device's own authenticated word makes it `accepted` or anything after.
 * - `queued`: waits for the device's next check-in
 * - `sent`: was in an answer to the device, which may not have received it
 * - `expired`: its time passed before it was handed out, or the device says so
 * - `cancelled`: taken back before it was handed out
 * - `unknown`: handed out, and no word of its end: look at the camera. It is never repeated by itself
 */
export type CommandState = OutcomeState | 'queued' | 'sent' | 'cancelled' | 'unknown'

export type Standing = {
  n: number
  state: CommandState
  /** When the device's word was true, milliseconds since 1970. */
  at?: number
  /** What was dispensed, by the device's word, grams. */
  dispensed?: number
  /** Why it was refused. */
  reason?: RefuseReason
  /** It came about after its time. */
  late?: boolean
  /** Taken back, when it had perhaps been handed out already. */
  isCancelled?: boolean
  /** As it was given; absent when only the device's word is left of it. */
  given?: { kind: CommandKind; grams: number; notAfter: number; by: string; at: number }
}

/** States after which a command is not heard of any more, unless nobody knew. */
export function isEnd(state: CommandState): boolean {
  if (state === 'queued' || state === 'sent') return false
  return state === 'cancelled' || state === 'unknown' || isFinal(state)
}

/**
 * Every command that is still known, by its number.
 * @param now milliseconds since 1970
 */
export function standings({ desired, reported }: Control, now: number): Standing[] {
  const outcomes = new Map((reported.outcomes?.items ?? []).map((item) => [item.n, item]))
  const given = [...desired.queue, ...(desired.cancelled ?? [])]
  const standing = given.map((command) =>
    standingOf(command, outcomes.get(command.n), { now, sent: reported.sent ?? 0 }),
  )
  const numbers = new Set(given.map(({ n }) => n))
  const others = [...outcomes.values()].filter(({ n }) => !numbers.has(n)).map(wordOf)
  return [...standing, ...others].sort((a, b) => a.n - b.n)
}

function standingOf(
  command: QueuedCommand | CancelledCommand,
  outcome: KeptOutcome | undefined,
  { now, sent }: { now: number; sent: number },
): Standing {
  const { n, kind, grams, notAfter, by, at } = command
  const isCancelled = 'cancelled' in command
  const isOver = now > (notAfter + WORD_GRACE_S) * 1000
  const known: Standing = {
    n,
    state: 'queued',
    ...(isCancelled && { isCancelled }),
    given: { kind, grams, notAfter, by, at },
  }
  if (outcome !== undefined) {
    const word = wordOf(outcome)
    // A device that said "accepted" and fell silent: it may have fed, or not.
    return { ...known, ...word, ...(isOver && !isEnd(word.state) && { state: 'unknown' }) }
  }
  if (n <= sent) return { ...known, state: isOver ? 'unknown' : 'sent' }
  if (isCancelled) return { ...known, state: 'cancelled' }
  // Word that it was handed out may lag behind, too.
  return { ...known, state: isOver ? 'expired' : 'queued' }
}

function wordOf({ n, state, at, grams, reason, late }: KeptOutcome): Standing {
  return {
    n,
    state,
    at,
    ...(grams !== undefined && { dispensed: grams }),
    ...(reason !== undefined && { reason }),
    ...(late && { late }),
  }
}
