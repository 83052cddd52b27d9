import { createSocket, type Socket } from 'node:dgram'
import { TYPE } from '@pesebre/coap/codec/message'
import { createSecureDevice, hear, type SecureDevice, type Sent } from './secure-device.ts'

/** Registered devices that report as fast as they are answered, and remember every datagram that they have sent. */
export type SecureReporters = {
  /** `thing:seq` of every check-in that was answered 2.04, protected. */
  readonly acknowledged: ReadonlySet<string>
  /** Every datagram that went out, once. */
  readonly recorded: readonly Uint8Array[]
  /** Answers by what they said (`hear`). */
  readonly codes: Readonly<Record<string, number>>
  /** Points them at a port; they go on. */
  aim(port: number): void
  /** Sends nothing from now on, not even again what nobody has answered. Answers that still come are counted. */
  pause(): void
  resume(): void
  /** One NON check-in of each device, sent once. Resolves with what each was answered; undefined for silence. */
  once(withinMs: number): Promise<(string | undefined)[]>
  close(): void
}

const RETRANSMIT_MS = 150
/** After so many it is given up, and the next check-in is made. */
const ATTEMPTS = 20

type Device = {
  secure: SecureDevice
  socket: Socket
  current: Sent | undefined
  timer: NodeJS.Timeout | undefined
  attempts: number
  /** Takes the next answer instead of going on. */
  once: ((code: string) => void) | undefined
}

export function startSecureReporters({
  devices,
  host,
  port,
  first = 1,
}: {
  devices: number
  host: string
  port: number
  first?: number
}): SecureReporters {
  const acknowledged = new Set<string>()
  const recorded: Uint8Array[] = []
  const codes: Record<string, number> = {}
  let target = port
  let isPaused = false
  const all = Array.from({ length: devices }, (_, i): Device => {
    const socket = createSocket('udp4').on('error', () => {})
    const secure = createSecureDevice({ number: first + i })
    const device: Device = {
      secure,
      socket,
      current: undefined,
      timer: undefined,
      attempts: 0,
      once: undefined,
    }
    socket.on('message', (bytes) => onAnswer(device, bytes))
    socket.bind(0, '127.0.0.1', () => report(device))
    return device
  })

  function report(device: Device): void {
    if (isPaused) return
    const type = device.secure.sequence.next % 2 === 0 ? TYPE.NON : TYPE.CON
    make(device, type)
    device.attempts = 0
    send(device)
  }

  function make(device: Device, type: number): void {
    const token = Buffer.alloc(4)
    token.writeUInt32BE(device.secure.sequence.next)
    device.current = device.secure.checkIn(
      { state: { battery_mv: device.secure.sequence.next } },
      { type, token },
    )
    recorded.push(device.current.bytes)
  }

  function send(device: Device): void {
    clearTimeout(device.timer)
    if (isPaused) return
    device.socket.send(device.current!.bytes, target, host)
    device.timer = setTimeout(
      () => (device.attempts++ < ATTEMPTS ? send(device) : report(device)),
      RETRANSMIT_MS,
    )
  }

  function onAnswer(device: Device, bytes: Buffer): void {
    const { current } = device
    // Late answers to earlier check-ins carry another token.
    if (current === undefined || !bytes.subarray(4, 8).equals(current.bytes.subarray(4, 8))) return
    const { code } = hear(bytes, current)
    codes[code] = (codes[code] ?? 0) + 1
    if (code === '2.04') acknowledged.add(`${device.secure.thing}:${current.partialIv}`)
    device.current = undefined
    clearTimeout(device.timer)
    if (device.once !== undefined) device.once(code)
    else report(device)
  }

  function pause(): void {
    isPaused = true
    for (const { timer } of all) clearTimeout(timer)
  }

  function once(withinMs: number): Promise<(string | undefined)[]> {
    return Promise.all(
      all.map((device) => {
        make(device, TYPE.NON)
        device.socket.send(device.current!.bytes, target, host)
        return new Promise<string | undefined>((resolve) => {
          const timer = setTimeout(() => end(undefined), withinMs)
          const end = (code: string | undefined): void => {
            clearTimeout(timer)
            device.once = undefined
            resolve(code)
          }
          device.once = end
        })
      }),
    )
  }

  return {
    acknowledged,
    recorded,
    codes,
    aim: (next) => {
      target = next
    },
    pause,
    resume: () => {
      isPaused = false
      for (const device of all) report(device)
    },
    once,
    close: () => {
      pause()
      for (const { socket } of all) socket.close()
    },
  }
}
