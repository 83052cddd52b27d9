import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { PORTS, type PortName } from '@pesebre/contract/local-stack'
import type { Ports } from './config.ts'

const HOST = '127.0.0.1'
/** Below the range from which Linux takes ports for outgoing connections (32768 and up). */
const FREE_FROM = 20_000
const FREE_COUNT = 12_000

/**
 * Tries the ports of the stack before anything is started.
 * @param names which ones
 * @returns one line for each port that cannot be used, with the setting that changes it; empty when all is well
 */
export async function portProblems(ports: Ports, names: readonly PortName[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => problemOf(name, ports[name])))
  return found.filter((line) => line !== undefined)
}

/** Ports that nothing listens on at this moment: for tests, and for a second stack that nobody types addresses of. */
export async function freePorts(): Promise<Ports> {
  const taken = new Set<number>()
  const entries = Object.entries(PORTS).map(async ([name, { protocol }]) => [
    name,
    await freePort(protocol, taken),
  ])
  return Object.fromEntries(await Promise.all(entries)) as Ports
}

/**
 * A port that nothing listens on at this moment.
 * @param taken not one of these; it is added to them
 */
export async function freePort(protocol: 'udp' | 'tcp', taken = new Set<number>()): Promise<number> {
  for (;;) {
    const port = FREE_FROM + Math.floor(Math.random() * FREE_COUNT)
    if (taken.has(port)) continue
    taken.add(port)
    if ((await bindError(protocol, port)) === undefined) return port
  }
}

async function problemOf(name: PortName, port: number): Promise<string | undefined> {
  const { setting, protocol, what } = PORTS[name]
  const code = await bindError(protocol, port)
  if (code === undefined) return undefined
  const where = `${protocol.toUpperCase()} port ${port} for ${what}`
  if (code === 'EADDRINUSE') {
    return `${where} is taken: stop the program that uses it, or set ${setting} to a free port`
  }
  return `${where} cannot be used (${code}): set ${setting} to another port`
}

/** Binds and lets go again. The code of the system's error, undefined when it went well. */
async function bindError(protocol: 'udp' | 'tcp', port: number): Promise<string | undefined> {
  const listener = protocol === 'udp' ? createSocket('udp4') : createServer()
  try {
    const listening = once(listener, 'listening')
    if ('bind' in listener) listener.bind({ port, address: HOST, exclusive: true })
    else listener.listen({ port, host: HOST, exclusive: true })
    await listening
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown error'
  }
  listener.close()
  await once(listener, 'close')
  return undefined
}
