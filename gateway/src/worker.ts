import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import { createLog } from './adapters/log.ts'
import { bindUdp } from './adapters/udp.ts'
import { mailboxNotification, mailboxResource } from './app/commands.ts'
import type { Mailbox } from './app/mailbox.ts'
import { createRateLimit } from './app/rate.ts'
import { answer } from './app/routes.ts'
import type { SecurePorts } from './app/uplink.ts'
import { openBoard } from './board.ts'
import type { Config } from './config.ts'
import { openJournal } from './journal/journal.ts'
import { createKeeper } from './keeper.ts'
import { createLoop } from './loop.ts'
import { createMailboxes } from './mailboxes.ts'
import { createOverload } from './overload.ts'
import { openThreadSecurity, type SharedSecurity } from './security/thread.ts'
import { createSeq } from './seq.ts'

/** Composition root of a worker thread: one socket, one endpoint, one journal. main.ts starts it. */
export type WorkerInput = {
  config: Config
  worker: number
  memory: SharedArrayBuffer
  security: SharedSecurity | undefined
}

/** What a worker says to the main thread. */
export type FromWorker =
  | { kind: 'opened'; start: number; end: number; torn: number; dir: string }
  | { kind: 'ready'; port: number; receiveBuffer: number }
  | { kind: 'stopped'; seq: number }
  | { kind: 'look-up'; thing: string; epoch: number }
  | { kind: 'failed'; code: string | undefined; message: string }

/**
 * What the main thread says to a worker. `sent`: SQS has taken more (only where answers wait for that). `mailbox` answers
 * `look-up`, undefined when AWS could not be asked; `announced` and `live` tell of changes (mailboxes.ts).
 */
export type ToWorker =
  | { kind: 'serve'; port: number; fd: number | undefined }
  | { kind: 'sent' }
  | { kind: 'mailbox'; thing: string; mailbox: Mailbox | undefined; epoch: number }
  | { kind: 'announced'; thing: string; mailbox: Mailbox }
  | { kind: 'live'; isLive: boolean; isReset: boolean }
  | { kind: 'stop' }

const RATE_KEYS_MAX = 100_000
const SMALLEST_PAGE = 4096

const { config, worker, memory, security: shared } = workerData as WorkerInput
const port = parentPort!
const log = createLog(config.logLevel, config.gatewayId).child({ worker })
const board = openBoard(memory, OUTCOMES)
const say = (message: FromWorker): void => port.postMessage(message)

function onFault(error: unknown): void {
  board.add('errors_internal', 1)
  log.error({ err: error }, 'internal error')
}
process.on('uncaughtException', onFault)
process.on('unhandledRejection', onFault)

