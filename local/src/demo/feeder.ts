/** A virtual feeder: real firmware, a real socket, and a motor, a hopper and sensors that are not real. */

import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import {
  type Core,
  type CoreEvent,
  type CorePorts,
  type Direction,
  type Gateway,
  startCore,
  type Tuning,
} from './core.ts'
import { batteryAt, noise } from './open-device.ts'
import { openSlots } from './slots.ts'
import type { Store } from './store.ts'

export type VirtualFeeder = {
  /** Switches it off, as a power cut does. */
  stop(): void
  pressButton(): void
}

export type VirtualFeederOptions = {
  /** What it runs unless it has taken another. */
  readonly firmware: WebAssembly.Module
  readonly number: number
  readonly kid: Uint8Array
  readonly secret: Uint8Array
  readonly gateways: readonly Gateway[]
  readonly store: Store
  /** Where other firmware is kept (slots.ts). Undefined: it takes none. */
  readonly slots?: string
  readonly log: (event: CoreEvent, number: number, gateway: string | undefined) => void
  /** How many seconds of the feeder pass in one. Default 1. */
  readonly speed?: number
  readonly tuning?: Tuning
}

/** What the motor gives in a second, grams; the encoder has a pulse for each. */
const GRAMS_PER_S = 200
const RUNNING_MA = 900
const HOPPER_GRAMS = 20_000
/** Somebody fills it when it is down to this. */
const HOPPER_LOW = 0.15 * HOPPER_GRAMS
/** Measurements change no oftener, milliseconds: a report that says nothing new shows that, too. */
const STEADY_MS = 60_000
/** A real feeder hears no longer than 250 ms; here a busy machine has to be borne with. */
const PATIENCE_MS = 2000
/** Without a byte for so long, a host is taken to be away. */
const STALLED_MS = 10_000
const MILLIS_MAX = 0xffff

/** A feeder that a person can watch: it checks in every five seconds, and never gives a gateway up for long. */
export const DEMO_TUNING: Tuning = {
  // One only: what a restart leaves out would count as reports that were lost on the way.
  sequenceStep: 1,
  fullAfterS: 60,
  intervalS: 5,
  intervalMinS: 1,
  windowMinMs: PATIENCE_MS,
  windowMaxMs: PATIENCE_MS,
  wakeMaxMs: 20_000,
  backOffMaxS: 5,
  askAfterS: 15,
  updateClearS: 60,
  updateBackOffS: 15,
  updateTrialS: 60,
}

/** Switches a feeder on. @throws Error when it would not start */
export function startFeeder(options: VirtualFeederOptions): VirtualFeeder {
  const { number, kid, secret, gateways, store, log, speed = 1 } = options
  let booted = performance.now()
  const uptime = () => (performance.now() - booted) * speed
  const motor = createMotor(uptime)
  let hopper = store.hopperGrams ?? HOPPER_GRAMS
  let asked: string | undefined
  let isAwake = true
  let timer: NodeJS.Timeout | undefined
  const socket: Socket = createSocket('udp4')
  // What the network says of earlier datagrams is nobody's verified word.
  socket.on('error', () => undefined)

  let isRestarting = false
  const slots =
    options.slots === undefined
      ? undefined
      : openSlots(options.slots, options.firmware, () => {
          isRestarting = true
        })
  let core = switchOn()

  /** After a reset: the boot loader, then the firmware. What crashes on trial makes room for the one before. */
  function switchOn(): Core {
    const { firmware, version } = slots?.boot() ?? { firmware: options.firmware, version: 1 }
    booted = performance.now()
    isRestarting = false
    motor.turn('off')
    try {
      return start(firmware, version)
    } catch (error) {
      if (!slots?.isOnTrial()) throw error
      return switchOn()
    }
  }

  function start(firmware: WebAssembly.Module, version: number): Core {
    const tuning = { ...atSpeed(options), firmware: version }
    const ports: CorePorts = {
      images: slots?.ports,
      uptime,
      random: () => randomInt(2 ** 32),
      get: store.get,
      put: store.put,
      send({ host, port }, datagram) {
        asked = gateways.find((gateway) => gateway.host === host && gateway.port === port)?.id
        socket.send(datagram, port, host)
      },
      motor(direction) {
        const before = motor.grams()
        motor.turn(direction)
        if (direction !== 'off') return
        hopper = Math.max(0, hopper - before)
        if (hopper < HOPPER_LOW) hopper = HOPPER_GRAMS
        store.fill(hopper)
      },
      readMotor: () => ({
        pulses: motor.grams(),
        current_ma: RUNNING_MA,
        battery_mv: batteryAt(number, Date.now()),
        isEmpty: false,
      }),
      sense() {
        const at = Math.floor(Date.now() / STEADY_MS) * STEADY_MS
        return {
          battery_mv: batteryAt(number, at),
          rssi_dbm: -62 + 5 * noise(number, at),
          temp_c: 18 + 4 * noise(number + 1, at),
          hopper_pct: (hopper / HOPPER_GRAMS) * 100,
        }
      },
      log: (event, value) => log(event, value, asked),
    }
    return startCore(firmware, { kid, secret, gateways, tuning }, ports)
  }

  function step(datagram?: Uint8Array): void {
    clearTimeout(timer)
    const next = stepOf(datagram)
    isAwake = next.isAwake
    timer = setTimeout(step, next.ms / speed)
  }

  function stepOf(datagram?: Uint8Array): { ms: number; isAwake: boolean } {
    try {
      const next = core.step(datagram)
      if (!isRestarting) return next
    } catch (error) {
      if (!slots?.isOnTrial()) throw error
    }
    core = switchOn()
    return { ms: 0, isAwake: false }
  }

  // A sleeping feeder hears nothing.
  socket.on('message', (datagram) => {
    if (isAwake) step(datagram)
  })
  step()
  return {
    stop() {
      slots?.ports.fetch(undefined, 0)
      clearTimeout(timer)
      socket.close()
    },
    pressButton() {
      core.pressButton()
      step()
    },
  }
}

function atSpeed({ speed = 1, tuning = DEMO_TUNING }: VirtualFeederOptions): Tuning {
  const { windowMaxMs = PATIENCE_MS, windowMinMs = windowMaxMs } = tuning
  return {
    ...tuning,
    // The gateway's answer takes as long as it takes.
    windowMinMs: Math.min(MILLIS_MAX, windowMinMs * speed),
    windowMaxMs: Math.min(MILLIS_MAX, windowMaxMs * speed),
    wakeMaxMs: MILLIS_MAX,
    updateStalledMs: STALLED_MS * speed,
    // Once a second of ours is as often as anybody wants to hear of it.
    intervalS: Math.max(tuning.intervalS ?? 0, speed),
    intervalMinS: Math.max(tuning.intervalMinS ?? 0, speed),
    // A clock that runs at another speed is compared with the gateway's once only.
    ...(speed !== 1 && { fullAfterS: 0x7fff_ffff }),
  }
}

/** Forward it gives a pulse for each gram; what it gives in reverse does not count. */
function createMotor(uptime: () => number) {
  let direction: Direction = 'off'
  let since = 0
  let given = 0
  const running = () => (direction === 'forward' ? ((uptime() - since) / 1000) * GRAMS_PER_S : 0)
  return {
    grams: () => Math.floor(given + running()),
    turn(next: Direction) {
      given = direction === 'off' ? 0 : given + running()
      direction = next
      since = uptime()
    },
  }
}
