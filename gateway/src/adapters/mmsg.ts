import { createAddressBook, type Peer } from './socket-address.ts'

/**
 * recvmmsg(2) and sendmmsg(2), which node:dgram does not have: it makes one system call, one object of the address and one
 * allocation of 64 kB for each datagram, most of what a small request costs. Linux on the 64-bit machines below only; elsewhere
 * node:dgram does all of it alone.
 */
export type DatagramBatches = {
  /** Hands over what waits in the socket now, at most `RECEIVE_SLOTS` datagrams, and returns how many there were. */
  receive(onDatagram: (bytes: Uint8Array, peer: Peer) => void): number
  /** Puts a datagram into the next batch. False when it does not fit in there: too long, an unknown address, no place left. */
  add(bytes: Uint8Array, peer: Peer): boolean
  /** Sends the batch. What the kernel does not take goes to `onLeft`, in order, as a copy. */
  flush(onLeft: (bytes: Uint8Array, peer: Peer) => void): void
}

export const RECEIVE_SLOTS = 64
const SEND_SLOTS = 64
/** The longest datagram that UDP has. Pages that no datagram reached are never touched, so they take no memory. */
const RECEIVE_BYTES = 65_536
/** More than an endpoint ever sends: it cuts long bodies into blocks. */
const SEND_BYTES = 1536
const ADDRESSES_KEPT = 65_536

const MSG_DONTWAIT = 0x40
/** `struct mmsghdr`, `struct iovec` and `struct sockaddr_in6`, as Linux has them on every little-endian 64-bit machine. */
const HEADER = { bytes: 64, name: 0, nameLength: 8, iov: 16, iovLength: 24, length: 56 }
const IOV = { bytes: 16, base: 0, length: 8 }
const NAME_BYTES = 32
const NAME_MAX = 28
const MACHINES = ['x64', 'arm64']

type Call = (fd: number, headers: Uint8Array, count: number, flags: number) => number

/** What makes the batches of a bound UDP socket; undefined where the platform, or koffi's binary for it, is not there. */
export async function loadBatches(): Promise<((fd: number) => DatagramBatches) | undefined> {
  const libc = await loadLibc()
  return libc && ((fd) => createBatches(fd, libc))
}

/** The system's calls, as recvmmsg(2) and sendmmsg(2) say. */
export type Libc = { recvmmsg: Call; sendmmsg: Call; addressOf: (bytes: Uint8Array) => bigint }

async function loadLibc(): Promise<Libc | undefined> {
  if (process.platform !== 'linux' || !MACHINES.includes(process.arch)) return undefined
  try {
    const { default: koffi } = await import('koffi')
    // The program itself, which has libc loaded, whatever its name is (glibc, musl).
    const program = koffi.load(null)
    const recvmmsg = program.func('int recvmmsg(int, void *, unsigned int, int, void *)')
    const sendmmsg = program.func('int sendmmsg(int, void *, unsigned int, int)')
    return {
      recvmmsg: (fd, headers, count, flags) => recvmmsg(fd, headers, count, flags, null),
      sendmmsg: (fd, headers, count, flags) => sendmmsg(fd, headers, count, flags),
      addressOf: (bytes) => BigInt(koffi.address(bytes)),
    }
  } catch {
    return undefined
  }
}

/** Batches over the socket `fd`. `addressOf`: where bytes lie in memory, which must not move. */
export function createBatches(fd: number, { recvmmsg, sendmmsg, addressOf }: Libc): DatagramBatches {
  const book = createAddressBook(ADDRESSES_KEPT)
  const incoming = createTable(RECEIVE_SLOTS, RECEIVE_BYTES, addressOf)
  const outgoing = createTable(SEND_SLOTS, SEND_BYTES, addressOf)
  const peers: Peer[] = []

  return {
    receive(onDatagram) {
      const count = recvmmsg(fd, incoming.bytes, RECEIVE_SLOTS, MSG_DONTWAIT)
      for (let slot = 0; slot < count; slot++) {
        // The kernel has put the true length there.
        incoming.setNameLength(slot, NAME_MAX)
        const peer = book.read(incoming.bytes, incoming.nameAt(slot))
        // A copy, since an exchange keeps its datagram until it is answered. Small ones come out of Node's pool.
        const datagram = Buffer.allocUnsafe(incoming.length(slot))
        incoming.bytes.copy(datagram, 0, incoming.dataAt(slot), incoming.dataAt(slot) + datagram.length)
        onDatagram(datagram, peer)
      }
      return Math.max(0, count)
    },

    add(bytes, peer) {
      const slot = peers.length
      if (slot === SEND_SLOTS || bytes.length > SEND_BYTES) return false
      const nameLength = book.write(outgoing.bytes, outgoing.nameAt(slot), peer)
      if (nameLength === 0) return false
      outgoing.setNameLength(slot, nameLength)
      outgoing.bytes.set(bytes, outgoing.dataAt(slot))
      outgoing.setDataLength(slot, bytes.length)
      peers.push(peer)
      return true
    },

    flush(onLeft) {
      if (peers.length === 0) return
      const sent = Math.max(0, sendmmsg(fd, outgoing.bytes, peers.length, MSG_DONTWAIT))
      for (let slot = sent; slot < peers.length; slot++)
        onLeft(Uint8Array.prototype.slice.call(outgoing.bytes, ...outgoing.dataRange(slot)), peers[slot]!)
      peers.length = 0
    },
  }
}

/** Headers, then iovecs, addresses and data of `slots` datagrams: one piece of memory that never moves, linked up once. */
function createTable(slots: number, dataBytes: number, addressOf: Libc['addressOf']) {
  const iovs = slots * HEADER.bytes
  const names = iovs + slots * IOV.bytes
  const data = names + slots * NAME_BYTES
  const memory = new ArrayBuffer(data + slots * dataBytes)
  const bytes = Buffer.from(memory)
  const words = new Uint32Array(memory, 0, data / 4)
  const start = addressOf(bytes)
  const link = (at: number, to: number): void => void bytes.writeBigUInt64LE(start + BigInt(to), at)
  for (let slot = 0; slot < slots; slot++) {
    const header = slot * HEADER.bytes
    const iov = iovs + slot * IOV.bytes
    link(header + HEADER.name, names + slot * NAME_BYTES)
    link(header + HEADER.iov, iov)
    link(iov + IOV.base, data + slot * dataBytes)
    bytes.writeBigUInt64LE(1n, header + HEADER.iovLength)
    bytes.writeBigUInt64LE(BigInt(dataBytes), iov + IOV.length)
    bytes.writeUInt32LE(NAME_MAX, header + HEADER.nameLength)
  }
  const dataAt = (slot: number): number => data + slot * dataBytes
  const dataLengthAt = (slot: number): number => (iovs + slot * IOV.bytes + IOV.length) / 4
  return {
    bytes,
    dataAt,
    nameAt: (slot: number) => names + slot * NAME_BYTES,
    /** Of the datagram that the kernel put there. */
    length: (slot: number) => words[(slot * HEADER.bytes + HEADER.length) / 4]!,
    setNameLength: (slot: number, length: number) => {
      words[(slot * HEADER.bytes + HEADER.nameLength) / 4] = length
    },
    setDataLength: (slot: number, length: number) => {
      words[dataLengthAt(slot)] = length
    },
    dataRange: (slot: number): [number, number] => [dataAt(slot), dataAt(slot) + words[dataLengthAt(slot)]!],
  }
}
