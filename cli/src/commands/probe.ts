import { randomUUID } from 'node:crypto'
import { HOPS } from '@pesebre/contract/hops'
import { QUEUE } from '@pesebre/contract/local-stack'
import { showDuration } from '../age.ts'
import { positionalsOf, secondsOf } from '../args.ts'
import { parseCoapUrl } from '../coap-url.ts'
import { type Command, EXIT, type Io, Misuse } from '../command.ts'
import { type HopResult, runProbe } from '../probe.ts'
import { localPort, TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'
import { openCoapClient } from '../udp.ts'

const TIMEOUT_S = 15
const THING = 'pesebre-probe'

/** `probe`: sends a report through the whole chain and watches it come out. */
export const probe: Command = {
  name: 'probe',
  summary: 'Check the whole chain: gateway, journal, queue, bridge, shadow',
  usage: '[--url coap://host] [options]',
  about: [
    [
      `Asks the gateway for its health, posts a report for the thing "${THING}", looks at the queue, and reads the shadow`,
      'until it shows that very report. Prints what each hop took, or names the first one that is broken.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: {
    url: { type: 'string', value: 'url', help: 'The gateway (coap://127.0.0.1, port of PESEBRE_COAP_PORT)' },
    queue: { type: 'string', value: 'name', help: `The queue between gateway and bridge (${QUEUE})` },
    thing: { type: 'string', value: 'name', help: `The thing to report for (${THING})` },
    timeout: { type: 'string', value: 'seconds', help: `How long each hop may take (${TIMEOUT_S})` },
    ...TARGET_OPTIONS,
  },
  examples: [
    ['probe', 'the local stack'],
    [
      'probe --url coap://192.0.2.7 --aws --queue stable-pesebre-reports',
      'an installation on AWS, from outside',
    ],
    ['probe --json', 'for a monitor: {"ok":false,"broken":"bridge",...} and exit code 1'],
  ],
  run: async (args, io) => {
    positionalsOf(args)
    const url = parseCoapUrl(args.text['url'] ?? '/', localPort('coap', io.env))
    if (url.path.length > 0) throw new Misuse(`The URL of a gateway has no path: "${url.text}"`)
    const target = targetOf(args, io.env)
    const json = args.flag['json'] === true
    if (!json)
      io.out(io.paint('bold', `Probe of ${url.text.replace(/\/$/, '')}, shadows in ${target.iotPlace}`))

    const [{ openQueueWatch }, { shadowReader }] = await Promise.all([
      import('../queue-watch.ts'),
      import('../shadow.ts'),
    ])
    const client = await openCoapClient(url)
    try {
      const results = await runProbe({
        coap: client.request,
        queue: openQueueWatch(target, args.text['queue'] ?? QUEUE),
        readShadow: shadowReader(target),
        thing: args.text['thing'] ?? THING,
        mark: randomUUID(),
        timeoutMs: (secondsOf(args, 'timeout') ?? TIMEOUT_S) * 1000,
        onHop: (result) => {
          if (!json) io.out(hopLine(result, io))
        },
      })
      return conclude(results, json, io)
    } finally {
      client.close()
    }
  },
}

const MARK = { ok: ['green', 'ok'], broken: ['red', 'broken'] } as const

function hopLine({ hop, ok, note, ms }: HopResult, io: Io): string {
  const [color, word] = ok ? MARK.ok : MARK.broken
  const time = ms === undefined ? '' : io.paint('dim', `  ${showDuration(ms)}`)
  return `  ${io.paint(color, word.padEnd(7))} ${hop.padEnd(9)} ${note}${time}`
}

function conclude(results: readonly HopResult[], json: boolean, io: Io) {
  const broken = results.find(({ ok }) => !ok)?.hop
  const totalMs = results.reduce((sum, { ms = 0 }) => sum + ms, 0)
  if (json) {
    const hops = results.map((result) => ({ ...result, ms: result.ms && Number(result.ms.toFixed(1)) }))
    io.out(JSON.stringify({ ok: broken === undefined, ...(broken && { broken }), hops }))
  } else if (broken === undefined) {
    io.out(io.paint('green', `The whole chain works: ${showDuration(totalMs)}`))
  } else {
    const rest = HOPS.filter((hop) => results.every((result) => result.hop !== hop))
    if (rest.length > 0) io.out(io.paint('dim', `  not known: ${rest.join(', ')}`))
    io.out(io.paint('red', `Broken: ${broken}`))
  }
  return broken === undefined ? EXIT.ok : EXIT.failed
}
