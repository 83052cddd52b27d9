/**
 * The core of the feeder's firmware, in WebAssembly: the very code that a real feeder runs (firmware/core), with its port in
 * TypeScript. `firmware/port/wasm/feeder.c` is the other side of this file.
 */
import { readFileSync } from 'node:fs'
import { nodeCrypto } from '@pesebre/coap/node-crypto'

export type Gateway = { readonly id: string; readonly host: string; readonly port: number }

/** Numbers of the firmware that may be set apart from a real feeder's, in the order of `enum tune`. */
const TUNES = [
  'sequenceStep',
  'fullAfterS',
  'intervalS',
  'intervalMinS',
  'windowMinMs',
  'windowMaxMs',
  'wakeMaxMs',
  'backOffMaxS',
  'askAfterS',
  'motorMaxMs',
  'firmware',
  'updateClearS',
  'updateBackOffS',
  'updateTrialS',
  'updateStalledMs',
] as const
export type Tuning = Partial<Record<(typeof TUNES)[number], number>>

/** Keys of the store, in the order of `enum store_key`. */
const STORE_KEYS = ['sequence', 'record', 'config', 'gateways', 'update'] as const
export type StoreKey = (typeof STORE_KEYS)[number]

/** What the firmware tells its log, in the order of `enum port_event`. */
const EVENTS = [
  'answered',
  'unanswered',
  'ignored',
  'refused',
  'malformed',
  'motorOn',
  'motorOff',
  'storeFailed',
  'recordUnreadable',
  'configured',
  'unreachable',
  'fetching',
  'fetchFailed',
  'switching',
  'kept',
  'reverted',
] as const
export type CoreEvent = (typeof EVENTS)[number]

export type Direction = 'off' | 'forward' | 'reverse'
const DIRECTIONS: readonly Direction[] = ['off', 'forward', 'reverse']

/** What becomes of another firmware, in the order of `enum image_choice`. */
const CHOICES = ['try', 'keep', 'revert'] as const
export type ImageChoice = (typeof CHOICES)[number]

const STARTS = ['started', 'not provisioned', 'its store cannot be read or written'] as const
const ABSENT = -1
const FAILED = -2

/** `firmware/port/port.h`, as a host gives it. */
export type CorePorts = {
  /** Milliseconds since it was switched on; never steps. */
  readonly uptime: () => number
  /** 32 bits. */
  readonly random: () => number
  /** Undefined: there is none. @throws when it cannot be read */
  readonly get: (key: StoreKey) => Uint8Array | undefined
  /** Durable when it returns. @throws when it cannot be written */
  readonly put: (key: StoreKey, value: Uint8Array) => void
  readonly send: (to: { host: string; port: number }, datagram: Uint8Array) => void
  readonly motor: (direction: Direction) => void
  /** Pulses of the encoder since it was switched on. */
  readonly readMotor: () => { pulses: number; current_ma: number; battery_mv: number; isEmpty: boolean }
  readonly sense: () => { battery_mv: number; temp_c: number; rssi_dbm: number; hopper_pct: number }
  readonly log: (event: CoreEvent, number: number) => void
  /** Undefined: it takes no other firmware. */
  readonly images?: ImagePorts | undefined
}

/** `struct port_images`: the other slot, and what comes to be written into it. */
export type ImagePorts = {
  /** Undefined: what was being fetched is given up. */
  readonly fetch: (url: string | undefined, offset: number) => void
  /** What has come since, at most `size` bytes, none yet, or undefined: no more will come. */
  readonly fetched: (size: number) => Uint8Array | undefined
  /** @throws when it cannot be written */
  readonly write: (offset: number, data: Uint8Array) => void
  /** SHA-256 of so many bytes of the other slot. @throws when it cannot be read */
  readonly digest: (size: number) => Uint8Array
  /** For `try` and `revert` the feeder has to be switched on anew after this step. @throws when it cannot be */
  readonly choose: (choice: ImageChoice) => void
}

export type CoreSettings = {
  readonly kid: Uint8Array
  readonly secret: Uint8Array
  readonly gateways: readonly Gateway[]
  readonly tuning?: Tuning
}

export type Core = {
  /** One step, with what came from the network. `ms` until the next; when not awake it hears nothing until then. */
  step(datagram?: Uint8Array): { ms: number; isAwake: boolean }
  /** A person has looked: the latch goes off. */
  pressButton(): void
  /** Minutes since 1970 on the wall, by a zone rule of ten numbers; `now` in seconds since 1970. */
  localMinute(rule: readonly number[], now: number): number
}

type Exports = {
  memory: WebAssembly.Memory
  buffer(): number
  identify(): void
  take_images(): void
  add_gateway(idLength: number, hostLength: number, port: number): number
  tune(which: number, value: number): void
  start(): number
  step(length: number): number
  is_awake(): number
  button(): void
  local_minute(now: number): number
}

/** Longest datagram that it takes. */
const DATAGRAM_MAX = 1280

/** The firmware, as it is committed beside this file. One module serves any number of feeders. */
export function loadFirmware(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('feeder.wasm', import.meta.url)))
}

