import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Everything that a run makes lies here: the compiled generator, journals, logs, profiles. Not committed. */
export const BUILD = new URL('./build/', import.meta.url).pathname

/** Processors, as taskset takes them. A server runs on core 0, the generator and the queue on core 1. */
export const SERVER_CORE = '0'
export const LOAD_CORE = '1'

export type Pinned = { pid: number; log: string; stop: () => Promise<void> }

/** Starts a process on the given cores with its output in a log file under BUILD. */
export function startPinned(o: {
  name: string
  cores: string
  command: string
  args: string[]
  env?: Record<string, string>
}): Pinned {
  mkdirSync(BUILD, { recursive: true })
  const log = `${BUILD}${o.name}.log`
  const out = openSync(log, 'w')
  const child = spawn('taskset', ['-c', o.cores, o.command, ...o.args], {
    stdio: ['ignore', out, out],
    env: { ...process.env, ...o.env },
  })
  closeSync(out)
  if (child.pid === undefined)
    throw new Error('Could not start a pinned process: taskset (util-linux) is missing')
  running.add(child)
  child.once('exit', () => running.delete(child))
  let asked = false
  return {
    pid: child.pid,
    log,
    stop: async () => {
      // A server that went away by itself makes every figure of its run worthless: that must not pass unseen.
      if (!asked && hasEnded(child))
        throw new Error(`Could not go on, ${o.name} ended by itself: it wrote\n${tail(log)}`)
      asked = true
      await stop(child)
    },
  }
}

const running = new Set<ChildProcess>()

/** Ends what is still running: for Ctrl-C and for a scenario that threw. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop))
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const forced = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(forced)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Repeats `probe` until it says true; after `seconds` it fails with the end of the process's log. */
export async function untilReady(o: {
  what: string
  log: string
  probe: () => Promise<boolean>
  seconds?: number
}) {
  const end = performance.now() + (o.seconds ?? 15) * 1000
  while (performance.now() < end) {
    if (await o.probe()) return
    await sleep(50)
  }
  throw new Error(`Could not reach ${o.what}: it wrote\n${tail(o.log)}`)
}

function tail(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n') || '(nothing)'
}

/** A UDP port of 127.0.0.1 that nobody holds at this moment. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** A TCP port of 127.0.0.1 that nobody holds at this moment. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('Could not find a free TCP port')
  return address.port
}

/** Path of a program, or undefined when the machine does not have it. */
export function findProgram(...names: string[]): string | undefined {
  for (const name of names) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    } catch {}
  }
  return undefined
}

/** Resident memory of a process in MB (10^6 bytes), from the kernel. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024) / 1e6
}
