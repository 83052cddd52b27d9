/**
 * `npm run plugtest-server -- --port N`: the resources of the ETSI CoAP plugtests on @pesebre/coap, for any client to be pointed at.
 */
import { parseArgs } from 'node:util'
import { DEFAULT_PORT } from '@pesebre/coap/codec/parameters'
import { type PlugtestOptions, startPlugtestServer } from './server.ts'

const HELP = `Serves the resources of the ETSI CoAP plugtests (TD_COAP_CORE, LINK, BLOCK, OBS).

  npm run plugtest-server -- [options]

  --port N         UDP port (default ${DEFAULT_PORT}; 0: any that is free)
  --host H         numeric address to listen on (default 127.0.0.1)
  --period N       seconds after which the observed resources change (default 5)
  --separate N     milliseconds that /separate takes (default 2000)
  --block-size N   largest block, bytes: 16 to 1024 (default 1024)
  --oscore         adds /oscore/... and the security contexts of the OSCORE interoperability tests;
                   what was seen is forgotten when it ends: start it again for clients that do so
  --help           this text`

/** Reads the command line. Returns the text of what is wrong with it, or of the help, where there is nothing to start. */
function read(args: string[]): PlugtestOptions | { text: string; exitCode: number } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: 'string', default: `${DEFAULT_PORT}` },
        host: { type: 'string', default: '127.0.0.1' },
        period: { type: 'string', default: '5' },
        separate: { type: 'string', default: '2000' },
        'block-size': { type: 'string', default: '1024' },
        oscore: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) return { text: HELP, exitCode: 0 }
    return {
      host: values.host,
      port: number('--port', values.port, [0, 65_535]),
      periodMs: number('--period', values.period, [1, 86_400]) * 1_000,
      separateMs: number('--separate', values.separate, [0, 60_000]),
      oscore: values.oscore,
      settings: { blockSizeMax: number('--block-size', values['block-size'], [16, 1_024]) },
    }
  } catch (error) {
    return { text: `${(error as Error).message}\nTry --help`, exitCode: 2 }
  }
}

function number(name: string, text: string, [min, max]: readonly [number, number]): number {
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`${name} must be a whole number from ${min} to ${max}: ${text}`)
}

function explain(error: NodeJS.ErrnoException, { host, port }: PlugtestOptions): string {
  if (error.code === 'EADDRINUSE') return `UDP port ${port} on ${host} is taken: choose another with --port`
  if (error.code === 'EACCES') return `UDP port ${port} needs more rights: choose one above 1023 with --port`
  if (error.code === 'EADDRNOTAVAIL') return `This machine does not have the address ${host}: see --host`
  return error.message
}

const options = read(process.argv.slice(2))
if ('text' in options) {
  console.log(options.text)
  process.exitCode = options.exitCode
} else {
  try {
    const server = await startPlugtestServer(options)
    const host = server.host.includes(':') ? `[${server.host}]` : server.host
    console.log(
      `Plugtest server ready: coap://${host}:${server.port}/.well-known/core (${server.count()} resources)`,
    )
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
  } catch (error) {
    console.error(`Cannot start the plugtest server: ${explain(error as NodeJS.ErrnoException, options)}`)
    process.exitCode = 1
  }
}
