const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/** No stricter: the host of a stand-in's queue URL need not be one that resolves, or that URL.parse takes. */
const QUEUE_URL = /^https?:\/\/[^/\s]+\/\S+$/

/** Settings of the bridge. Region, endpoints and credentials are the AWS SDK's own settings. */
export type Config = {
  /** PESEBRE_DLQ_URL: where records go that can never be written. */
  readonly dlqUrl: string
  /** PESEBRE_LOG_LEVEL, default info. */
  readonly logLevel: (typeof LOG_LEVELS)[number]
  /** PESEBRE_BRIDGE_CONCURRENCY, default 16: things worked on at the same time. */
  readonly concurrency: number
  /** PESEBRE_BRIDGE_CACHE, default 20,000: shadows remembered between invocations, 1 to 2 kB each. */
  readonly cachedThings: number
  /** PESEBRE_THINGS_PER_SECOND, default 100: CreateThing calls; AWS's quota for an account, which can be raised. */
  readonly thingsPerSecond: number
  /** PESEBRE_THING_TYPES_PER_SECOND, default 15: CreateThingType calls; likewise. */
  readonly typesPerSecond: number
}

/** Environment variables, as in process.env. An empty one counts as missing. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Reads the settings. Throws one Error that lists every problem: the setting, what was given, what is allowed. */
export function readConfig(env: Environment): Config {
  const problems: string[] = []
  const config: Config = {
    dlqUrl: url('PESEBRE_DLQ_URL'),
    logLevel: oneOf('PESEBRE_LOG_LEVEL', LOG_LEVELS, 'info'),
    concurrency: integer('PESEBRE_BRIDGE_CONCURRENCY', { min: 1, max: 256, fallback: 16 }),
    cachedThings: integer('PESEBRE_BRIDGE_CACHE', { min: 1, max: 1_000_000, fallback: 20_000 }),
    thingsPerSecond: integer('PESEBRE_THINGS_PER_SECOND', { min: 1, max: 100_000, fallback: 100 }),
    typesPerSecond: integer('PESEBRE_THING_TYPES_PER_SECOND', { min: 1, max: 100_000, fallback: 15 }),
  }
  if (problems.length > 0)
    throw new Error(`Read settings of the bridge:\n${problems.map((p) => `  ${p}`).join('\n')}`)
  return config

  function url(name: string): string {
    const given = env[name] || undefined
    if (given !== undefined && QUEUE_URL.test(given)) return given
    return problem(name, 'the URL of an SQS queue (http or https)', '')
  }

  function oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const given = env[name] || undefined
    if (given === undefined) return fallback
    return allowed.find((value) => value === given) ?? problem(name, `one of ${allowed.join(', ')}`, fallback)
  }

  function integer(
    name: string,
    { min, max, fallback }: { min: number; max: number; fallback: number },
  ): number {
    const given = env[name] || undefined
    if (given === undefined) return fallback
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
    return value >= min && value <= max
      ? value
      : problem(name, `a whole number from ${min} to ${max}`, fallback)
  }

  function problem<T>(name: string, allowed: string, fallback: T): T {
    problems.push(`${name} is ${env[name] ? JSON.stringify(env[name]) : 'missing'}: allowed is ${allowed}`)
    return fallback
  }
}
