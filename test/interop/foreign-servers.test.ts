/** Our client role against servers that we did not write: Debian's libcoap server and npm coap. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { decode, type Message, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { createServer, type IncomingMessage, type ObserveWriteStream, type OutgoingMessage } from 'coap'
import t, { type Test } from 'tap'
import { missing, onPath } from '../fakes/needs.ts'
import { startUdpProxy, type UdpProxy } from '../fakes/udp-proxy.ts'
import { lines } from '../plugtest/resources/block.ts'
import { until } from '../plugtest/stage.ts'
import type { Client } from './clients/client.ts'
import { openOurClient } from './clients/ours.ts'

const COMMAND = 'coap-server-notls'
const lacksServer = missing(`${COMMAND} (Debian: libcoap3-bin)`, () => onPath(COMMAND))
const LARGE = lines(47, 'ours')
const SIZES = [16, 64, 128, 256, 512, 1_024] as const

/** A server to talk to: where it is, and what it calls the things that every server here has. */
type Foreign = {
  readonly port: number
  /** Takes a large PUT, and gives it back. */
  readonly store: string
  /** Answers after the request has been acknowledged. */
  readonly slow: { path: string; query?: string[]; text: string }
  /** Changes by itself. */
  readonly clock: string
  stop(): Promise<void>
}

type Scene = { client: Client; path: UdpProxy; foreign: Foreign }

function eachServer(what: string, run: (t: Test, scene: Scene) => Promise<void>): void {
  for (const { name, skip, start } of SERVERS) {
    void t.test(`${what} [${name}]`, { skip }, async (t) => {
      const foreign = await start()
      t.teardown(() => foreign.stop())
      const path = await startUdpProxy(foreign.port)
      t.teardown(() => path.close())
      const client = await openOurClient({ ackTimeoutMs: 80 })
      t.teardown(() => client.close())
      await run(t, { client, path, foreign })
    })
  }
}

const SERVERS = [
  { name: "Debian's libcoap server", skip: lacksServer, start: startLibcoap },
  { name: 'npm coap', skip: false, start: startNpm },
] as const

