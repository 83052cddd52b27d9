import { CODE } from '@pesebre/coap/codec/codes'
import type { Request } from '@pesebre/coap/endpoint/types'
import type { Keep, RetryAfter } from './app/ports.ts'
import { Refusal } from './app/refusal.ts'
import type { Board } from './board.ts'
import { type Journal, JournalUnavailable } from './journal/journal.ts'

export type KeeperSettings = {
  journal: Journal
  /** Says 2.04 once the report is on disk, or only once SQS has it. */
  ackAfter: 'journal' | 'queue'
  board: Board
  retryAfter: RetryAfter
}

export type Keeper = {
  keep: Keep
  /** Why reports are not taken or not delivered, or undefined. One word: it goes out over CoAP. */
  notReady(unsentMaxS: number): string | undefined
  refusalOf(error: unknown, request: Request): Refusal | undefined
  onRefusal(refusal: Refusal): void
  /** SQS has taken more: releases the answers that waited for it. */
  release(): void
}

/**
 * Answers that may wait for SQS; above, 5.03. The endpoint gives an exchange up after its lifetime, but its answer waits on
 * here: without a limit, a day without SQS would fill the memory.
 */
const WAITING_MAX = 16_384

/** Stands between application and journal: decides when a report counts as kept, and what is said when it cannot be. */
export function createKeeper({ journal, ackAfter, board, retryAfter }: KeeperSettings): Keeper {
  /** Answers that wait for SQS, in order of their position. */
  const waiting: { position: number; release: () => void }[] = []

  async function keepUntilSent(json: Uint8Array): Promise<void> {
    if (waiting.length >= WAITING_MAX) throw new QueueAway()
    await journal.append(json)
    const position = journal.committed()
    if (board.get('sent') < position)
      await new Promise<void>((release) => waiting.push({ position, release }))
  }

  function release(): void {
    const sent = board.get('sent')
    const first = waiting.findIndex(({ position }) => position > sent)
    for (const waiter of waiting.splice(0, first < 0 ? waiting.length : first)) waiter.release()
  }

  function notReady(unsentMaxS: number): string | undefined {
    if (journal.failure()) return 'journal'
    const oldest = board.get('oldest_unsent_at')
    return oldest > 0 && Date.now() - oldest > unsentMaxS * 1000 ? 'queue' : undefined
  }

  function refusalOf(error: unknown, request: Request): Refusal | undefined {
    const hints = { retryAfter: retryAfter(request.principal ?? request.path.at(-1) ?? '') }
    if (error instanceof QueueAway) {
      board.add('refused_queue_away', 1)
      return new Refusal(CODE.SERVICE_UNAVAILABLE, 'Queue away', hints)
    }
    if (!(error instanceof JournalUnavailable)) return undefined
    board.add(error.reason === 'full' ? 'refused_journal_full' : 'refused_journal_failed', 1)
    return new Refusal(CODE.SERVICE_UNAVAILABLE, `Journal ${error.reason}`, hints)
  }

  function onRefusal({ code }: Refusal): void {
    if (code === CODE.TOO_MANY_REQUESTS) board.add('refused_rate_device', 1)
    else if (code === CODE.FORBIDDEN) board.add('refused_disabled', 1)
    else if (code !== CODE.SERVICE_UNAVAILABLE) board.add('refused_other', 1)
  }

  const keep = ackAfter === 'journal' ? journal.append : keepUntilSent
  return { keep, notReady, refusalOf, onRefusal, release }
}

/** Too many answers wait for SQS already. */
class QueueAway extends Error {}
