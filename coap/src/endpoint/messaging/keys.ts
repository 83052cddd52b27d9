import type { Peer } from '../types.ts'

/** The peer as one text, to look things up by. */
export function peerKey(peer: Peer): string {
  return `${peer.address} ${peer.port}`
}

/** Whose entry in a table it is: the principal's, wherever it is at the moment, or else the peer's. */
export function ownerKey({ peer, principal }: { peer: Peer; principal?: string | undefined }): string {
  // No address begins with this sign, so that no principal can have the name of a peer.
  return principal === undefined ? peerKey(peer) : `@${principal}`
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16)
  return text
}
