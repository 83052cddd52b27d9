/**
 * Settings of the gateway. Read once, at the root, from the environment; all problems are reported together.
 * The table in README.md lists the same settings.
 */
export type Config = {
  readonly gatewayId: string
  readonly coapHost: string
  readonly coapPort: number
  readonly adminHost: string
  readonly adminPort: number
  readonly queueUrl: string
  readonly journalDir: string
  readonly journalMaxBytes: number
  readonly journalSegmentBytes: number
  readonly ackAfter: 'journal' | 'queue'
  readonly lingerMs: number
  readonly unsentMaxS: number
  readonly allowOpen: boolean
  /** A file, or `ssm:<name>`. Without, there is no OSCORE. */
  readonly fleetKeys: string | undefined
  /** Devices whose replay windows are kept; above, new ones are refused. */
  readonly devicesMax: number
  /** Security contexts and mailboxes kept by each worker. */
  readonly contextsMax: number
  /** AWS IoT, where the mailboxes are. Without, devices get no commands. */
  readonly mqtt: MqttConfig | undefined
  /** Whether devices get commands. Not in a second region: only the first is sure to know of all that was handed out. */
  readonly commands: boolean
  /** What devices are told about where gateways are. */
  readonly gateways: { version: number; list: string[] } | undefined
  /** Where every report is archived. Without, there is no archive. */
  readonly archive: ArchiveConfig | undefined
  readonly workers: number
  readonly deviceRate: number
  readonly deviceBurst: number
  readonly addressRate: number
  readonly addressBurst: number
  readonly refusalRate: number
  readonly refusalBurst: number
  readonly bodyMax: number
  readonly exchangesMax: number
  readonly receiveBuffer: number
  readonly stopTimeoutMs: number
  readonly logLevel: string
}

/** Where AWS IoT is, and PEM files: our certificate, its key, and, unless the system knows it, the broker's authority. */
export type MqttConfig = {
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly key: string
  readonly authority: string | undefined
}

/** The bucket of the archive, and when an object of it is made. */
export type ArchiveConfig = {
  readonly bucket: string
  /** An object is made of what has come in so many seconds, or earlier, of so many bytes of the journal. */
  readonly rotateS: number
  readonly objectBytes: number
  /** Most bytes of the journals that are kept for the archive alone, when SQS has them already. */
  readonly maxBytes: number
}

