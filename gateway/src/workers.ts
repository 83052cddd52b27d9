import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { Worker } from 'node:worker_threads'
import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import type { Logger } from './adapters/log.ts'
import { explainBind } from './bind-error.ts'
import { type Board, createBoard } from './board.ts'
import type { Config } from './config.ts'
import type { SharedSecurity } from './security/thread.ts'
import type { FromWorker, ToWorker, WorkerInput } from './worker.ts'

/** A worker thread as the main thread sees it. */
export type WorkerHandle = {
  readonly board: Board
  /** Its journal: where it is, where unsent reports begin. */
  readonly journal: { dir: string; start: number }
  tell(message: ToWorker): void
  /** Hears of every mailbox that the worker asks for. One listener. */
  onLookUp(listener: (thing: string, epoch: number) => void): void
}

export type Workers = {
  readonly handles: readonly WorkerHandle[]
  /** Binds the sockets, or takes those that were handed over, one for each worker. Resolves with the port. */
  serve(handed: readonly number[]): Promise<number>
  /** Answers what is pending, flushes the journals, ends the threads. */
  stop(): Promise<void>
}

/**
 * A small young generation: V8 then frees the buffers of datagrams soon, and a flood costs tens of megabytes less.
 * (Its sizes here are those of all three semi-spaces together.)
 */
const MEMORY = { maxYoungGenerationSizeMb: 24 }

type Listener = { resolve: (message: FromWorker) => void; reject: (error: Error) => void }

/** Starts the worker threads and lets them open their journals. Rejects if one of them cannot. */
export async function startWorkers(
  config: Config,
  log: Logger,
  security: SharedSecurity | undefined,
): Promise<Workers> {
  const threads = await Promise.all(
    Array.from({ length: config.workers }, (_, worker) => startWorker({ config, worker, security }, log)),
  )
  let port = config.coapPort

  async function serve(handed: readonly number[]): Promise<number> {
    // The first one finds the port if the setting is 0; the others then share it.
    for (const [worker, { ask }] of threads.entries()) {
      const ready = await ask({ kind: 'serve', port, fd: handed[worker] }, 'ready')
      port = ready.port
    }
    return port
  }

  return {
    handles: threads.map(({ handle }) => handle),
    serve,
    stop: async () => {
      await Promise.all(threads.map(({ ask }) => ask({ kind: 'stop' }, 'stopped')))
    },
  }
}

type Reply<K> = Extract<FromWorker, { kind: K }>

async function startWorker(input: Omit<WorkerInput, 'memory'>, log: Logger) {
  const { worker } = input
  const board = createBoard(OUTCOMES)
  let lookUp: (thing: string, epoch: number) => void = () => {}
  const thread = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { ...input, memory: board.memory } satisfies WorkerInput,
    resourceLimits: MEMORY,
  })
  const listeners = new Set<Listener>()
  let isServing = false
  thread.on('message', (message: FromWorker) => {
    if (message.kind === 'look-up') return lookUp(message.thing, message.epoch)
    for (const { resolve, reject } of listeners) {
      if (message.kind === 'failed') reject(Object.assign(new Error(message.message), { code: message.code }))
      else resolve(message)
    }
  })
  thread.on('error', (error) => {
    for (const { reject } of listeners) reject(error)
    // Half a gateway would go on answering half of the devices. Whoever watches the process starts a whole one.
    if (isServing) {
      log.fatal({ err: error, worker }, 'worker died')
      process.exit(1)
    }
  })

  function next<K extends FromWorker['kind']>(kind: K): Promise<Reply<K>> {
    return new Promise((resolve, reject) => {
      const listener: Listener = {
        resolve: (message) => {
          if (message.kind !== kind) return
          listeners.delete(listener)
          resolve(message as Reply<K>)
        },
        reject,
      }
      listeners.add(listener)
    })
  }

  function ask<K extends FromWorker['kind']>(message: ToWorker, kind: K): Promise<Reply<K>> {
    const reply = next(kind)
    thread.postMessage(message)
    return reply
  }

  const { dir, start, end, torn } = await next('opened')
  isServing = true
  if (torn > 0)
    log.warn({ worker, bytes: torn }, 'journal had a torn end: cut off, it was never acknowledged')
  if (end > start) log.info({ worker, bytes: end - start }, 'journal has reports that were not sent yet')
  const handle: WorkerHandle = {
    board,
    journal: { dir, start },
    tell: (message) => thread.postMessage(message),
    onLookUp: (listener) => {
      lookUp = listener
    },
  }
  return { handle, ask }
}

/**
 * Finds out whether the CoAP port is free. Needed because several workers bind it with SO_REUSEPORT,
 * and then a second gateway would silently take half of the devices.
 */
export async function claimPort({ coapHost, coapPort }: Config): Promise<void> {
  const socket = createSocket(isIPv6(coapHost) ? 'udp6' : 'udp4')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ port: coapPort, address: coapHost, exclusive: true }, resolve)
    })
  } catch (cause) {
    const where = `${coapHost}:${coapPort} (PESEBRE_COAP_HOST, PESEBRE_COAP_PORT)`
    throw new Error(`Cannot bind UDP ${where}: ${explainBind(cause as Error)}`, { cause })
  } finally {
    socket.close()
  }
}
