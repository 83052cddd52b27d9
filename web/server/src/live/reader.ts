import type { WebSocket } from 'ws'

/** So many bytes may wait for one reader. Then nothing more is sent until they are gone, and `reset` tells what happened. */
export const WAITING_MAX = 512 * 1024
/** A reader that has taken nothing for so long while bytes wait for it is let go, milliseconds. */
export const STUCK_MS = 20_000

export type SocketReader = {
  send(text: string): void
  close(): void
}

/**
 * Sends to one socket, within bounds: the memory of a reader that is too slow does not grow, and it is told that it missed
 * something once it has caught up.
 */
export function readThrough(
  socket: WebSocket,
  { onCaughtUp, onStuck }: { onCaughtUp: () => void; onStuck: () => void },
): SocketReader {
  let isBehind = false
  let stuck: NodeJS.Timeout | undefined

  function send(text: string): void {
    if (isBehind || socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > WAITING_MAX) {
      isBehind = true
      stuck = setTimeout(onStuck, STUCK_MS)
      return
    }
    socket.send(bytesOf(text), TEXT, onSent)
  }

  function onSent(): void {
    if (!isBehind || socket.bufferedAmount > 0) return
    clearTimeout(stuck)
    isBehind = false
    onCaughtUp()
  }

  return {
    send,
    close: () => clearTimeout(stuck),
  }
}

const TEXT = { binary: false } as const
let lastText = ''
let lastBytes = Buffer.alloc(0)

/** One message goes to many: it is encoded once. */
function bytesOf(text: string): Buffer {
  if (text !== lastText) {
    lastText = text
    lastBytes = Buffer.from(text)
  }
  return lastBytes
}
