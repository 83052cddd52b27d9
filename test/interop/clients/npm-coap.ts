import { createSocket } from 'node:dgram'
import { optionDefinition } from '@pesebre/coap/codec/options'
import { Agent, type IncomingMessage, type ObserveReadStream } from 'coap'
import { type Asked, bytesOf, type Client, type Told } from './client.ts'

/** The client of npm `coap`, in this process. `retrySend`: how often it repeats a confirmable message. */
export function npmCoapClient({ retrySend }: { retrySend?: number } = {}): Client {
  // With a socket of its own it would close that whenever nothing is under way, and come back under another port.
  const socket = createSocket('udp4')
  const agent = new Agent({ socket })

  function send(port: number, asked: Asked, observe: boolean): Promise<IncomingMessage> {
    const { method = 'get', path, query, confirmable = true, contentFormat, accept, blockSize } = asked
    const payload = bytesOf(asked.payload)
    const request = agent.request({
      host: '127.0.0.1',
      port,
      method: method.toUpperCase() as 'GET',
      pathname: `/${path}`,
      confirmable,
      ...(query && { query: query.join('&') }),
      ...(observe && { observe: true }),
      ...(contentFormat !== undefined && { contentFormat }),
      ...(accept !== undefined && { accept }),
      ...(retrySend !== undefined && { retrySend }),
    })
    const values = Map.groupBy(asked.options ?? [], ({ number }) => number)
    for (const [number, options] of values) {
      request.setOption(
        optionDefinition(number)?.name ?? `${number}`,
        options.map(({ value }) => Buffer.from(value)),
      )
    }
    if (blockSize !== undefined) {
      const szx = Buffer.of(Math.log2(blockSize) - 4)
      request.setOption(payload === undefined ? 'Block2' : 'Block1', szx)
    }
    return new Promise((resolve, reject) => {
      request.on('response', resolve)
      request.on('error', reject)
      request.on('timeout', reject)
      request.end(payload && Buffer.from(payload))
    })
  }

  return {
    name: 'npm coap',
    ask: async (port, asked): Promise<Told> => {
      const { code, payload } = await send(port, asked, false)
      return { code, payload }
    },
    observe: (port, asked) => {
      const shown: Buffer[] = []
      const stream = send(port, asked, true) as Promise<ObserveReadStream>
      stream.then(
        (opened) => opened.on('data', (bytes: Buffer) => shown.push(bytes)),
        () => {},
      )
      return {
        shown: () => Buffer.concat(shown),
        stop: async () => (await stream).close(true),
        drop: async () => (await stream).close(),
      }
    },
    close: async () => {
      agent.close()
      await new Promise<void>((resolve) => socket.close(resolve))
    },
  }
}
