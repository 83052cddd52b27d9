import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * `pass`: bytes go through. `refuse`: connections are cut at once. `hang`: accepted, and never answered.
 * `slow`: each piece of an answer comes `delayMs` late. `cut`: each connection is cut in the middle of its answers.
 */
export type Weather = 'pass' | 'refuse' | 'hang' | 'slow' | 'cut'

export type FlakyProxy = {
  readonly port: number
  /** Changes the weather for open connections too: what was under way is cut. */
  set(weather: Weather): void
  close(): Promise<void>
}

/** A TCP proxy to a port of the loopback that makes the faults of a network. */
export async function startFlakyProxy(target: number, delayMs = 300): Promise<FlakyProxy> {
  let weather: Weather = 'pass'
  const open = new Set<Socket>()
  const server = createServer((client) => {
    track(client)
    if (weather === 'refuse') {
      client.destroy()
      return
    }
    if (weather === 'hang') {
      client.resume()
      return
    }
    const upstream = connect(target, '127.0.0.1')
    track(upstream)
    client.pipe(upstream)
    upstream.on('data', (bytes) => {
      if (weather === 'slow') setTimeout(() => client.write(bytes), delayMs)
      else if (weather === 'cut') client.destroy()
      else client.write(bytes)
    })
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })

  function track(socket: Socket): void {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => open.delete(socket))
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    set: (next) => {
      weather = next
      for (const socket of open) socket.destroy()
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