function start(): void {
  const dir = join(config.journalDir, String(worker))
  const journal = openJournal({
    dir,
    segmentBytes: config.journalSegmentBytes,
    maxBytes: Math.floor(config.journalMaxBytes / config.workers),
    sent: () => board.get('sent'),
    onCommit: (committed, lines) => {
      board.set('committed', committed)
      board.add('reports_kept', lines)
      board.add('commits', 1)
    },
    onStateChange: (failure) => {
      board.set('journal_failed', failure ? 1 : 0)
      if (failure) log.error({ err: failure, dir }, 'journal cannot write: reports are refused until it can')
      else log.info('journal writes again')
    },
  })
  board.set('sent', journal.recovered.start)
  board.set('committed', journal.recovered.end)
  const overload = createOverload()
  const keeper = createKeeper({ journal, ackAfter: config.ackAfter, board, retryAfter: overload.retryAfter })
  const seq = createSeq({ worker, workers: config.workers, last: journal.recovered.seq, clock: Date.now })
  const security = shared && openThreadSecurity(shared, config)
  const mailboxes = createMailboxes({
    ask: (thing, epoch) => say({ kind: 'look-up', thing, epoch }),
    onChange: (thing, mailbox) => {
      const resource = mailboxResource(thing)
      if (endpoint.isObserved(resource)) loop.notify(resource, mailboxNotification(mailbox, securePorts))
    },
    kept: config.contextsMax,
  })
  const endpoint = createEndpoint({
    seed: randomBytes(32),
    exchangesMax: 2 ** Math.floor(Math.log2(config.exchangesMax)),
    preallocate: true,
    bodyMax: config.bodyMax,
    // Never an answer of our own accord to an address that nobody has proven (S9): whoever waits longer asks again, and
    // gets the answer piggybacked.
    ackAfterMs: Number.POSITIVE_INFINITY,
    security: security?.security,
  })
  const limits = { keysMax: RATE_KEYS_MAX }
  const allowDevice = createRateLimit({ ...limits, rate: config.deviceRate, burst: config.deviceBurst })
  const allowAddress = createRateLimit({ ...limits, rate: config.addressRate, burst: config.addressBurst })
  const reportPorts = {
    keep: keeper.keep,
    allow: (thing: string) => allowDevice(thing, performance.now()),
    retryAfter: overload.retryAfter,
    clock: Date.now,
  }
  const securePorts: SecurePorts = {
    ...reportPorts,
    // Without AWS IoT there is nothing to ask.
    lookUp: config.mqtt ? mailboxes.lookUp : () => undefined,
    noteOutcome: mailboxes.noteOutcome,
    onSent: (commands) => board.add('commands_sent', commands),
    gateways: config.gateways,
  }
  const ports = {
    ...reportPorts,
    allowOpen: config.allowOpen,
    secure: security && securePorts,
    nextSeq: seq.next,
    notReady: () => keeper.notReady(config.unsentMaxS),
    refusalOf: keeper.refusalOf,
    onRefusal: keeper.onRefusal,
    onFault,
  }
  const loop = createLoop({
    endpoint,
    answer: (request) => answer(request, ports),
    allowAddress,
    onRefusedAddress: () => board.add('refused_rate_address', 1),
    onFault,
    housekeeping: () => {
      for (const reason of OUTCOMES) board.set(reason, endpoint.counters[reason])
      const { pending, exchanges, uploads, observers, withheld, evicted } = endpoint.sizes()
      board.set('pending', pending)
      board.set('exchanges', exchanges)
      board.set('exchanges_evicted', evicted.exchanges)
      board.set('uploads', uploads)
      board.set('observers', observers)
      board.set('withheld', withheld)
      board.set('contexts', security?.contexts() ?? 0)
      board.set('mailboxes', mailboxes.count())
      publishJournal()
      overload.sample(journal.backlog(), board.get('sent'), performance.now())
      if (journal.failure()) journal.heal().catch(onFault)
    },
  })

  function publishJournal(): void {
    board.set('backlog', journal.backlog())
    board.set('seq', seq.last())
  }

  async function serve(coapPort: number, fd: number | undefined): Promise<void> {
    const udp = await bindUdp({
      host: config.coapHost,
      port: coapPort,
      fd,
      receiveBuffer: config.receiveBuffer,
      share: config.workers > 1,
      onDatagram: loop.receive,
      onError: (error) => {
        board.add('socket_errors', 1)
        log.warn({ err: error }, 'socket error')
      },
    })
    if (udp.receiveBuffer < config.receiveBuffer - SMALLEST_PAGE) {
      log.warn(
        { asked: config.receiveBuffer, granted: udp.receiveBuffer },
        'receive buffer smaller than asked: raise net.core.rmem_max, or bursts are lost',
      )
    }
    if (!udp.batches) log.info('no recvmmsg and sendmmsg here: a system call for each datagram')
    board.set('receive_buffer', udp.receiveBuffer)
    loop.start(udp)
    port.on('message', (message: ToWorker) => {
      if (message.kind === 'sent') keeper.release()
      if (message.kind === 'stop') stop().catch(onFault)
    })
    say({ kind: 'ready', port: udp.port, receiveBuffer: udp.receiveBuffer })

    async function stop(): Promise<void> {
      udp.stopReceiving()
      const until = performance.now() + config.stopTimeoutMs
      while (loop.pending() > 0 && performance.now() < until) await sleep(1)
      while (udp.unsent() > 0 && performance.now() < until) await sleep(1)
      loop.stop()
      // Before the journal, which takes its time: what comes from now on waits in a handed socket for the next process.
      await udp.close()
      await journal.close()
      publishJournal()
      say({ kind: 'stopped', seq: seq.last() })
      port.close()
    }
  }

  const { start: from, end, torn } = journal.recovered
  say({ kind: 'opened', start: from, end, torn, dir })
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'serve') serve(message.port, message.fd).catch(fail)
    else if (message.kind === 'mailbox') mailboxes.receive(message.thing, message.mailbox, message.epoch)
    else if (message.kind === 'announced') mailboxes.announce(message.thing, message.mailbox)
    else if (message.kind === 'live') mailboxes.setLive(message.isLive, message.isReset)
  })
}

function fail(error: unknown): void {
  const { code, message } = error as NodeJS.ErrnoException
  say({ kind: 'failed', code, message })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

try {
  start()
} catch (error) {
  fail(error)
}
