import { PORTS, type PortName, parsePort } from '@pesebre/contract/local-stack'
import { StackError } from './stack-error.ts'

export type Ports = Readonly<Record<PortName, number>>

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** What a person may choose about the local stack. */
export type Settings = {
  readonly ports: Ports
  /** Directory of everything the stack keeps, as given: relative to the checkout (PESEBRE_HOME). */
  readonly home: string
  /** How many gateways run side by side: 1 or 2 (PESEBRE_GATEWAYS). */
  readonly gateways: number
  /** Whether demo devices report (PESEBRE_DEMO). */
  readonly demo: boolean
  /** What the processes write into their log files (PESEBRE_LOG_LEVEL, default info). */
  readonly logLevel: LogLevel
  /** What of it the terminal shows: warnings and errors, unless PESEBRE_LOG_LEVEL was given. */
  readonly shownLevel: LogLevel
}

/**
 * Reads the settings of the local stack. An empty variable counts as missing.
 * @throws StackError with every problem at once: setting, what was given, what is allowed
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = []
  const given = (setting: string) => env[setting]?.trim() || undefined

  function port(name: PortName): number {
    const { setting, standard } = PORTS[name]
    const text = given(setting)
    if (text === undefined) return standard
    const value = parsePort(text)
    if (value !== undefined) return value
    problems.push(`${setting} must be a port from 1 to 65535: "${text}"`)
    return 0
  }

  function choice<T extends string>(setting: string, standard: T, allowed: readonly T[]): T {
    const text = given(setting) ?? standard
    const value = allowed.find((one) => one === text)
    if (value === undefined) problems.push(`${setting} must be one of ${allowed.join(', ')}: "${text}"`)
    return value ?? standard
  }

  const ports: Ports = {
    coap: port('coap'),
    admin: port('admin'),
    coapB: port('coapB'),
    adminB: port('adminB'),
    web: port('web'),
    webAdmin: port('webAdmin'),
    aws: port('aws'),
    iot: port('iot'),
    mqtt: port('mqtt'),
  }
  const gateways = Number(choice('PESEBRE_GATEWAYS', '1', ['1', '2']))
  problems.push(...clashes(ports, portsInUse(gateways)))
  const demo = choice('PESEBRE_DEMO', 'true', ['true', 'false']) === 'true'
  const logLevel = choice('PESEBRE_LOG_LEVEL', 'info', LOG_LEVELS)
  const shownLevel = given('PESEBRE_LOG_LEVEL') === undefined ? 'warn' : logLevel
  const home = given('PESEBRE_HOME') ?? '.pesebre'

  if (problems.length > 0) throw new StackError(problems)
  return { ports, home, gateways, demo, logLevel, shownLevel }
}

/** The ports that a stack with so many gateways listens on. */
export function portsInUse(gateways: number): PortName[] {
  const names = Object.keys(PORTS) as PortName[]
  return gateways > 1 ? names : names.filter((name) => name !== 'coapB' && name !== 'adminB')
}

/** Two listeners on one port are refused here, where both settings can be named. UDP and TCP have ports of their own. */
function clashes(ports: Ports, names: readonly PortName[]): string[] {
  const seen = new Map<string, PortName>()
  const problems: string[] = []
  for (const name of names) {
    const port = ports[name]
    if (port === 0) continue
    const key = `${PORTS[name].protocol} ${port}`
    const other = seen.get(key)
    if (other === undefined) seen.set(key, name)
    else problems.push(`${PORTS[other].setting} and ${PORTS[name].setting} must differ: both are "${port}"`)
  }
  return problems
}