/** Switches a feeder on. @throws Error when it would not start */
export function startCore(firmware: WebAssembly.Module, settings: CoreSettings, ports: CorePorts): Core {
  const instance = new WebAssembly.Instance(firmware, { port: importsOf(ports, () => exports.memory) })
  const exports = instance.exports as unknown as Exports
  const at = exports.buffer()

  function pass(bytes: Uint8Array): void {
    new Uint8Array(exports.memory.buffer, at, DATAGRAM_MAX).set(bytes)
  }

  pass(Buffer.concat([settings.kid, settings.secret]))
  exports.identify()
  for (const { id, host, port } of settings.gateways) {
    pass(Buffer.from(id + host))
    if (exports.add_gateway(id.length, host.length, port) === 0)
      throw new RangeError(`Start a feeder: one gateway too many, or too long a name: ${id}=${host}`)
  }
  for (const [name, value] of Object.entries(settings.tuning ?? {}))
    exports.tune(TUNES.indexOf(name as (typeof TUNES)[number]), value)
  if (ports.images !== undefined) exports.take_images()
  const started = STARTS[exports.start()]
  if (started !== 'started') throw new Error(`Start a feeder: ${started}`)

  return {
    step(datagram) {
      const length = datagram === undefined || datagram.length > DATAGRAM_MAX ? 0 : datagram.length
      if (datagram !== undefined && length > 0) pass(datagram)
      const ms = exports.step(length) >>> 0
      return { ms, isAwake: exports.is_awake() !== 0 }
    },
    pressButton: () => exports.button(),
    localMinute(rule, now) {
      new Int32Array(exports.memory.buffer, at, rule.length).set(rule)
      return exports.local_minute(now) >>> 0
    },
  }
}

function importsOf(
  ports: CorePorts,
  memory: () => WebAssembly.Memory,
): Record<string, (...args: number[]) => number> {
  const view = (at = 0, length = 0) => new Uint8Array(memory().buffer, at, length)
  const copy = (at = 0, length = 0) => view(at, length).slice()
  const text = (at = 0, length = 0) => Buffer.from(view(at, length)).toString()
  const numbers = (at: number, values: readonly number[]) => {
    new Int32Array(memory().buffer, at, values.length).set(values.map(Math.round))
    return 0
  }

  return {
    uptime_s: () => Math.floor(ports.uptime() / 1000),
    uptime_ms: () => Math.floor(ports.uptime()) >>> 0,
    random: () => ports.random(),
    get(key = 0, out = 0, size = 0) {
      try {
        const value = ports.get(STORE_KEYS[key]!)
        if (value === undefined) return ABSENT
        if (value.length > size) return FAILED
        view(out, value.length).set(value)
        return value.length
      } catch {
        return FAILED
      }
    },
    put(key = 0, at, size) {
      return succeeds(() => ports.put(STORE_KEYS[key]!, copy(at, size)))
    },
    join: () => 1,
    send(host, hostLength, port = 0, at, length) {
      ports.send({ host: text(host, hostLength), port }, copy(at, length))
      return 0
    },
    motor(direction = 0) {
      ports.motor(DIRECTIONS[direction]!)
      return 0
    },
    read_motor(at = 0) {
      const { pulses, current_ma, battery_mv, isEmpty } = ports.readMotor()
      return numbers(at, [pulses, current_ma, battery_mv, isEmpty ? 1 : 0])
    },
    sense(at = 0) {
      const { battery_mv, temp_c, rssi_dbm, hopper_pct } = ports.sense()
      return numbers(at, [battery_mv, temp_c * 10, rssi_dbm, hopper_pct])
    },
    log(event = 0, number = 0) {
      ports.log(EVENTS[event]!, number >>> 0)
      return 0
    },
    fetch(at, length, offset = 0) {
      ports.images?.fetch(length === 0 ? undefined : text(at, length), offset)
      return 0
    },
    fetched(at = 0, size = 0) {
      const bytes = ports.images?.fetched(size)
      if (bytes === undefined) return -1
      view(at, bytes.length).set(bytes)
      return bytes.length
    },
    write_image: (offset = 0, at, length) => succeeds(() => ports.images?.write(offset, copy(at, length))),
    digest_image: (size = 0, at = 0) =>
      succeeds(() => view(at, 32).set(ports.images?.digest(size) ?? new Uint8Array(32))),
    choose_image: (choice = 0) => succeeds(() => ports.images?.choose(CHOICES[choice]!)),
    hkdf(salt, saltLength, secret, secretLength, info, infoLength, out = 0, length = 0) {
      const key = nodeCrypto.hkdf({
        salt: copy(salt, saltLength),
        secret: copy(secret, secretLength),
        info: copy(info, infoLength),
        length,
      })
      view(out, length).set(key)
      return 1
    },
    seal(key, nonce, aad, aadLength, at = 0, length = 0) {
      const sealed = nodeCrypto.seal({ ...sealing(key, nonce, aad, aadLength), data: copy(at, length) })
      view(at, sealed.length).set(sealed)
      return 1
    },
    open(key, nonce, aad, aadLength, at = 0, length = 0) {
      const opened = nodeCrypto.open({ ...sealing(key, nonce, aad, aadLength), data: copy(at, length) })
      if (opened === undefined) return 0
      view(at, opened.length).set(opened)
      return 1
    },
  }

  function succeeds(act: () => void): number {
    try {
      act()
      return 1
    } catch {
      return 0
    }
  }

  /** AES-CCM-16-64-128: a key of 16 bytes, a nonce of 13. */
  function sealing(key?: number, nonce?: number, aad?: number, aadLength?: number) {
    return { key: copy(key, 16), nonce: copy(nonce, 13), aad: copy(aad, aadLength) }
  }
}
