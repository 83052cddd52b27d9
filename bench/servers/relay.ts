// The relay as the web server has it, with everybody allowed to watch, and MQTT commands told over HTTP instead:
// GET /commands is a stream of lines of JSON, one per command. Argument: the port.
import { createServer, type ServerResponse } from 'node:http'
import { createRelay } from '../../web/server/src/camera/relay.ts'
import { serveUpgrades } from '../../web/server/src/upgrade.ts'

const port = Number(process.argv[2])
const listeners = new Set<ServerResponse>()

const server = createServer((request, response) => {
  if (request.url === '/commands') {
    response.writeHead(200).flushHeaders()
    listeners.add(response)
    request.once('close', () => listeners.delete(response))
  } else if (request.url === '/numbers') response.end(JSON.stringify(relay.numbers()))
  else response.end()
})

const relay = createRelay({
  origin: `http://127.0.0.1:${port}`,
  limits: { viewers: 5_000, viewersPerCamera: 500, viewersPerUser: 5_000 },
  // hrs_7 is watched through camera 7; whoever asks.
  mayWatch: async (_headers, horse) => ({
    user: 'usr_bench',
    camera: `camera-${horse.slice(4).padStart(8, '0')}`,
  }),
  mqtt: {
    async publish(topic, message) {
      for (const listener of listeners) listener.write(`${JSON.stringify({ topic, message })}\n`)
    },
    subscribe: () => ({ stop() {} }),
    onLink() {},
  },
  log: { debug() {}, info() {}, warn: (fields, text) => console.log(text, fields) },
})
serveUpgrades(server, relay.routes, (error) => console.error(error))
server.listen(port, '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
