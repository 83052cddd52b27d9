import { createSocket, type Socket } from 'node:dgram'

/** Devices that report as fast as they are answered, and remember what was acknowledged. */
export type Reporters = {
  /** `thing:n` of every report that was answered 2.xx. */
  readonly acknowledged: ReadonlySet<string>
  /** Answers by code, as in `2.04`. */
  readonly codes: Readonly<Record<string, number>>
  /** The last report of each thing that was sent, answered or not. */
  sent(): ReadonlyMap<string, number>
  /** Shortest Max-Age seen in an answer, seconds. */
  maxAge(): number | undefined
  /** Points them at a port; they go on with what they were about to send. */
  aim(port: number): void
  /** Sends nothing new from now on. */
  pause(): void
  close(): void
}

export type ReporterOptions = {
  devices: number
  prefix?: string
  /** Where the gateway listens; `port` alone may change later. */
  host?: string
  port: number
  pad?: number
}

/** After this long without an answer the same datagram goes out again, as a confirmable message's would. */
const RETRANSMIT_MS = 150

type Device = {
  socket: Socket
  thing: string
  n: number
  messageId: number
  datagram: Buffer
  timer: NodeJS.Timeout | undefined
}

/** Starts `devices` devices, each with a socket and a thing name of its own; every second one sends NON. */
export function startReporters(options: ReporterOptions): Reporters {
  const { devices, prefix = 'device', host = '127.0.0.1', port, pad = 0 } = options
  const acknowledged = new Set<string>()
  const codes: Record<string, number> = {}
  let target = port
  let isPaused = false
  let shortest: number | undefined
  const all = Array.from({ length: devices }, (_, i): Device => {
    const socket = createSocket('udp4')
    const device: Device = {
      socket,
      thing: `${prefix}-${i}`,
      n: 0,
      messageId: i * 7,
      datagram: Buffer.alloc(0),
      timer: undefined,
    }
    socket.on('message', (answer) => onAnswer(device, answer))
    socket.on('error', () => {})
    socket.bind(0, '127.0.0.1', () => report(device))
    return device
  })

  function report(device: Device): void {
    if (isPaused) return
    device.n++
    device.messageId = (device.messageId + 1) & 0xffff
    device.datagram = datagramOf(device, pad)
    send(device)
  }

  function send(device: Device): void {
    clearTimeout(device.timer)
    if (isPaused) return
    device.socket.send(device.datagram, target, host)
    device.timer = setTimeout(() => send(device), RETRANSMIT_MS)
  }

  function onAnswer(device: Device, answer: Buffer): void {
    const token = answer.subarray(4, 8)
    if (answer.length < 8 || token.readUInt32BE() !== device.n) return
    const code = `${answer[1]! >> 5}.${String(answer[1]! & 31).padStart(2, '0')}`
    codes[code] = (codes[code] ?? 0) + 1
    // Max-Age is the only option that these answers carry: number 14, length 0 to 4.
    if (answer.length > 9 && answer[8] === 0xd1 && answer[9] === 1)
      shortest = Math.min(shortest ?? Infinity, answer[10]!)
    if (code.startsWith('2.')) acknowledged.add(`${device.thing}:${device.n}`)
    clearTimeout(device.timer)
    // Refused: the next report comes a little later, as from a device that was told to wait.
    if (code.startsWith('2.')) report(device)
    else device.timer = setTimeout(() => report(device), 20)
  }

  return {
    acknowledged,
    codes,
    sent: () => new Map(all.map(({ thing, n }) => [thing, n])),
    maxAge: () => shortest,
    aim: (next) => {
      target = next
    },
    pause: () => {
      isPaused = true
      for (const { timer } of all) clearTimeout(timer)
    },
    close: () => {
      isPaused = true
      for (const { timer, socket } of all) {
        clearTimeout(timer)
        socket.close()
      }
    },
  }
}

/** POST /load/{thing} with `{"n":n}`, its token being n. */
function datagramOf({ thing, n, messageId }: Device, pad: number): Buffer {
  const isConfirmable = n % 2 === 0
  const token = Buffer.alloc(4)
  token.writeUInt32BE(n)
  const body = Buffer.from(JSON.stringify(pad > 0 ? { n, pad: 'x'.repeat(pad) } : { n }))
  const name = Buffer.from(thing)
  return Buffer.concat([
    Uint8Array.of(0x44 | (isConfirmable ? 0 : 0x10), 0x02, messageId >> 8, messageId & 0xff),
    token,
    Uint8Array.of(0xb4),
    Buffer.from('load'),
    name.length < 13 ? Uint8Array.of(name.length) : Uint8Array.of(0x0d, name.length - 13),
    name,
    Uint8Array.of(0x11, 50, 0xff),
    body,
  ])
}
