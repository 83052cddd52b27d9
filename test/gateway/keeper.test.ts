import { CODE, formatCode } from '@pesebre/coap/codec/codes'
import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import t from 'tap'
import { Refusal } from '../../gateway/src/app/refusal.ts'
import { createBoard } from '../../gateway/src/board.ts'
import { type Journal, JournalUnavailable } from '../../gateway/src/journal/journal.ts'
import { createKeeper } from '../../gateway/src/keeper.ts'
import { request } from './app/fixtures.ts'

/** A keeper over a journal in memory, whose every line takes ten bytes. */
function keeper(ackAfter: 'journal' | 'queue') {
  const board = createBoard(OUTCOMES)
  const lines: string[] = []
  let failure: Error | undefined
  const journal: Pick<Journal, 'append' | 'committed' | 'failure'> = {
    append: async (json) => {
      if (failure) throw new JournalUnavailable('failed', failure)
      lines.push(`${Buffer.from(json)}`)
    },
    committed: () => lines.length * 10,
    failure: () => failure,
  }
  const made = createKeeper({
    journal: journal as Journal,
    ackAfter,
    board,
    retryAfter: (thing) => thing.length,
  })
  const sent = (position: number): void => {
    board.set('sent', position)
    made.release()
  }
  return { ...made, board, lines, sent, fail: (error?: Error) => (failure = error) }
}

/** Lets every promise that can settle do so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('keep() resolves once the journal has the report', async (t) => {
  const { keep, lines } = keeper('journal')
  await keep(Buffer.from('{}'))
  t.strictSame(lines, ['{}'])
})

t.test('keep() resolves only when SQS has the report where that is asked for', async (t) => {
  const { keep, sent } = keeper('queue')
  const done: string[] = []
  const keeping = ['a', 'b', 'c'].map((json) => keep(Buffer.from(json)).then(() => done.push(json)))
  await settled()
  t.strictSame(done, [])
  sent(10)
  await settled()
  t.strictSame(done, [], 'the three were committed together: each waits for the whole commit')
  sent(30)
  await Promise.all(keeping)
  t.strictSame(done, ['a', 'b', 'c'])
  sent(40)
  await keep(Buffer.from('d'))
})

t.test('keep() lets no more answers wait for SQS than memory is meant for', async (t) => {
  const { keep, sent, refusalOf, board, lines } = keeper('queue')
  const keeping = Array.from({ length: 16_384 }, () => keep(Buffer.from('{}')))
  await settled()
  const error: unknown = await keep(Buffer.from('{}')).catch((cause: unknown) => cause)
  const refusal = refusalOf(error, request())
  t.strictSame([formatCode(refusal!.code), refusal!.message, refusal!.retryAfter], ['5.03', 'Queue away', 5])
  t.equal(board.get('refused_queue_away'), 1)
  t.equal(lines.length, 16_384, 'what is refused is not kept')
  sent(lines.length * 10)
  await Promise.all(keeping)
  sent(1e9)
  await keep(Buffer.from('{}'))
})

t.test('refusalOf() knows the errors of the journal and no others', async (t) => {
  const { refusalOf, board, keep, fail } = keeper('journal')
  const full = refusalOf(new JournalUnavailable('full'), request())
  t.strictSame([formatCode(full!.code), full!.message, full!.retryAfter], ['5.03', 'Journal full', 5])
  const failed = refusalOf(new JournalUnavailable('failed', new Error('EIO')), request({ path: [] }))
  t.strictSame([formatCode(failed!.code), failed!.message, failed!.retryAfter], ['5.03', 'Journal failed', 0])
  t.strictSame([board.get('refused_journal_full'), board.get('refused_journal_failed')], [1, 1])
  for (const other of [new Error('x'), new TypeError('y'), undefined, 'text'])
    t.equal(refusalOf(other, request()), undefined)
  fail(new Error('EIO'))
  await t.rejects(keep(Buffer.from('{}')), /journal: failed/)
})

t.test('onRefusal() counts each refusal once, by its reason', async (t) => {
  const { onRefusal, board } = keeper('journal')
  for (const code of [CODE.BAD_REQUEST, CODE.NOT_FOUND, CODE.UNSUPPORTED_CONTENT_FORMAT])
    onRefusal(new Refusal(code, ''))
  onRefusal(new Refusal(CODE.TOO_MANY_REQUESTS, ''))
  t.strictSame([board.get('refused_other'), board.get('refused_rate_device')], [3, 1])
  // Already counted by refusalOf.
  onRefusal(new Refusal(CODE.SERVICE_UNAVAILABLE, ''))
  t.strictSame([board.get('refused_other'), board.get('refused_rate_device')], [3, 1])
})

t.test('notReady() names the first broken hop in a word', async (t) => {
  const { notReady, board, fail } = keeper('journal')
  t.equal(notReady(120), undefined)
  board.set('oldest_unsent_at', Date.now() - 60_000)
  t.equal(notReady(120), undefined)
  t.equal(notReady(30), 'queue')
  fail(new Error('EIO'))
  t.equal(notReady(30), 'journal')
  fail(undefined)
  board.set('oldest_unsent_at', 0)
  t.equal(notReady(30), undefined)
})
