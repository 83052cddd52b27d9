import { createHmac } from 'node:crypto'
import type { Acceptance, ReplayProtection } from '@pesebre/coap/oscore/replay-window'

/** A registered device in two numbers: its kind (KINDS of contract/src/kid.ts) and its device number. */
export type DeviceKey = { readonly kind: number; readonly number: number }

/** What is known of one device's numbers. `edge`: one more than the highest seen; `low` and `high`: bit d says that `edge - 1 - d` was. */
export type WindowState = DeviceKey & { readonly edge: number; readonly low: number; readonly high: number }

/** Handed to every thread; `openWindows` makes a table of it. */
export type WindowsMemory = {
  readonly memory: SharedArrayBuffer
  /** Makes the Echo values that a device has to return after the record was lost; new at every start. */
  readonly echoSecret: Uint8Array
}

/** The replay window of one device. `echo`: what it has to return when nobody knows any more what it has sent (Appendix B.1.2). */
export type DeviceWindow = ReplayProtection & { readonly echo: Uint8Array }

export type Windows = {
  /** A view of one device's window. Costs nothing in the table until a verified request commits. */
  of(device: DeviceKey): DeviceWindow
  /** What that view does, for who keeps something for each device anyway. */
  commit(device: DeviceKey, sequenceNumber: number, echo: Uint8Array | undefined): Acceptance
  echoOf(device: DeviceKey): Uint8Array
  /** Takes a number as seen: at start, from a journal line. */
  mark(device: DeviceKey, sequenceNumber: number): void
  /** Takes over a window from a snapshot. Only at start, before anybody else uses the table. */
  restore(state: WindowState): void
  /** Every window, each consistent in itself. */
  states(): Generator<WindowState>
  /** Devices in the table. */
  count(): number
  /** Requests refused since the table has no room for their device. */
  refusedFull(): number
  /** From now on a device that is not in the table has to prove itself by Echo: the record of what was seen is lost. */
  beginRecovery(): void
  isRecovering(): boolean
}

const WINDOW_WIDTH = 64
const SEQUENCE_NUMBER_MAX = 2 ** 40 - 1
const TWO_32 = 2 ** 32
const ECHO_LENGTH = 8
/** Words of the header. */
const INSERTING = 0
const COUNT = 1
const REFUSED_FULL = 2
const RECOVERING = 3
const HEADER = 4
/** Words of one slot. KIND is 0 while it is free, and is written last. */
const LOCK = 0
const KIND = 1
const NUMBER = 2
const EDGE_HIGH = 3
const EDGE_LOW = 4
const BITS_LOW = 5
const BITS_HIGH = 6
const SLOT = 7
/** Above this fill, probing would become slow. */
const FILL_MAX = 0.75

/** Makes the memory of a table for at least `devicesMax` devices: about 40 bytes each, touched as they come. */
export function createWindowsMemory(devicesMax: number, echoSecret: Uint8Array): WindowsMemory {
  const slots = 2 ** Math.ceil(Math.log2(devicesMax / FILL_MAX))
  const memory = new SharedArrayBuffer((HEADER + slots * SLOT) * Int32Array.BYTES_PER_ELEMENT)
  return { memory, echoSecret }
}

/**
 * The replay windows of all devices, shared by all threads (RFC 8613 section 7.4: checking and marking are one step). A device is
 * known by kind and number, whatever the version of its key: it has one counter for all of its contexts. An open hash table from
 * which nothing is ever taken out, since a forgotten window would take its old messages for fresh ones.
 */
