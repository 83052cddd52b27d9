import type { Effect, Picture } from '../../../../web/server/src/relay/effects.ts'
import { Hub, type Limits } from '../../../../web/server/src/relay/hub.ts'

export const LIMITS: Limits = { viewersPerCamera: 100, viewersPerUser: 10, viewers: 200 }

/** A hub with a clock that the test sets, and what it has wanted done so far. */
export function startHub(limits: Partial<Limits> = {}) {
  let now = 1_000_000
  let ids = 0
  let sources = 100
  let viewers = 0
  const hub = new Hub({
    limits: { ...LIMITS, ...limits },
    newId: () => `stream${String(++ids).padStart(4, '0')}`,
  })
  const effects: Effect[] = []
  const seqs = new Map<number, number>()

  /** What was wanted since the last call. */
  function done(): Effect[] {
    effects.push(...hub.drain())
    return effects.splice(0)
  }

  return {
    hub,
    done,
    now: () => now,
    /** Those of one kind since the last call of any of these; the others are forgotten. */
    only<Kind extends Effect['do']>(kind: Kind) {
      return done().filter((effect): effect is Extract<Effect, { do: Kind }> => effect.do === kind)
    },
    /** Lets time pass as the edge does, in steps of 250 ms. */
    pass(ms: number) {
      for (let left = ms; left > 0; left -= 250) {
        now += Math.min(250, left)
        hub.advance(now)
        effects.push(...hub.drain())
      }
    },
    join(o: { camera?: string; user?: string; quality?: 'auto' | 'low' | 'high' } = {}) {
      const id = ++viewers
      hub.join(
        { id, camera: o.camera ?? 'camera-1', user: o.user ?? `usr_${id}`, quality: o.quality ?? 'auto' },
        now,
      )
      return id
    },
    /** Connects a camera for the stream that was asked for last. */
    open(camera = 'camera-1', streamId = `stream${String(ids).padStart(4, '0')}`) {
      const source = ++sources
      hub.opened(source, { camera, streamId }, now)
      return source
    },
    /** The next picture of a source. Its bytes are its number. */
    picture(source: number, captureMs = now - 900_000) {
      const seq = (seqs.get(source) ?? 0) + 1
      seqs.set(source, seq)
      hub.picture(source, { seq, captureMs, bytes: Uint8Array.of(seq) }, now)
      return seq
    },
  }
}

/** The numbers of the pictures that a viewer was sent. */
export function shown(effects: readonly Effect[], viewer: number): number[] {
  return effects.flatMap((effect) =>
    effect.do === 'show' && effect.viewer === viewer ? [effect.picture.seq] : [],
  )
}

export type { Effect, Picture }
