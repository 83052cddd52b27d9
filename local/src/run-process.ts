import { PORTS, type PortName, parsePort } from '@pesebre/contract/local-stack'
import type { Logger } from 'pino'

/** What still runs this long after SIGTERM is cut off, milliseconds. All data is on disk by then. */
const STOP_MS = 400

/**
 * Runs one stand-in as a process of its own until SIGTERM or SIGINT. When it cannot start, one line says why, and
 * for a port that is taken which setting changes it; exit code 1.
 * @param names its ports, as settings call them
 * @param start gets those ports
 * @returns when it runs
 */
export async function runProcess<Name extends PortName>(
  { names, log }: { readonly names: readonly Name[]; readonly log: Logger },
  start: (ports: Readonly<Record<Name, number>>) => Promise<{ stop(): Promise<void> }>,
): Promise<void> {
  const ports = {} as Record<Name, number>
  try {
    for (const name of names) ports[name] = readPort(name)
    const running = await start(ports)
    const stop = () => {
      setTimeout(() => process.exit(0), STOP_MS)
      running.stop().then(
        () => process.exit(0),
        () => process.exit(0),
      )
    }
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  } catch (error) {
    log.fatal(explain(error as NodeJS.ErrnoException & { port?: number }, ports))
    process.exit(1)
  }
}

function readPort(name: PortName): number {
  const { setting, standard } = PORTS[name]
  const text = process.env[setting]?.trim()
  const port = text ? parsePort(text) : standard
  if (port === undefined) throw new Error(`${setting} must be a port from 1 to 65535: "${text}"`)
  return port
}

function explain(
  error: NodeJS.ErrnoException & { port?: number },
  ports: Readonly<Partial<Record<PortName, number>>>,
): string {
  const name = (Object.keys(ports) as PortName[]).find((one) => ports[one] === error.port)
  if (error.code === 'EADDRINUSE' && name !== undefined) {
    const { setting, what } = PORTS[name]
    return `TCP port ${error.port} for ${what} is taken: stop the program that uses it, or set ${setting} to a free port`
  }
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