async function startLibcoap(): Promise<Foreign> {
  const port = await freePort()
  const child = spawn(COMMAND, ['-A', '127.0.0.1', '-p', `${port}`, '-d', '10'], { stdio: 'ignore' })
  await isServing(port, child)
  return {
    port,
    store: 'example_data',
    slow: { path: 'async', query: ['1'], text: 'done' },
    clock: 'time',
    stop: async () => {
      child.kill('SIGKILL')
      await once(child, 'close')
    },
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

/** Resolves when the server answers. Rejects when it has ended. */
async function isServing(port: number, child: ChildProcess): Promise<void> {
  const client = await openOurClient({ ackTimeoutMs: 50 })
  try {
    while (child.exitCode === null) {
      const answer = await client.ask(port, { path: '.well-known/core' }).catch(() => undefined)
      if (answer !== undefined) return
    }
    throw new Error(`Failed to start ${COMMAND}: exit code ${child.exitCode}`)
  } finally {
    await client.close()
  }
}

async function startNpm(): Promise<Foreign> {
  let stored = Buffer.alloc(0)
  let isStored = false
  // It throws where it is made to answer after it was closed.
  const timers = new Set<NodeJS.Timeout>()
  const server = createServer({ piggybackReplyMs: 30 })
  server.on('request', (request: IncomingMessage, response: OutgoingMessage | ObserveWriteStream) => {
    switch (`${request.method} ${request.url}`) {
      case 'PUT /store':
        stored = Buffer.from(request.payload)
        response.code = isStored ? '2.04' : '2.01'
        isStored = true
        response.end()
        return
      case 'GET /store':
        response.end(stored)
        return
      case 'GET /slow':
        timers.add(setTimeout(() => response.end('slow'), 120))
        return
      case 'GET /clock': {
        response.write('tick 0')
        if (request.headers['Observe'] !== 0) {
          response.end()
          return
        }
        let n = 0
        const clock = setInterval(() => response.write(`tick ${++n}`), 50)
        timers.add(clock)
        response.on('finish', () => clearInterval(clock))
        return
      }
      default:
        response.code = '4.04'
        response.end()
    }
  })
  const port = await freePort()
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', () => resolve()))
  return {
    port,
    store: 'store',
    slow: { path: 'slow', text: 'slow' },
    clock: 'clock',
    stop: async () => {
      for (const timer of timers) clearTimeout(timer)
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

eachServer('a large body up and down, in blocks of every size', async (t, { client, path, foreign }) => {
  for (const blockSize of SIZES) {
    const body = `${blockSize} ${LARGE}`
    const put = await client.ask(path.port, {
      method: 'put',
      path: foreign.store,
      contentFormat: 0,
      payload: body,
      blockSize,
    })
    t.match(put.code, /^2\.0[14]$/, `${blockSize} up`)
    // npm coap takes the empty option that asks for blocks of 16 bytes for one that asks for none.
    if (blockSize === 16 && foreign.store === 'store') continue
    for (const confirmable of [true, false]) {
      const { code, payload } = await client.ask(path.port, { path: foreign.store, blockSize, confirmable })
      t.equal(code, '2.05')
      t.equal(payload.toString(), body, `${blockSize} down, ${confirmable ? 'CON' : 'NON'}`)
    }
    t.equal(
      (await client.ask(path.port, { path: foreign.store })).payload.toString(),
      body,
      'size of the server',
    )
  }
})

eachServer('a separate response, CON and NON', async (t, { client, path, foreign }) => {
  const { text, ...asked } = foreign.slow
  const answers = await Promise.all([
    client.ask(path.port, asked),
    client.ask(path.port, { ...asked, confirmable: false }),
  ])
  for (const { code, payload } of answers) {
    t.equal(code, '2.05')
    t.equal(payload.toString(), text)
  }
  t.ok(
    path.trace.some(({ from, bytes }) => from === 'server' && bytes[0] === 0x60 && bytes[1] === 0),
    'an empty ACK came first',
  )
})

eachServer('a separate response, the first two datagrams of the server being lost', async (t, scene) => {
  const { client, path, foreign } = scene
  const { text, ...asked } = foreign.slow
  let fromServer = 0
  path.rule(({ from }) => (from === 'server' && fromServer++ < 2 ? 'lose' : 'pass'))
  const { payload } = await client.ask(path.port, asked)
  t.equal(payload.toString(), text)
})

eachServer('lost and doubled datagrams', async (t, { client, path, foreign }) => {
  for (const fate of ['lose', 'double'] as const) {
    for (const side of ['client', 'server'] as const) {
      let nth = 0
      path.rule(({ from }) => (from === side && nth++ % 3 === 0 ? fate : 'pass'))
      const body = `${fate} ${side} ${LARGE}`
      const put = {
        method: 'put',
        path: foreign.store,
        contentFormat: 0,
        payload: body,
        blockSize: 512,
      } as const
      t.match((await client.ask(path.port, put)).code, /^2\.0[14]$/)
      const { payload } = await client.ask(path.port, { path: foreign.store, blockSize: 512 })
      t.equal(payload.toString(), body, `${fate} what comes from the ${side}`)
    }
  }
})

eachServer('observe, and take it back', async (t, { client, path, foreign }) => {
  const watch = client.observe(path.port, { path: foreign.clock })
  const notifications = (): number => path.trace.filter(({ from }) => from === 'server').length
  await until('three states', () => notifications() >= 3)
  await watch.stop()
  t.ok(watch.shown().length > 0)
  // Sent before this, and so it has arrived before this is answered.
  await client.ask(path.port, { path: 'nowhere' })
  const last = path.trace
    .filter(({ from }) => from === 'client')
    .map(({ bytes }) => decode(bytes))
    .find((decoded) => decoded.ok && observeIn(decoded.message) === 1)
  t.match(last, { ok: true, message: { type: TYPE.CON } })
})

function observeIn({ options }: Message): number | undefined {
  return options.find(({ number }) => number === OPTION.OBSERVE)?.value[0]
}

eachServer('errors', async (t, { client, path }) => {
  t.equal((await client.ask(path.port, { path: 'nowhere' })).code, '4.04')
  t.equal((await client.ask(path.port, { path: 'nowhere', confirmable: false })).code, '4.04')
})

t.test("links of Debian's server, with filters", { skip: lacksServer }, async (t) => {
  const foreign = await startLibcoap()
  const client = await openOurClient()
  t.teardown(() => Promise.all([foreign.stop(), client.close()]))
  const ask = async (query: string[]): Promise<string> =>
    (await client.ask(foreign.port, { path: '.well-known/core', query })).payload.toString()
  t.match(await ask([]), '</time>')
  t.match(await ask(['rt=ticks']), /^<\/time>[^,]*$/)
  await client.ask(foreign.port, { method: 'put', path: 'made', contentFormat: 0, payload: 'x' })
  t.match(await ask(['href=/ma*']), /^<\/made>/)
  t.equal((await client.ask(foreign.port, { method: 'delete', path: 'made' })).code, '2.02')
  t.equal((await client.ask(foreign.port, { path: 'made' })).code, '4.04')
})

t.end()
