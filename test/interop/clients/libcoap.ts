import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { missing, onPath } from '../../fakes/needs.ts'
import { type Asked, bytesOf, type Client } from './client.ts'

const COMMAND = 'coap-client-notls'

/** Why Debian's client cannot be run here, or false. */
export const lacksLibcoapClient = missing(`${COMMAND} (Debian: libcoap3-bin)`, () => onPath(COMMAND))

/** Longest that it waits for anything, seconds. */
const WAIT_S = 20
/** Longer than any test observes, seconds. */
const OBSERVE_S = 600

/** Debian's libcoap client: a process for each request. It says the code of an answer only when it is an error. */
export function libcoapClient(extra: readonly string[] = []): Client {
  const running = new Set<ChildProcess>()

  function run(port: number, asked: Asked, more: readonly string[]): Run {
    const child = spawn(COMMAND, [...extra, ...more, ...argsOf(asked), urlOf(port, asked)])
    running.add(child)
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes))
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes))
    child.stdin.on('error', () => {})
    child.stdin.end(bytesOf(asked.payload) ?? '')
    const ended = once(child, 'close').finally(() => running.delete(child))
    return { child, ended, out: () => Buffer.concat(out), err: () => Buffer.concat(err).toString() }
  }

  return {
    name: "Debian's libcoap client",
    ask: async (port, asked) => {
      const { ended, out, err } = run(port, asked, ['-B', `${WAIT_S}`])
      await ended
      const code = /^([45]\.\d\d)/m.exec(err())?.[1]
      if (code === undefined && err() !== '') throw new Error(`${COMMAND}: ${err()}`)
      // What comes with an error goes to the same place as the code.
      return { code, payload: code === undefined ? out() : Buffer.from(err()) }
    },
    observe: (port, asked) => {
      const { child, ended, out } = run(port, asked, ['-s', `${OBSERVE_S}`, '-B', `${OBSERVE_S}`])
      const end = async (signal: NodeJS.Signals): Promise<void> => {
        child.kill(signal)
        await ended
      }
      return { shown: out, stop: () => end('SIGINT'), drop: () => end('SIGKILL') }
    },
    close: async () => {
      for (const child of running) child.kill('SIGKILL')
    },
  }
}

type Run = { child: ChildProcess; ended: Promise<unknown>; out: () => Buffer; err: () => string }

function argsOf(asked: Asked): string[] {
  const {
    method = 'get',
    confirmable = true,
    contentFormat,
    accept,
    options = [],
    payload,
    blockSize,
  } = asked
  return [
    // What comes, as it comes: otherwise a newline may follow.
    '-o',
    '-',
    '-m',
    method,
    ...(confirmable ? [] : ['-N']),
    ...(contentFormat === undefined ? [] : ['-t', `${contentFormat}`]),
    ...(accept === undefined ? [] : ['-A', `${accept}`]),
    ...options.flatMap(({ number, value }) => ['-O', `${number},0x${Buffer.from(value).toString('hex')}`]),
    ...(blockSize === undefined ? [] : ['-b', `${blockSize}`]),
    ...(payload === undefined ? [] : ['-f', '-']),
  ]
}

function urlOf(port: number, { path, query = [] }: Asked): string {
  const text = query.map(encodeURIComponent).join('&').replaceAll('%3D', '=')
  return `coap://127.0.0.1:${port}/${path}${query.length === 0 ? '' : `?${text}`}`
}
