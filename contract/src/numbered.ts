import {
  CALIBRATION_MAX,
  CALIBRATION_MIN,
  COMMAND_KEYS,
  COMMAND_KINDS,
  COMMAND_NUMBER_MAX,
  COMMANDS_MAX,
  CONFIG_KEYS,
  type Command,
  type CommandOutcome,
  type DeviceConfig,
  DOWNLINK_KEYS,
  type Downlink,
  FEEDER_STATE_KEYS,
  type FeedLimits,
  FIRMWARE_KEYS,
  FIRMWARE_PROBLEMS,
  FIRMWARE_SIZE_MAX,
  FIRMWARE_URL_MAX,
  FIRMWARE_VERSION_MAX,
  type FirmwareProblem,
  type FirmwareRelease,
  type FirmwareWord,
  GATEWAYS_KEYS,
  GATEWAYS_MAX,
  type Gateways,
  GRAMS_MAX,
  LIMIT_KEYS,
  OCCURRENCE_MAX,
  OUTCOME_KEYS,
  OUTCOME_STATES,
  OUTCOMES_MAX,
  type Outcome,
  REFUSE_REASONS,
  RELEASE_KEYS,
  type RefuseReason,
  type ScheduleSlot,
  SECONDS_MAX,
  SLOTS_MAX,
  STATE_SCALES,
  UPLINK_KEYS,
  type Uplink,
} from './check-in.ts'
import {
  boolean,
  bytes,
  bytesOfHex,
  entriesOf,
  integer,
  list,
  Malformed,
  map,
  namesOf,
  numberFields,
  numberOf,
  oneOf,
  type Read,
  text,
} from './fields.ts'
import { ZONE_CHANGE_MINUTE_MAX, ZONE_OFFSET_MAX, type ZoneRule } from './zone-rule.ts'

const uint32 = integer(0, 0xffff_ffff)
const number = integer(1, COMMAND_NUMBER_MAX)
const grams = integer(0, GRAMS_MAX)
const seconds = integer(0, SECONDS_MAX)
const interval = integer(1, SECONDS_MAX)

const occurrence = integer(1, OCCURRENCE_MAX)

/** Either of a command or of a meal. */
type AnyOutcome = Omit<CommandOutcome, 'n' | 'occurrence'> & { n?: number; occurrence?: number }
const anyOutcome = map<AnyOutcome>(
  OUTCOME_KEYS,
  {
    n: number,
    state: oneOf(OUTCOME_STATES),
    grams,
    reason: oneOf(REFUSE_REASONS, 'r'),
    age_s: seconds,
    occurrence,
  },
  ['state'],
)
const outcome: Read<Outcome> = (value, where) => {
  const read = anyOutcome(value, where)
  if (read.n !== undefined && read.occurrence !== undefined)
    throw new Malformed(`${where}: both n and occurrence`)
  if (read.n === undefined && read.occurrence === undefined)
    throw new Malformed(`${where}: neither n nor occurrence`)
  return read as Outcome
}

const minute = integer(0, 1_439)
const days = integer(1, 127)
const slot: Read<ScheduleSlot> = (value, where) => {
  if (!Array.isArray(value) || value.length !== 3)
    throw new Malformed(`${where}: not a list of minute, grams and days`)
  return [minute(value[0], `${where}/0`), grams(value[1], `${where}/1`), days(value[2], `${where}/2`)]
}

const offset = integer(-ZONE_OFFSET_MAX, ZONE_OFFSET_MAX)
const changeMinute = integer(-ZONE_CHANGE_MINUTE_MAX, ZONE_CHANGE_MINUTE_MAX)
const ruleNumbers = [
  offset,
  ...[offset, integer(1, 12), integer(1, 5), integer(0, 6), changeMinute],
  ...[integer(1, 12), integer(1, 5), integer(0, 6), changeMinute],
]
const rule: Read<ZoneRule> = (value, where) => {
  if (!Array.isArray(value) || (value.length !== 1 && value.length !== ruleNumbers.length))
    throw new Malformed(`${where}: not a list of 1 or ${ruleNumbers.length} numbers`)
  return value.map((each, index) => ruleNumbers[index]!(each, `${where}/${index}`)) as unknown as ZoneRule
}