/** Everything that is wrong with the environment, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(`Cannot start the gateway: wrong settings\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const MIB = 1024 * 1024

/** Reads the settings out of `env`. An empty value counts as missing. Throws ConfigError. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = []

  function raw(name: string): string | undefined {
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }

  function wrong(name: string, allowed: string): void {
    const given = raw(name)
    problems.push(`${name}: ${given === undefined ? 'missing' : `"${given}" given`}; allowed: ${allowed}`)
  }

  function text(name: string, pattern: RegExp, allowed: string, fallback?: string): string {
    const value = raw(name) ?? fallback
    if (value !== undefined && pattern.test(value)) return value
    wrong(name, allowed)
    return ''
  }

  function number(name: string, [min, max]: [number, number], fallback: number): number {
    const value = raw(name)
    if (value === undefined) return fallback
    const parsed = Number(value)
    if (Number.isFinite(parsed) && parsed >= min && parsed <= max) return parsed
    wrong(name, `a number from ${min} to ${max}`)
    return fallback
  }

  function whole(name: string, range: [number, number], fallback: number): number {
    const value = number(name, range, fallback)
    if (!Number.isInteger(value)) wrong(name, `a whole number from ${range[0]} to ${range[1]}`)
    return value
  }

  function choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = raw(name) ?? fallback
    if ((choices as readonly string[]).includes(value)) return value as T
    wrong(name, choices.join(', '))
    return fallback
  }

  function mqtt(): MqttConfig | undefined {
    const host = raw('PESEBRE_MQTT_HOST')
    if (host === undefined) return undefined
    return {
      host,
      port: whole('PESEBRE_MQTT_PORT', [1, 65_535], 8883),
      certificate: text(
        'PESEBRE_MQTT_CERT',
        /./,
        'the path of a certificate, since PESEBRE_MQTT_HOST is set',
      ),
      key: text('PESEBRE_MQTT_KEY', /./, 'the path of its key, since PESEBRE_MQTT_HOST is set'),
      authority: raw('PESEBRE_MQTT_CA'),
    }
  }

  function archive(): ArchiveConfig | undefined {
    if (raw('PESEBRE_ARCHIVE_BUCKET') === undefined) return undefined
    return {
      bucket: text(
        'PESEBRE_ARCHIVE_BUCKET',
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'the name of an S3 bucket: 3 to 63 of a-z 0-9 . -',
      ),
      rotateS: number('PESEBRE_ARCHIVE_ROTATE_S', [1, 3600], 60),
      objectBytes: whole('PESEBRE_ARCHIVE_OBJECT_BYTES', [64 * 1024, 64 * MIB], 5 * MIB),
      maxBytes: whole('PESEBRE_ARCHIVE_MAX_BYTES', [MIB, 1024 * 1024 * MIB], 1024 * MIB),
    }
  }

  function gateways(): Config['gateways'] {
    const value = raw('PESEBRE_GATEWAY_LIST')
    if (value === undefined) return undefined
    const [, version, list] =
      /^(\d{1,9}):([a-z0-9-]{1,16}=[^\s,]{1,128}:\d{1,5}(?:,[a-z0-9-]{1,16}=[^\s,]{1,128}:\d{1,5}){0,3})$/.exec(
        value,
      ) ?? []
    if (version !== undefined && list !== undefined)
      return { version: Number(version), list: list.split(',') }
    wrong(
      'PESEBRE_GATEWAY_LIST',
      'a version, and ids with addresses of up to four gateways, as in 3:a=198.51.100.7:5683,b=198.51.100.8:5683',
    )
    return undefined
  }

  const journalSegmentBytes = whole('PESEBRE_JOURNAL_SEGMENT_BYTES', [64 * 1024, 1024 * MIB], 16 * MIB)
  const config: Config = {
    gatewayId: text('PESEBRE_GATEWAY_ID', /^[a-z0-9-]{1,16}$/, '1 to 16 of a-z 0-9 -', 'a'),
    coapHost: text('PESEBRE_COAP_HOST', /^[0-9a-fA-F.:]+$/, 'an IP address', '0.0.0.0'),
    coapPort: whole('PESEBRE_COAP_PORT', [0, 65_535], 5683),
    adminHost: text('PESEBRE_ADMIN_HOST', /^[0-9a-fA-F.:]+$/, 'an IP address', '127.0.0.1'),
    adminPort: whole('PESEBRE_ADMIN_PORT', [0, 65_535], 9683),
    queueUrl: text('PESEBRE_QUEUE_URL', /^https?:\/\/[^/]+\/.+/, 'the URL of an SQS queue'),
    journalDir: text('PESEBRE_JOURNAL_DIR', /./, 'a directory on a disk that lasts'),
    journalMaxBytes: whole('PESEBRE_JOURNAL_MAX_BYTES', [MIB, 1024 * 1024 * MIB], 1024 * MIB),
    journalSegmentBytes,
    ackAfter: choice('PESEBRE_ACK_AFTER', ['journal', 'queue'], 'journal'),
    lingerMs: whole('PESEBRE_LINGER_MS', [1, 1000], 200),
    unsentMaxS: number('PESEBRE_UNSENT_MAX_S', [1, 86_400], 120),
    allowOpen: choice('PESEBRE_ALLOW_OPEN', ['true', 'false'], 'false') === 'true',
    fleetKeys: raw('PESEBRE_FLEET_KEYS'),
    devicesMax: whole('PESEBRE_DEVICES_MAX', [1, 16 * MIB], 250_000),
    contextsMax: whole('PESEBRE_CONTEXTS_MAX', [16, 16 * MIB], 100_000),
    mqtt: mqtt(),
    commands: choice('PESEBRE_COMMANDS', ['true', 'false'], 'true') === 'true',
    gateways: gateways(),
    archive: archive(),
    workers: whole('PESEBRE_WORKERS', [1, 64], 1),
    deviceRate: number('PESEBRE_DEVICE_RATE', [0.001, 1e9], 10),
    deviceBurst: whole('PESEBRE_DEVICE_BURST', [1, 1e9], 20),
    addressRate: number('PESEBRE_ADDRESS_RATE', [0.001, 1e9], 1000),
    addressBurst: whole('PESEBRE_ADDRESS_BURST', [1, 1e9], 2000),
    refusalRate: number('PESEBRE_REFUSAL_RATE', [0.001, 1e9], 10),
    refusalBurst: whole('PESEBRE_REFUSAL_BURST', [1, 1e9], 20),
    bodyMax: whole('PESEBRE_BODY_MAX', [64, 16_384], 4096),
    exchangesMax: whole('PESEBRE_EXCHANGES_MAX', [1024, 16 * MIB], MIB / 4),
    receiveBuffer: whole('PESEBRE_RECEIVE_BUFFER', [4096, 1024 * MIB], 4 * MIB),
    stopTimeoutMs: whole('PESEBRE_STOP_TIMEOUT_MS', [0, 600_000], 3000),
    logLevel: choice('PESEBRE_LOG_LEVEL', LOG_LEVELS, 'info'),
  }
  if (config.journalMaxBytes < 2 * journalSegmentBytes) {
    problems.push(
      `PESEBRE_JOURNAL_MAX_BYTES: ${config.journalMaxBytes} given; allowed: at least twice PESEBRE_JOURNAL_SEGMENT_BYTES (${journalSegmentBytes})`,
    )
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}
