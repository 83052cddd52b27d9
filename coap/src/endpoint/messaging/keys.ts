import type { Peer } from '../types.ts'

/** The peer as one text, to look things up by. */
export function peerKey(peer: Peer): string {
  return `${peer.address} ${peer.port}`
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16)
  return text
}