const config = map<DeviceConfig>(
  CONFIG_KEYS,
  {
    version: uint32,
    interval_s: interval,
    zone: text(/^[A-Za-z0-9_+/-]{1,64}$/),
    schedule: list(SLOTS_MAX, slot),
    limits: map<FeedLimits>(LIMIT_KEYS, { portion: grams, daily: uint32, gap_s: seconds }, []),
    calibration: integer(CALIBRATION_MIN, CALIBRATION_MAX),
    rule,
  },
  ['version'],
)

const command = map<Command>(COMMAND_KEYS, { n: number, kind: oneOf(COMMAND_KINDS), grams, ttl_s: seconds }, [
  'n',
  'kind',
  'grams',
  'ttl_s',
])

const SHA256_BYTES = 32
const release = map<FirmwareRelease>(
  RELEASE_KEYS,
  {
    version: integer(1, FIRMWARE_VERSION_MAX),
    size: integer(1, FIRMWARE_SIZE_MAX),
    sha256: bytes(SHA256_BYTES),
    url: (value, where) => {
      const url = text(/^https?:\/\/[!-~]+$/)(value, where)
      if (url.length > FIRMWARE_URL_MAX) throw new Malformed(`${where}: longer than ${FIRMWARE_URL_MAX}`)
      return url
    },
  },
  ['version', 'size', 'sha256', 'url'],
)

const firmwareWord = map<FirmwareWord>(
  FIRMWARE_KEYS,
  { version: uint32, tried: uint32, problem: oneOf(FIRMWARE_PROBLEMS, 'p') },
  ['version'],
)

const downlink = map<Downlink>(
  DOWNLINK_KEYS,
  {
    time: uint32,
    commands: list(COMMANDS_MAX, command),
    more: boolean,
    acked_upto: number,
    config,
    gateways: map<Gateways>(
      GATEWAYS_KEYS,
      { version: uint32, list: list(GATEWAYS_MAX, text(/^[a-z0-9-]{1,16}=\S{1,128}:\d{1,5}$/)) },
      ['version', 'list'],
    ),
    acked_meal: occurrence,
    firmware: release,
  },
  [],
)

const NO_KEYS: Readonly<Record<string, number>> = {}
const feederUplink = uplinkReader(FEEDER_STATE_KEYS)
const otherUplink = uplinkReader(NO_KEYS)

function uplinkReader(stateKeys: Readonly<Record<string, number>>): Read<Uplink> {
  return map<Uplink>(
    UPLINK_KEYS,
    {
      state: stateReader(stateKeys),
      age_s: seconds,
      interval_s: interval,
      config_version: uint32,
      changed: boolean,
      clock: uint32,
      outcomes: list(OUTCOMES_MAX, outcome),
      no_reply: boolean,
      firmware: firmwareWord,
    },
    [],
  )
}

/**
 * Reads a decoded uplink: a Map or an object whose keys are the numbers of the contract or its names. Fields that the
 * contract does not know are left out. Returns what is wrong as a text; never throws.
 *
 * @param kind thing type: it decides what numbered state fields mean
 */
export function nameUplink(body: unknown, kind: string): Uplink | string {
  return attempt(kind === 'feeder' ? feederUplink : otherUplink, body)
}

/** The other way round, for CBOR: a Map with numbers for keys. State fields that have no number keep their names. */
export function numberUplink(body: Uplink, kind: string): Map<number, unknown> {
  return numberFields(body, UPLINK_KEYS, {
    state: (state: Record<string, unknown>) => numberState(state, kind),
    outcomes: (outcomes: Outcome[]) => outcomes.map(numberOutcome),
    firmware: numberFirmware,
  })
}

/** Reads a decoded downlink, as nameUplink reads an uplink. An answer without a body counts as `{}`. */
export function nameDownlink(body: unknown): Downlink | string {
  return attempt(downlink, body)
}

