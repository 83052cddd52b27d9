/**
 * Who is told what: events have audiences, readers watch them. Pure: no sockets, no clock.
 * An audience is a key: `stable:<id>`, `thing:<name>`, `fleet`, `hops`; an event without one is for everybody.
 */
import type { LiveEvent } from '@pesebre/contract/api/live'

/** Somebody who reads: what is passed in by the edge. */
export type Reader = {
  /** Takes one message, or drops it and tells the hub by `fallBehind`. */
  readonly send: (text: string) => void
}

export type Joined = {
  /**
   * Replaces what is watched. With `since`, a cursor that the reader has, it gets what it missed of it, or `reset` when
   * that is not known any more.
   */
  watch(audiences: ReadonlySet<string>, since?: string): void
  watched(): ReadonlySet<string>
  /** To this reader only, outside of the order of the rest. */
  tell(event: LiveEvent): void
  leave(): void
}

export type Hub = {
  join(reader: Reader): Joined
  publish(event: LiveEvent, audiences: readonly string[]): void
  /** Whether somebody watches this audience. */
  isWatched(audience: string): boolean
  /** How many read. */
  count(): number
}

export type HubOptions = {
  /** Sets this run of the server apart from others: a cursor of another run says nothing. */
  readonly epoch: string
  /** Events and characters that are remembered for those who were away. */
  readonly ring?: { readonly events: number; readonly characters: number }
}

const RING = { events: 5_000, characters: 4_000_000 }

type Past = { readonly n: number; readonly text: string; readonly audiences: readonly string[] }
type Member = { readonly send: (text: string) => void; audiences: ReadonlySet<string>; last: number }

export function createHub({ epoch, ring = RING }: HubOptions): Hub {
  const members = new Set<Member>()
  const byAudience = new Map<string, Set<Member>>()
  /** The oldest first; from `first` on. */
  let past: Past[] = []
  let first = 0
  let characters = 0
  let n = 0
  /** The highest number that has been forgotten. */
  let forgotten = 0

  const textOf = (event: LiveEvent) => JSON.stringify({ cursor: `${epoch}.${n}`, ...event })

  function publish(event: LiveEvent, audiences: readonly string[]): void {
    n++
    const text = textOf(event)
    remember({ n, text, audiences })
    const told = audiences.length === 0 ? [members] : audiences.map((key) => byAudience.get(key) ?? [])
    for (const group of told) {
      for (const member of group) {
        // Of several audiences, one message is enough.
        if (member.last === n) continue
        member.last = n
        member.send(text)
      }
    }
  }

  function remember(one: Past): void {
    past.push(one)
    characters += one.text.length
    while (past.length - first > ring.events || (characters > ring.characters && past.length - first > 1)) {
      const oldest = past[first++]!
      characters -= oldest.text.length
      forgotten = oldest.n
    }
    // Now and then, so that forgetting one costs nothing.
    if (first > 1024 && first > past.length / 2) {
      past = past.slice(first)
      first = 0
    }
  }

  /** Undefined: nobody knows what was missed. */
  function missedSince(cursor: string): Past[] | undefined {
    const [run, number] = [
      cursor.slice(0, cursor.lastIndexOf('.')),
      cursor.slice(cursor.lastIndexOf('.') + 1),
    ]
    const seen = /^\d{1,15}$/.test(number) ? Number(number) : -1
    if (run !== epoch || seen < forgotten || seen > n) return undefined
    return past.slice(first).filter((one) => one.n > seen)
  }

  function join(reader: Reader): Joined {
    const member: Member = { send: reader.send, audiences: new Set(), last: 0 }
    members.add(member)

    function forget(): void {
      for (const key of member.audiences) {
        const group = byAudience.get(key)
        group?.delete(member)
        if (group?.size === 0) byAudience.delete(key)
      }
    }

    return {
      watch(audiences, since) {
        forget()
        member.audiences = audiences
        for (const key of audiences) {
          const group = byAudience.get(key) ?? new Set()
          group.add(member)
          byAudience.set(key, group)
        }
        if (since === undefined) return
        const missed = missedSince(since)
        if (missed === undefined) {
          member.send(textOf({ kind: 'reset' }))
          return
        }
        for (const one of missed) {
          if (one.audiences.length === 0 || one.audiences.some((key) => audiences.has(key)))
            member.send(one.text)
        }
      },
      watched: () => member.audiences,
      tell: (event) => member.send(textOf(event)),
      leave() {
        forget()
        members.delete(member)
      },
    }
  }

  return { join, publish, isWatched: (audience) => byAudience.has(audience), count: () => members.size }
}
