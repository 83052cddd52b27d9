/**
 * Settings of the web server. Read once, at the root, from the environment; all problems are reported together.
 * The table in README.md lists the same settings. AWS endpoints and credentials are the SDK's own environment.
 */
export type Config = {
  readonly host: string
  readonly port: number
  /** /healthz, /readyz, /metrics: for who runs the server, not for the world. */
  readonly adminHost: string
  readonly adminPort: number
  /** Where people reach the server, without a path. Cookies, links and the check of origins follow from it. */
  readonly origin: string
  /** Proxies whose X-Forwarded-For is believed: addresses or CIDR ranges. */
  readonly trustProxy: readonly string[]
  /** A path of an SQLite file, or `mysql://...`. */
  readonly database: string
  readonly oidc: OidcConfig | undefined
  /** What the first admin shows instead of the link out of the log; undefined: one is made at each start. */
  readonly setupToken: string | undefined
  /** AWS IoT over MQTT: live shadows and cameras. Undefined: neither. */
  readonly mqtt: MqttConfig | undefined
  /** S3 bucket of raw/, pictures/ and backup/. Undefined: no history, no pictures, no backups. */
  readonly bucket: string | undefined
  /** How often to look for new objects of the archive, seconds. */
  readonly historyPollS: number
  /** JSON, a list of rules (history/rules.ts). Undefined: every report is taken as it is, with the horse. */
  readonly historyRules: string | undefined
  /** A file, or `ssm:<name>`: keys of new devices are derived from them. Undefined: feeders cannot be registered. */
  readonly fleetKeys: string | undefined
  /** What new devices are told about where gateways are: `<version>:<id>=<host>:<port>,...`, as PESEBRE_GATEWAY_LIST of the gateway. */
  readonly gateways: { readonly version: number; readonly list: readonly string[] } | undefined
  /** Stands before the names of AWS IoT policies (contract/src/policies.ts): several installations live in one account. */
  readonly policyPrefix: string
  /** Firmware that admins flash from their browser: `<dir>/<kind>/manifest.json`. Undefined: none. */
  readonly firmwareDir: string | undefined
  /** Admin ports of the gateways, for the page of the hops. */
  readonly gatewayAdmins: readonly string[]
  readonly queueUrl: string | undefined
  readonly deadLetterUrl: string | undefined
  /** `smtp(s)://user:password@host:port?from=address`. Undefined: no mail. */
  readonly smtpUrl: string | undefined
  /** Who watches cameras at once: of one camera, of one user, in total. */
  readonly relayLimits: {
    readonly viewersPerCamera: number
    readonly viewersPerUser: number
    readonly viewers: number
  }
  readonly logLevel: string
}

/** Where AWS IoT is, and PEM files: our certificate, its key, and, unless the system knows it, the broker's authority. */
export type MqttConfig = {
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly key: string
  readonly authority: string | undefined
  /** The thing that the certificate is for, and the name of the connection. Undefined: WEB_THING of contract/src/policies.ts. */
  readonly thing: string | undefined
}

export type OidcConfig = {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly audience: string | undefined
  readonly name: string
  readonly createsUsers: boolean
}

