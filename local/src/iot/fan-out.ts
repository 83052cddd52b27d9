import { createTopicIndex } from './topic-index.ts'

type Packet = { readonly topic: string }
type Listener = (packet: Packet, done: () => void) => void
type Done = () => void

export type FanOut = ReturnType<typeof createFanOut>

/** Hands messages to the subscriptions of connected clients: what aedes calls `mq` (the interface of mqemitter). */
export function createFanOut() {
  const listeners = createTopicIndex<Listener>()
  return {
    /** Whether a message on a topic would reach anybody. */
    wants: (topic: string): boolean => listeners.has(topic),
    on(filter: string, listener: Listener, done?: Done): void {
      listeners.add(filter, listener)
      if (done !== undefined) setImmediate(done)
    },
    removeListener(filter: string, listener: Listener, done?: Done): void {
      listeners.remove(filter, listener)
      if (done !== undefined) setImmediate(done)
    },
    /** @param done called when every listener has taken the message */
    emit(packet: Packet, done?: Done): void {
      const found = listeners.match(packet.topic)
      let waiting = found.length
      if (waiting === 0 && done !== undefined) setImmediate(done)
      const taken = () => {
        waiting--
        if (waiting === 0) done?.()
      }
      for (const listener of found) listener(packet, taken)
    },
    close: (done: Done): void => void setImmediate(done),
  }
}
