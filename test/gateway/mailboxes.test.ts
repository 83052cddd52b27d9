import t from 'tap'
import type { Mailbox } from '../../gateway/src/app/mailbox.ts'
import { createMailboxes } from '../../gateway/src/mailboxes.ts'

const command = (n: number) => ({ n, kind: 'feed' as const, grams: 1, notAfter: 9e9, by: 'test', at: 0 })

function box(version: number, ...numbers: number[]): Mailbox {
  return { version, enabled: true, queue: numbers.map(command), acted: 0 }
}

function setUp() {
  const asked: [string, number][] = []
  const changes: [string, number][] = []
  const mailboxes = createMailboxes({
    ask: (thing, epoch) => asked.push([thing, epoch]),
    onChange: (thing, { version }) => changes.push([thing, version]),
    kept: 10,
  })
  const answer = (mailbox: Mailbox | undefined) => {
    const [thing, epoch] = asked.pop()!
    mailboxes.receive(thing, mailbox, epoch)
  }
  return { mailboxes, asked, changes, answer }
}

t.test('lookUp() asks once at first contact, then answers from what is announced', async (t) => {
  const { mailboxes, asked, changes, answer } = setUp()
  mailboxes.setLive(true, true)
  const both = [mailboxes.lookUp('a'), mailboxes.lookUp('a')]
  t.equal(asked.length, 1)
  answer(box(3, 1))
  t.strictSame(await Promise.all(both), [box(3, 1), box(3, 1)])
  t.strictSame(mailboxes.lookUp('a'), box(3, 1))
  mailboxes.announce('a', box(4, 1, 2))
  mailboxes.announce('a', box(3))
  t.strictSame(mailboxes.lookUp('a'), box(4, 1, 2), 'an older one changes nothing')
  t.strictSame(changes, [['a', 4]])
  mailboxes.announce('b', box(1))
  t.equal(mailboxes.count(), 1, 'others have not been heard of')
})

t.test(
  'lookUp() asks each time while nothing is announced, and after announcements may have been missed',
  async (t) => {
    const { mailboxes, asked, answer } = setUp()
    for (const version of [1, 2, 3]) {
      const found = mailboxes.lookUp('a')
      answer(box(version))
      t.strictSame(await found, box(version))
    }
    const early = mailboxes.lookUp('a')
    mailboxes.setLive(true, false)
    answer(box(4))
    t.strictSame(await early, box(4))
    const next = mailboxes.lookUp('a')
    t.equal(asked.length, 1, 'the question was older than the announcements: asked again')
    answer(box(5))
    await next
    t.strictSame(mailboxes.lookUp('a'), box(5))
    mailboxes.setLive(false, false)
    t.ok(mailboxes.lookUp('a') instanceof Promise)
    mailboxes.setLive(true, false)
    t.strictSame(mailboxes.lookUp('a'), box(5), 'the broker kept the session')
    mailboxes.setLive(true, true)
    t.ok(mailboxes.lookUp('a') instanceof Promise, 'it did not')
  },
)

t.test('an answer that an announcement has overtaken changes nothing', async (t) => {
  const { mailboxes, answer } = setUp()
  mailboxes.setLive(true, true)
  const found = mailboxes.lookUp('a')
  mailboxes.announce('a', box(8, 2))
  answer(box(7, 1))
  t.strictSame(await found, box(8, 2))
  t.strictSame(mailboxes.lookUp('a'), box(8, 2))
})

t.test(
  'when AWS does not answer nothing old is handed out, but a device that was disabled stays so',
  async (t) => {
    const { mailboxes, answer, asked } = setUp()
    const first = mailboxes.lookUp('a')
    answer({ ...box(1, 1), enabled: false })
    await first
    const second = mailboxes.lookUp('a')
    answer(undefined)
    t.strictSame(await second, { version: 1, enabled: false, queue: [], acted: 0 })
    const unknown = mailboxes.lookUp('b')
    t.equal(unknown, undefined, 'at once, since AWS is known to be away')
    t.equal(asked.length, 1, 'but asked all the same')
    answer(box(1, 5))
    const back = mailboxes.lookUp('b')
    answer(box(1, 5))
    t.strictSame(await back, box(1, 5))
    t.equal(await mailboxes.lookUp('c'), undefined, 'no answer in time')
  },
)

t.test(
  'noteOutcome(): what the device has named is not handed out again, whatever the shadow says yet',
  async (t) => {
    const { mailboxes, answer } = setUp()
    mailboxes.setLive(true, true)
    const found = mailboxes.lookUp('a')
    answer(box(1, 1, 2, 3))
    await found
    mailboxes.noteOutcome('a', 2)
    t.strictSame(mailboxes.lookUp('a'), { ...box(1, 3), acted: 2 })
    mailboxes.announce('a', box(2, 1, 2, 3, 4))
    t.strictSame(mailboxes.lookUp('a'), { ...box(2, 3, 4), acted: 2 })
  },
)

t.test('no more devices are remembered than there is room for', async (t) => {
  const { mailboxes, answer } = setUp()
  mailboxes.setLive(true, true)
  for (let i = 0; i < 100; i++) {
    const found = mailboxes.lookUp(`thing-${i}`)
    answer(box(1))
    await found
  }
  t.ok(mailboxes.count() <= 20)
  t.ok(mailboxes.count() >= 10)
})
