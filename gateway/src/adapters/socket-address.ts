import { networkInterfaces } from 'node:os'

/** Where a datagram came from, or goes to: a numeric address of the socket's family, and a port. */
export type Peer = { readonly address: string; readonly port: number }

const AF_INET = 2
/** Lengths of sockaddr_in and sockaddr_in6 (ip(7), ipv6(7)). */
const IPV4_BYTES = 16
const IPV6_BYTES = 28
const MAPPED = '::ffff:'

/** Addresses between the kernel's `struct sockaddr` and the text that the rest of the gateway uses, as Linux lays them out. */
export type AddressBook = {
  /** The address at `at`, in the very words of node:dgram. */
  read(bytes: Uint8Array, at: number): Peer
  /** Writes the address of a peer and returns its length, or 0 when the book does not know it (any more). */
  write(bytes: Uint8Array, at: number, peer: Peer): number
}

/**
 * Remembers `kept` addresses: a text costs a microsecond to make and most datagrams come from an address that was seen before.
 * Whoever answers can be written without reading any text. Ports are no part of it, so a NAT with many devices is one entry.
 */
export function createAddressBook(kept: number): AddressBook {
  const texts = new Map<string | number, string>()
  const raws = new Map<string, Uint8Array>()

  function remember(key: string | number, text: string, raw: Uint8Array): string {
    if (texts.size >= kept) {
      texts.clear()
      raws.clear()
    }
    texts.set(key, text)
    // Not `slice`, which makes no copy where the bytes are a Buffer.
    raws.set(text, Uint8Array.from(raw))
    return text
  }

  return {
    read(bytes, at) {
      // The family is in the machine's own byte order, the port in the network's.
      const isIpv4 = bytes[at] === AF_INET
      const key = isIpv4 ? uint32(bytes, at + 4) : keyOfIpv6(bytes, at + 8)
      const address =
        texts.get(key) ??
        (isIpv4
          ? remember(key, formatIpv4(bytes, at + 4), bytes.subarray(at, at + IPV4_BYTES))
          : remember(key, scoped(bytes, at), bytes.subarray(at, at + IPV6_BYTES)))
      return { address, port: bytes[at + 2]! * 256 + bytes[at + 3]! }
    },

    write(bytes, at, peer) {
      const raw = raws.get(peer.address)
      if (raw === undefined) return 0
      bytes.set(raw, at)
      bytes[at + 2] = peer.port >>> 8
      bytes[at + 3] = peer.port
      return raw.length
    },
  }
}

/** Sixteen bytes of an IPv6 address as text: RFC 5952, and `::ffff:192.0.2.1` for IPv4-mapped ones, as inet_ntop(3) does. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes[at + 2 * i]! * 256 + bytes[at + 2 * i + 1]!)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return MAPPED + formatIpv4(bytes, at + 12)
  const { start, length } = longestZeros(groups)
  const words = groups.map((group) => group.toString(16))
  if (length < 2) return words.join(':')
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** A link-local address says nothing without its interface, which node:dgram puts behind it by name. */
function scoped(bytes: Uint8Array, at: number): string {
  const text = formatIpv6(bytes, at + 8)
  const isLinkLocal = bytes[at + 8] === 0xfe && (bytes[at + 9]! & 0xc0) === 0x80
  const scope =
    bytes[at + 24]! + bytes[at + 25]! * 2 ** 8 + bytes[at + 26]! * 2 ** 16 + bytes[at + 27]! * 2 ** 24
  if (!isLinkLocal || scope === 0) return text
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (addresses?.some((address) => address.scopeid === scope)) return `${text}%${name}`
  return text
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! * 2 ** 24 + bytes[at + 1]! * 2 ** 16 + bytes[at + 2]! * 2 ** 8 + bytes[at + 3]!
}

/** Address and scope. Text, since 20 bytes are too many for a number. */
function keyOfIpv6(bytes: Uint8Array, at: number): string {
  let key = ''
  for (let i = at; i < at + 20; i += 2) key += String.fromCharCode(bytes[i]! * 256 + bytes[i + 1]!)
  return key
}
