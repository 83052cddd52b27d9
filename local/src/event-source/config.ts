import { fileURLToPath } from 'node:url'

/** Settings of the poller that stands in for Lambda's event source mapping. */
export type Config = {
  /** PESEBRE_HANDLER: path of the module that exports `handler`. Default: our bridge. */
  readonly handler: string
  /** PESEBRE_QUEUE_URL: the queue that is polled. */
  readonly queueUrl: string
  /**
   * PESEBRE_LAMBDA_BATCH, default 50: most messages of one invocation. Above 10, several receives make one batch. The more,
   * the more reports of a thing become one write; 50 of 60 kB stay well under the 6 MB that Lambda takes as an event.
   */
  readonly batchSize: number
  /** PESEBRE_LAMBDA_WINDOW_MS, default 0: how long a batch may gather after its first message. */
  readonly windowMs: number
  /** PESEBRE_LAMBDA_POLLERS, default 2: invocations that may run at the same time. */
  readonly pollers: number
  /** PESEBRE_LAMBDA_TIMEOUT_S, default 30: time that an invocation has. No longer than the queue's visibility timeout. */
  readonly timeoutS: number
  /** PESEBRE_LAMBDA_PORT: where /readyz is served on 127.0.0.1; 0 takes any free port and logs it; without it nothing is served. */
  readonly port: number | undefined
  /** PESEBRE_LOG_LEVEL, default info. */
  readonly logLevel: (typeof LOG_LEVELS)[number]
}

/** No stricter: the host of a stand-in's queue URL need not be one that resolves, or that URL.parse takes. */
const QUEUE_URL = /^https?:\/\/[^/\s]+\/\S+$/

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
const BRIDGE = fileURLToPath(new URL('../../../bridge-lambda/src/handler.ts', import.meta.url))

/** Reads the settings. Throws one Error that lists every problem: the setting, what was given, what is allowed. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = []
  const config: Config = {
    handler: env['PESEBRE_HANDLER'] || BRIDGE,
    queueUrl: url('PESEBRE_QUEUE_URL'),
    batchSize: integer('PESEBRE_LAMBDA_BATCH', { min: 1, max: 100 }) ?? 50,
    windowMs: integer('PESEBRE_LAMBDA_WINDOW_MS', { min: 0, max: 300_000 }) ?? 0,
    pollers: integer('PESEBRE_LAMBDA_POLLERS', { min: 1, max: 32 }) ?? 2,
    timeoutS: integer('PESEBRE_LAMBDA_TIMEOUT_S', { min: 1, max: 900 }) ?? 30,
    port: integer('PESEBRE_LAMBDA_PORT', { min: 0, max: 65_535 }),
    logLevel: LOG_LEVELS.find((level) => level === (env['PESEBRE_LOG_LEVEL'] || 'info')) ?? unknownLevel(),
  }
  if (problems.length > 0)
    throw new Error(`Read settings of the poller:\n${problems.map((p) => `  ${p}`).join('\n')}`)
  return config

  function url(name: string): string {
    const given = env[name] ?? ''
    if (QUEUE_URL.test(given)) return given
    problem(name, 'the URL of an SQS queue (http or https)')
    return ''
  }

  function integer(name: string, { min, max }: { min: number; max: number }): number | undefined {
    const given = env[name] || undefined
    if (given === undefined) return undefined
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN
    if (!(value >= min && value <= max)) problem(name, `a whole number from ${min} to ${max}`)
    return value
  }

  function unknownLevel(): 'info' {
    problem('PESEBRE_LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`)
    return 'info'
  }

  function problem(name: string, allowed: string): void {
    problems.push(`${name} is ${env[name] ? JSON.stringify(env[name]) : 'missing'}: allowed is ${allowed}`)
  }
}