/** Everything that is wrong with the environment, one line each. */
export class ConfigError extends Error {
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(
      `Cannot start the web server: wrong settings\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    )
    this.problems = problems
  }
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const BOOLEANS = ['true', 'false'] as const
const LOOPBACK = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/

/** Reads the settings out of `env`. An empty value counts as missing. Throws ConfigError. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []

  function raw(name: string): string | undefined {
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }

  function wrong(name: string, allowed: string, secret = false): void {
    const given = raw(name)
    const shown = given === undefined ? 'missing' : secret ? 'a wrong value given' : `"${given}" given`
    problems.push(`${name}: ${shown}; allowed: ${allowed}`)
  }

  function text(
    name: string,
    pattern: RegExp,
    { allowed, fallback }: { allowed: string; fallback?: string },
  ) {
    const value = raw(name) ?? fallback
    if (value !== undefined && pattern.test(value)) return value
    wrong(name, allowed)
    return ''
  }

  function port(name: string, fallback: number): number {
    const value = Number(raw(name) ?? fallback)
    if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
    wrong(name, 'a whole number from 0 to 65535')
    return fallback
  }

  function choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = raw(name) ?? fallback
    const chosen = choices.find((one) => one === value)
    if (chosen === undefined) wrong(name, choices.join(', '))
    return chosen ?? fallback
  }

  function origin(fallback: string): string {
    const value = raw('PESEBRE_WEB_URL') ?? fallback
    const url = URL.canParse(value) ? new URL(value) : undefined
    if (
      url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      url.pathname === '/' &&
      !url.search &&
      !url.hash
    )
      return url.origin
    wrong('PESEBRE_WEB_URL', 'an address without a path, as in https://stable.example')
    return fallback
  }

  function database(): string {
    const url = raw('PESEBRE_DATABASE_URL')
    const dir = raw('PESEBRE_WEB_DIR')
    if (url !== undefined) {
      // The address holds a password.
      if (!/^mysql:\/\/[^/]+\/\w+/.test(url))
        wrong('PESEBRE_DATABASE_URL', 'mysql://user:password@host:port/name', true)
      return url
    }
    if (dir === undefined)
      wrong('PESEBRE_WEB_DIR', 'a directory on a disk that lasts, or set PESEBRE_DATABASE_URL')
    return `${dir}/pesebre.sqlite`
  }

  function oidc(): OidcConfig | undefined {
    const issuer = raw('PESEBRE_OIDC_ISSUER')
    if (issuer === undefined) return undefined
    const because = 'since PESEBRE_OIDC_ISSUER is set'
    if (!URL.canParse(issuer) || !(issuer.startsWith('https://') || LOOPBACK.test(issuer)))
      wrong('PESEBRE_OIDC_ISSUER', 'an https address (http on this machine only)')
    return {
      issuer,
      clientId: text('PESEBRE_OIDC_CLIENT_ID', /./, { allowed: `the client's id, ${because}` }),
      clientSecret: raw('PESEBRE_OIDC_CLIENT_SECRET'),
      audience: raw('PESEBRE_OIDC_AUDIENCE'),
      name: raw('PESEBRE_OIDC_NAME') ?? new URL(URL.canParse(issuer) ? issuer : 'http://x').hostname,
      createsUsers: choice('PESEBRE_OIDC_CREATES_USERS', BOOLEANS, 'false') === 'true',
    }
  }

  function optional(name: string, pattern: RegExp, allowed: string): string | undefined {
    const value = raw(name)
    if (value !== undefined && !pattern.test(value)) wrong(name, allowed)
    return value
  }

  function list(name: string, pattern: RegExp, allowed: string): string[] {
    const values = (raw(name) ?? '').split(',').flatMap((one) => one.trim() || [])
    if (!values.every((value) => pattern.test(value))) wrong(name, allowed)
    return values
  }

  function mqtt(): MqttConfig | undefined {
    const host = raw('PESEBRE_MQTT_HOST')
    if (host === undefined) return undefined
    const because = 'since PESEBRE_MQTT_HOST is set'
    return {
      host,
      port: port('PESEBRE_MQTT_PORT', 8883),
      certificate: text('PESEBRE_MQTT_CERT', /./, { allowed: `the path of a certificate, ${because}` }),
      key: text('PESEBRE_MQTT_KEY', /./, { allowed: `the path of its key, ${because}` }),
      authority: raw('PESEBRE_MQTT_CA'),
      thing: optional('PESEBRE_WEB_THING', /^[a-zA-Z0-9:_-]{1,128}$/, '1 to 128 of a-z A-Z 0-9 : _ -'),
    }
  }

  function gateways(): Config['gateways'] {
    const value = raw('PESEBRE_GATEWAY_LIST')
    if (value === undefined) return undefined
    const [, version, rest = ''] = /^(\d{1,9}):([^\s]+)$/.exec(value) ?? []
    const list = rest.split(',')
    const isGood =
      list.length <= 4 && list.every((one) => /^[a-z0-9-]{1,16}=[^\s,]{1,128}:\d{1,5}$/.test(one))
    if (version !== undefined && isGood) return { version: Number(version), list }
    wrong(
      'PESEBRE_GATEWAY_LIST',
      'a version and up to four gateways, as in 3:a=198.51.100.7:5683,b=198.51.100.8:5683',
    )
    return undefined
  }

  function seconds(name: string, [min, max]: [number, number], fallback: number): number {
    const value = Number(raw(name) ?? fallback)
    if (value >= min && value <= max) return value
    wrong(name, `a number from ${min} to ${max}`)
    return fallback
  }

  function viewers(name: string, fallback: number): number {
    const value = Number(raw(name) ?? fallback)
    if (Number.isInteger(value) && value >= 1 && value <= 100_000) return value
    wrong(name, 'a whole number from 1 to 100000')
    return fallback
  }

  function smtpUrl(): string | undefined {
    const value = raw('PESEBRE_SMTP_URL')
    if (value !== undefined && !(URL.canParse(value) && /^smtps?:$/.test(new URL(value).protocol)))
      wrong('PESEBRE_SMTP_URL', 'smtp(s)://user:password@host:port?from=address', true)
    return value
  }

  function setupToken(): string | undefined {
    const token = raw('PESEBRE_SETUP_TOKEN')
    if (token !== undefined && !/^[A-Za-z0-9_-]{24,64}$/.test(token))
      wrong('PESEBRE_SETUP_TOKEN', '24 to 64 random characters of A-Z a-z 0-9 _ -', true)
    return token
  }

  const webPort = port('PESEBRE_WEB_PORT', 8080)
  const config: Config = {
    host: text('PESEBRE_WEB_HOST', /^[0-9a-fA-F.:]+$/, { allowed: 'an IP address', fallback: '127.0.0.1' }),
    port: webPort,
    adminHost: text('PESEBRE_WEB_ADMIN_HOST', /^[0-9a-fA-F.:]+$/, {
      allowed: 'an IP address',
      fallback: '127.0.0.1',
    }),
    adminPort: port('PESEBRE_WEB_ADMIN_PORT', 9680),
    origin: origin(`http://localhost:${webPort}`),
    trustProxy: list(
      'PESEBRE_WEB_TRUST_PROXY',
      /^[0-9a-fA-F.:]+(\/\d{1,3})?$/,
      'addresses or CIDR ranges, with commas',
    ),
    database: database(),
    oidc: oidc(),
    setupToken: setupToken(),
    mqtt: mqtt(),
    bucket: optional('PESEBRE_BUCKET', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of an S3 bucket'),
    historyPollS: seconds('PESEBRE_HISTORY_POLL_S', [1, 3600], 30),
    historyRules: raw('PESEBRE_HISTORY_RULES'),
    fleetKeys: raw('PESEBRE_FLEET_KEYS'),
    gateways: gateways(),
    policyPrefix: text('PESEBRE_POLICY_PREFIX', /^[a-z0-9-]{0,32}$/, {
      allowed: 'up to 32 of a-z 0-9 -',
      fallback: '',
    }),
    firmwareDir: raw('PESEBRE_FIRMWARE_DIR'),
    gatewayAdmins: list(
      'PESEBRE_GATEWAY_ADMIN',
      /^https?:\/\/[^/,\s]+$/,
      'addresses as in http://10.0.0.7:9683, with commas',
    ),
    queueUrl: optional('PESEBRE_QUEUE_URL', /^https?:\/\/[^/]+\/.+/, 'the URL of an SQS queue'),
    deadLetterUrl: optional('PESEBRE_DLQ_URL', /^https?:\/\/[^/]+\/.+/, 'the URL of an SQS queue'),
    smtpUrl: smtpUrl(),
    relayLimits: {
      viewersPerCamera: viewers('PESEBRE_RELAY_VIEWERS_PER_CAMERA', 200),
      viewersPerUser: viewers('PESEBRE_RELAY_VIEWERS_PER_USER', 20),
      viewers: viewers('PESEBRE_RELAY_VIEWERS', 2000),
    },
    logLevel: choice('PESEBRE_LOG_LEVEL', LOG_LEVELS, 'info'),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}
