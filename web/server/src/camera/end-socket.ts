import type { WebSocket } from 'ws'

/** A peer that does not close within this time is cut off. */
const CLOSE_MS = 2_000

/** Reads nothing more, says why, and does not wait for ever. */
export function endSocket(socket: WebSocket, code: number, reason?: string): void {
  socket.removeAllListeners('message')
  socket.close(code, reason)
  setTimeout(() => socket.terminate(), CLOSE_MS).unref()
}
