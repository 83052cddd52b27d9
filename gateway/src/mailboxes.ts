import type { Mailbox } from './app/mailbox.ts'
import type { LookUp } from './app/ports.ts'

export type MailboxesSettings = {
  /** Asks for a mailbox; the answer comes through `receive` with the same `epoch`. */
  ask: (thing: string, epoch: number) => void
  /** Told when what waits for a device has changed. */
  onChange: (thing: string, mailbox: Mailbox) => void
  /** So many devices are remembered at least, at most twice; the ones not heard of for longest make room. */
  kept: number
}

export type Mailboxes = {
  lookUp: LookUp
  /** A device has named an outcome of this command: neither it nor an older one is handed out again. */
  noteOutcome(thing: string, n: number): void
  /** A change that was announced. Kept only for devices that this thread has heard of. */
  announce(thing: string, mailbox: Mailbox): void
  /** The answer to `ask`; undefined: AWS could not be asked. */
  receive(thing: string, mailbox: Mailbox | undefined, epoch: number): void
  /** Whether changes are announced from now on, and whether some may have been missed before. */
  setLive(isLive: boolean, isReset: boolean): void
  count(): number
}

/** A device's answer waits this long for AWS, milliseconds. */
const WAIT_MS = 400
/** After AWS has answered nobody in time, nobody waits for it for this long, milliseconds: devices have no time for that. */
const AWAY_MS = 2_000

type Entry = {
  mailbox: Mailbox | undefined
  /** Nothing newer can exist without having been announced. */
  isCurrent: boolean
  /** Highest command number that the device has named an outcome of, to this thread. */
  acted: number
  /** Those who wait for an answer of AWS. */
  waiting: ((mailbox: Mailbox | undefined) => void)[]
}

/**
 * What one thread knows of its devices' mailboxes: read from AWS at first contact, kept up by announcements, and read again each
 * time while there are none. Nothing old is handed out: when AWS does not answer, a device gets no commands.
 */
export function createMailboxes({ ask, onChange, kept }: MailboxesSettings): Mailboxes {
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  let isLive = false
  let epoch = 0
  let heardAt = 0
  let awayUntil = 0

  function entryOf(thing: string): Entry {
    const held = young.get(thing)
    if (held !== undefined) return held
    if (young.size >= kept) {
      old = young
      young = new Map()
    }
    const entry = old.get(thing) ?? { mailbox: undefined, isCurrent: false, acted: 0, waiting: [] }
    old.delete(thing)
    young.set(thing, entry)
    return entry
  }

  function lookUp(thing: string): Mailbox | undefined | Promise<Mailbox | undefined> {
    const entry = entryOf(thing)
    if (isLive && entry.isCurrent) return entry.mailbox
    if (performance.now() < awayUntil) {
      // Nobody waits for the answer, which tells, in its time, whether AWS is back.
      ask(thing, epoch)
      return withoutCommands(entry.mailbox)
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        // One slow answer among others says nothing about the rest.
        if (performance.now() - heardAt >= WAIT_MS) awayUntil = performance.now() + AWAY_MS
        settle(entry, undefined)
      }, WAIT_MS)
      entry.waiting.push((mailbox) => {
        clearTimeout(timer)
        resolve(mailbox ?? withoutCommands(entry.mailbox))
      })
      if (entry.waiting.length === 1) ask(thing, epoch)
    })
  }

  function settle(entry: Entry, mailbox: Mailbox | undefined): void {
    for (const done of entry.waiting.splice(0)) done(mailbox)
  }

  function receive(thing: string, mailbox: Mailbox | undefined, asked: number): void {
    if (mailbox === undefined) {
      awayUntil = performance.now() + AWAY_MS
      settle(entryOf(thing), undefined)
      return
    }
    heardAt = performance.now()
    awayUntil = 0
    const entry = entryOf(thing)
    // Read before announcements began, it may be older than a change that nobody announced.
    const isCurrent = isLive && asked === epoch
    const isOvertaken =
      entry.isCurrent && isLive && entry.mailbox !== undefined && entry.mailbox.version > mailbox.version
    if (!isOvertaken) put(thing, entry, mailbox)
    entry.isCurrent ||= isCurrent
    settle(entry, entry.mailbox)
  }

  function announce(thing: string, mailbox: Mailbox): void {
    const entry = young.get(thing) ?? old.get(thing)
    if (entry === undefined || (entry.mailbox !== undefined && entry.mailbox.version >= mailbox.version))
      return
    put(thing, entry, mailbox)
    // It is the whole of it, and what comes after it will be announced, too.
    entry.isCurrent ||= isLive
  }

  function put(thing: string, entry: Entry, mailbox: Mailbox): void {
    const isChanged = entry.mailbox !== undefined && entry.mailbox.version !== mailbox.version
    entry.mailbox = actedUpTo(mailbox, entry.acted)
    if (isChanged) onChange(thing, entry.mailbox)
  }

  function noteOutcome(thing: string, n: number): void {
    const entry = entryOf(thing)
    if (n <= entry.acted) return
    entry.acted = n
    if (entry.mailbox !== undefined) entry.mailbox = actedUpTo(entry.mailbox, n)
  }

  function setLive(live: boolean, isReset: boolean): void {
    if (live !== isLive || isReset) epoch++
    isLive = live
    if (!isReset) return
    for (const entries of [young, old]) for (const entry of entries.values()) entry.isCurrent = false
  }

  return { lookUp, noteOutcome, announce, receive, setLive, count: () => young.size + old.size }
}

function actedUpTo(mailbox: Mailbox, acted: number): Mailbox {
  if (acted <= mailbox.acted) return mailbox
  return { ...mailbox, acted, queue: mailbox.queue.filter(({ n }) => n > acted) }
}

/** What may be said on old knowledge: whether the device may speak, and its configuration, which is a level. */
function withoutCommands(mailbox: Mailbox | undefined): Mailbox | undefined {
  return mailbox === undefined || mailbox.queue.length === 0 ? mailbox : { ...mailbox, queue: [] }
}