/** The other way round, for CBOR. When the Map is empty, the answer has no body. */
export function numberDownlink(body: Downlink): Map<number, unknown> {
  return numberFields(body, DOWNLINK_KEYS, {
    commands: (commands: Command[]) => commands.map(numberCommand),
    config: numberConfig,
    gateways: (gateways: Gateways) => numberFields(gateways, GATEWAYS_KEYS),
    firmware: numberRelease,
  })
}

/** Reads a configuration as it stands in a `control` shadow. Returns what is wrong as a text; never throws. */
export function nameConfig(body: unknown): DeviceConfig | string {
  return attempt(config, body)
}

/** Reads a release as it stands in a `control` shadow. Returns what is wrong as a text; never throws. */
export function nameRelease(body: unknown): FirmwareRelease | string {
  return attempt(release, body)
}

function numberRelease(value: FirmwareRelease): Map<number, unknown> {
  return numberFields(value, RELEASE_KEYS, { sha256: bytesOfHex })
}

function numberFirmware(value: FirmwareWord): Map<number, unknown> {
  return numberFields(value, FIRMWARE_KEYS, {
    problem: (problem: FirmwareProblem) => numberOfWord(problem, FIRMWARE_PROBLEMS),
  })
}

function numberConfig(value: DeviceConfig): Map<number, unknown> {
  return numberFields(value, CONFIG_KEYS, {
    limits: (limits: FeedLimits) => numberFields(limits, LIMIT_KEYS),
  })
}

function numberCommand(value: Command): Map<number, unknown> {
  return numberFields(value, COMMAND_KEYS, { kind: (kind: Command['kind']) => COMMAND_KINDS[kind] })
}

function numberOutcome(value: Outcome): Map<number, unknown> {
  return numberFields(value as AnyOutcome, OUTCOME_KEYS, {
    state: (state: Outcome['state']) => OUTCOME_STATES[state],
    reason: (reason: RefuseReason) => numberOfWord(reason, REFUSE_REASONS),
  })
}

/** The number of a word of a table, or that behind the letter of one that is not in it. */
function numberOfWord(word: string, table: Readonly<Record<string, number>>): number {
  return Object.hasOwn(table, word) ? table[word]! : Number(word.slice(1))
}

function stateReader(keys: Readonly<Record<string, number>>): Read<Record<string, unknown>> {
  const names = namesOf(keys)
  return (value, where) => {
    const state: Record<string, unknown> = {}
    for (const [key, raw] of entriesOf(value, where)) {
      const numbered = numberOf(key)
      const name = numbered < 0 ? key : (names.get(numbered) ?? `f${numbered}`)
      if (typeof name !== 'string') throw new Malformed(`${where}: key that is neither text nor number`)
      if (name === '__proto__') throw new Malformed(`${where}: reserved name: ${name}`)
      if (Object.hasOwn(state, name)) throw new Malformed(`${where}/${name}: stands there twice`)
      const scale = numbered < 0 ? undefined : STATE_SCALES[name]
      state[name] = scale !== undefined && typeof raw === 'number' ? raw / scale : raw
    }
    return state
  }
}

function numberState(state: Record<string, unknown>, kind: string): Map<number | string, unknown> {
  const keys: Readonly<Record<string, number>> = kind === 'feeder' ? FEEDER_STATE_KEYS : NO_KEYS
  const numbered = new Map<number | string, unknown>()
  for (const [name, value] of Object.entries(state)) {
    if (Object.hasOwn(keys, name)) {
      const scale = STATE_SCALES[name]
      const isScaled = scale !== undefined && typeof value === 'number'
      numbered.set(keys[name]!, isScaled ? Math.round(value * scale) : value)
    } else numbered.set(/^f(0|[1-9]\d{0,8})$/.test(name) ? Number(name.slice(1)) : name, value)
  }
  return numbered
}

function attempt<T>(read: Read<T>, body: unknown): T | string {
  try {
    return read(body, '')
  } catch (error) {
    if (error instanceof Malformed) return error.message
    throw error
  }
}
