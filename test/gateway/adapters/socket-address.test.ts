import { SocketAddress } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { createAddressBook, formatIpv6 } from '../../../gateway/src/adapters/socket-address.ts'

const IPV6_AT = 8

t.test('formatIpv6() writes every address as inet_ntop does, by the word of Node itself', async (t) => {
  // Runs of zeros are what the short form is about, so every second group is likely to be zero.
  const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
  const groups = fc.tuple(group, group, group, group, group, group, group, group)
  // ::192.0.2.1, deprecated since RFC 4291, is the one form in which inet_ntop writes otherwise.
  const usual = groups.filter((list) => list.slice(0, 6).some((word) => word !== 0))
  let checked = 0
  fc.assert(
    fc.property(usual, (list) => {
      const bytes = new Uint8Array(list.flatMap((word) => [word >> 8, word & 0xff]))
      const long = list.map((word) => word.toString(16)).join(':')
      checked++
      return formatIpv6(bytes, 0) === new SocketAddress({ address: long, family: 'ipv6' }).address
    }),
    { numRuns: 5000 },
  )
  t.equal(checked, 5000)
  const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1])
  t.equal(formatIpv6(mapped, 0), '::ffff:192.0.2.1')
  t.equal(formatIpv6(new Uint8Array(16), 0), '::')
})

t.test('the book reads a sockaddr_in and writes it back for another port', async (t) => {
  const book = createAddressBook(10)
  const raw = [2, 0, 0x16, 0x33, 192, 0, 2, 200, 0, 0, 0, 0, 0, 0, 0, 0]
  // The kernel uses the same memory again.
  const memory = Buffer.from(raw)
  t.same(book.read(memory, 0), { address: '192.0.2.200', port: 5683 })
  memory.fill(0)
  const written = new Uint8Array(20)
  t.equal(book.write(written, 2, { address: '192.0.2.200', port: 65_534 }), 16)
  t.same([...written.subarray(2, 18)], [2, 0, 255, 254, ...raw.slice(4)])
})

t.test('the book keeps two scopes of one link-local address apart', async (t) => {
  const book = createAddressBook(10)
  const raw = (scope: number): Uint8Array => {
    const bytes = new Uint8Array(28)
    bytes.set([10, 0, 0x16, 0x33])
    bytes.set([0xfe, 0x80], IPV6_AT)
    bytes[23] = 1
    bytes[24] = scope
    return bytes
  }
  // No machine has an interface of that number: the address stays without a name, but is not confused with the other.
  t.same(book.read(raw(250), 0), { address: 'fe80::1', port: 5683 })
  t.same(book.read(raw(0), 0), { address: 'fe80::1', port: 5683 })
})

t.test('the book forgets everything at its bound, and says that it does not know', async (t) => {
  const book = createAddressBook(3)
  const raw = (last: number): Uint8Array => {
    const bytes = new Uint8Array(16)
    bytes.set([2, 0, 0, 9, 198, 51, 100, last])
    return bytes
  }
  const into = new Uint8Array(32)
  for (const last of [1, 2, 3]) book.read(raw(last), 0)
  t.equal(book.write(into, 0, { address: '198.51.100.1', port: 1 }), 16)
  book.read(raw(4), 0)
  t.equal(book.write(into, 0, { address: '198.51.100.1', port: 1 }), 0)
  t.equal(book.write(into, 0, { address: '198.51.100.4', port: 1 }), 16)
  t.equal(book.write(into, 0, { address: '203.0.113.9', port: 1 }), 0, 'never seen')
})