export function openWindows({ memory, echoSecret }: WindowsMemory): Windows {
  const words = new Int32Array(memory)
  const slots = (words.length - HEADER) / SLOT
  const mask = slots - 1
  const countMax = Math.floor(slots * FILL_MAX)

  /** The slot of a device, or -1. Never waits. */
  function find({ kind, number }: DeviceKey): number {
    for (let i = hash(kind, number) & mask; ; i = (i + 1) & mask) {
      const slot = HEADER + i * SLOT
      const held = Atomics.load(words, slot + KIND)
      if (held === 0) return -1
      if (held === kind && words[slot + NUMBER] === (number | 0)) return slot
    }
  }

  /** The slot of a device, made if it was not there; -1 without room. */
  function findOrAdd(device: DeviceKey): number {
    const slot = find(device)
    if (slot >= 0) return slot
    lock(words, INSERTING)
    try {
      // Another thread may have been first.
      const added = find(device)
      if (added >= 0) return added
      if (words[COUNT]! >= countMax) return -1
      words[COUNT]!++
      let i = hash(device.kind, device.number) & mask
      while (words[HEADER + i * SLOT + KIND] !== 0) i = (i + 1) & mask
      const free = HEADER + i * SLOT
      words[free + NUMBER] = device.number
      Atomics.store(words, free + KIND, device.kind)
      return free
    } finally {
      unlock(words, INSERTING)
    }
  }

  function commit(device: DeviceKey, sequenceNumber: number, echo: Uint8Array | undefined): Acceptance {
    if (sequenceNumber > SEQUENCE_NUMBER_MAX) return 'replayed'
    const isProof = words[RECOVERING] === 1 && find(device) < 0
    if (isProof && !isEqual(echo, echoOf(device))) return 'unproven'
    const slot = findOrAdd(device)
    if (slot < 0) {
      Atomics.add(words, REFUSED_FULL, 1)
      return 'replayed'
    }
    lock(words, slot + LOCK)
    try {
      if (!take(words, slot, sequenceNumber)) return 'replayed'
      // Nothing below the first number that proved to be fresh is one, too.
      if (isProof) words.fill(-1, slot + BITS_LOW, slot + SLOT)
      return 'fresh'
    } finally {
      unlock(words, slot + LOCK)
    }
  }

  function echoOf({ kind, number }: DeviceKey): Uint8Array {
    return createHmac('sha256', echoSecret).update(`${kind}-${number}`).digest().subarray(0, ECHO_LENGTH)
  }

  function mark(device: DeviceKey, sequenceNumber: number): void {
    const isProof = words[RECOVERING] === 1 && find(device) < 0
    const slot = findOrAdd(device)
    if (slot < 0) return
    take(words, slot, sequenceNumber)
    if (isProof) words.fill(-1, slot + BITS_LOW, slot + SLOT)
  }

  function restore(state: WindowState): void {
    const slot = findOrAdd(state)
    if (slot < 0) return
    words[slot + EDGE_HIGH] = Math.floor(state.edge / TWO_32)
    words[slot + EDGE_LOW] = state.edge
    words[slot + BITS_LOW] = state.low
    words[slot + BITS_HIGH] = state.high
  }

  function* states(): Generator<WindowState> {
    for (let slot = HEADER; slot < words.length; slot += SLOT) {
      const kind = Atomics.load(words, slot + KIND)
      if (kind !== 0) yield stateAt(slot, kind)
    }
  }

  function stateAt(slot: number, kind: number): WindowState {
    lock(words, slot + LOCK)
    const [low, high] = [words[slot + BITS_LOW]!, words[slot + BITS_HIGH]!]
    const state = { kind, number: words[slot + NUMBER]! >>> 0, edge: edgeAt(words, slot), low, high }
    unlock(words, slot + LOCK)
    return state
  }

  return {
    of: (device) => new View(device, { commit, echoOf }),
    commit,
    echoOf,
    mark,
    restore,
    states,
    count: () => Atomics.load(words, COUNT),
    refusedFull: () => Atomics.load(words, REFUSED_FULL),
    beginRecovery: () => {
      Atomics.store(words, RECOVERING, 1)
    },
    isRecovering: () => Atomics.load(words, RECOVERING) === 1,
  }
}

/** One device's window. */
class View implements DeviceWindow {
  readonly #device: DeviceKey
  readonly #table: Pick<Windows, 'commit' | 'echoOf'>

  constructor(device: DeviceKey, table: Pick<Windows, 'commit' | 'echoOf'>) {
    this.#device = device
    this.#table = table
  }

  /** Decided after decryption only, so that who has no key cannot find out which devices this gateway has heard. */
  check(): boolean {
    return true
  }

  commit(sequenceNumber: number, echo: Uint8Array | undefined): Acceptance {
    return this.#table.commit(this.#device, sequenceNumber, echo)
  }

  get echo(): Uint8Array {
    return this.#table.echoOf(this.#device)
  }
}

/** Marks a number in the window at `slot`; false if it was seen before or is too old to tell. The caller has the lock. */
function take(words: Int32Array, slot: number, sequenceNumber: number): boolean {
  const edge = edgeAt(words, slot)
  if (sequenceNumber >= edge) {
    shift(words, slot, sequenceNumber + 1 - edge)
    const next = sequenceNumber + 1
    words[slot + EDGE_HIGH] = Math.floor(next / TWO_32)
    words[slot + EDGE_LOW] = next
    words[slot + BITS_LOW]! |= 1
    return true
  }
  const distance = edge - 1 - sequenceNumber
  if (distance >= WINDOW_WIDTH) return false
  const word = slot + (distance < 32 ? BITS_LOW : BITS_HIGH)
  const bit = 1 << (distance & 31)
  if ((words[word]! & bit) !== 0) return false
  words[word]! |= bit
  return true
}

/** Makes every bit `by` older. */
function shift(words: Int32Array, slot: number, by: number): void {
  const low = words[slot + BITS_LOW]!
  const high = words[slot + BITS_HIGH]!
  if (by >= WINDOW_WIDTH) {
    words[slot + BITS_LOW] = 0
    words[slot + BITS_HIGH] = 0
  } else if (by >= 32) {
    words[slot + BITS_LOW] = 0
    words[slot + BITS_HIGH] = low << (by - 32)
  } else {
    words[slot + BITS_LOW] = low << by
    // A shift by 32 would be one by 0; `by` is at least 1 here.
    words[slot + BITS_HIGH] = (high << by) | (low >>> (32 - by))
  }
}

function edgeAt(words: Int32Array, slot: number): number {
  return words[slot + EDGE_HIGH]! * TWO_32 + (words[slot + EDGE_LOW]! >>> 0)
}

/** Spins: what is done under a lock takes less than a microsecond, and no thread ends in between but with the whole process. */
function lock(words: Int32Array, at: number): void {
  while (Atomics.compareExchange(words, at, 0, 1) !== 0);
}

function unlock(words: Int32Array, at: number): void {
  Atomics.store(words, at, 0)
}

function hash(kind: number, number: number): number {
  let mixed = Math.imul(number ^ Math.imul(kind, 0x9e3779b1), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

function isEqual(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length && other.every((byte, i) => byte === one[i])
}
