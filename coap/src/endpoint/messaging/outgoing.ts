import { EMPTY } from '../../codec/codes.ts'
import { encodedSize, inOrder, type Message, write } from '../../codec/message.ts'
import { Slab } from '../../codec/slab.ts'
import type { Settings } from '../settings.ts'
import { MessageIds } from './message-ids.ts'
import type { Random } from './random.ts'
import { Transmissions } from './transmissions.ts'

/** Makes the datagrams that we send, and watches over the confirmable ones. */
export class Outgoing {
  readonly transmissions: Transmissions
  readonly #messageIds: MessageIds
  readonly #slab = new Slab()

  constructor(settings: Settings, random: Random) {
    this.#messageIds = new MessageIds(random)
    this.transmissions = new Transmissions(settings, random)
  }

  /** A message id that this peer has not seen from us for a long time. */
  nextMessageId(peerHash: number): number {
    return this.#messageIds.next(peerHash)
  }

  /** An empty message: ACK or RST. */
  empty(type: number, messageId: number): Uint8Array {
    const bytes = this.#slab.take(4)
    bytes[0] = 0x40 | (type << 4)
    bytes[1] = EMPTY
    bytes[2] = messageId >> 8
    bytes[3] = messageId
    return bytes
  }

  /** A message of nothing but the header and the token of `datagram`, which ends at `tokenEnd`. */
  plain(type: number, code: number, messageId: number, datagram: Uint8Array, tokenEnd: number): Uint8Array {
    const bytes = this.#slab.take(tokenEnd)
    bytes[0] = 0x40 | (type << 4) | (tokenEnd - 4)
    bytes[1] = code
    bytes[2] = messageId >> 8
    bytes[3] = messageId
    for (let at = 4; at < tokenEnd; at++) bytes[at] = datagram[at]!
    return bytes
  }

  /** Any message. Throws as `encode` does. */
  full(message: Message): Uint8Array {
    const options = inOrder(message.options)
    const bytes = this.#slab.take(encodedSize(message, options))
    write(message, options, bytes)
    return bytes
  }
}
