import { DEAD_LETTER_QUEUE, PORTS, type PortName, QUEUE } from '@pesebre/contract/local-stack'
import { OPEN_DEVICE } from '../demo/open-device.ts'
import type { DemoDevice } from '../demo/registration.ts'
import { DEMO_PASSWORD, DEMO_ROLES, demoEmail } from '../demo/seed.ts'
import type { Ports } from './config.ts'
import type { Paint } from './log-line.ts'
import type { WebStanding } from './stack.ts'

export type SummaryInput = {
  readonly ports: Ports
  /** As a person would type it. */
  readonly home: string
  /** Whether the open demo device reports. */
  readonly demo: boolean
  /** The registered demo feeders, which speak OSCORE only. */
  readonly devices: readonly DemoDevice[]
  /** Thing name of the demo camera; undefined without demo. */
  readonly camera?: string | undefined
  /** The web app, and who may sign in to it; undefined when it does not run. */
  readonly web: WebStanding | undefined
  /** How many gateways run. */
  readonly gateways: number
  readonly paint: Paint
}

function webLines(web: WebStanding | undefined): (readonly [string, string, string])[] {
  if (web === undefined) return []
  const { url, demo, setup } = web
  if (setup !== undefined)
    return [
      ['The web app', url, ''],
      ['Its first admin', setup, 'opens once'],
    ]
  if (!demo) return [['The web app', url, '']]
  const names = DEMO_ROLES.map((role) => demoEmail(role)).join(', ')
  return [
    ['The web app', url, `open it, and sign in with the password ${DEMO_PASSWORD} as`],
    ['', '', names],
  ]
}

/** Ports that the commands ask for. */
const NEEDED: ReadonlySet<PortName> = new Set(['coap', 'aws', 'iot'])
const SAMPLE = `'{"hopper_pct":62,"battery_mv":3710}'`

/** What a person sees when the stack is ready: every address, and what to try next. */
export function summary({ ports, home, demo, devices, camera, web, gateways, paint }: SummaryInput): string {
  const coapPort = ports.coap === PORTS.coap.standard ? '' : `:${ports.coap}`
  const coap = `coap://127.0.0.1${coapPort}`
  const iot = `http://127.0.0.1:${ports.iot}`
  const [feeder] = devices
  const addresses = [
    ...webLines(web),
    ['CoAP gateway', `coap://127.0.0.1:${ports.coap}`, 'devices report here; GET /health, /.well-known/core'],
    ['Its admin port', `http://127.0.0.1:${ports.admin}`, '/healthz, /readyz, /metrics'],
    ...(gateways > 1
      ? ([
          ['CoAP gateway b', `coap://127.0.0.1:${ports.coapB}`, 'stop either: devices go to the other one'],
          ['Its admin port', `http://127.0.0.1:${ports.adminB}`, ''],
        ] as const)
      : []),
    ['SQS and S3', `http://127.0.0.1:${ports.aws}`, `queues ${QUEUE}, ${DEAD_LETTER_QUEUE}`],
    ['AWS IoT, HTTP', iot, 'things and their shadows'],
    ['AWS IoT, MQTT', `mqtts://127.0.0.1:${ports.mqtt}`, `mutual TLS; its CA is ${home}/iot/ca.pem`],
    ...devices.map(({ name, thing }) => [name, thing, 'a virtual feeder; speaks OSCORE only'] as const),
    ...(camera ? [['Demo camera', camera, 'draws a horse while somebody watches'] as const] : []),
    ...(demo ? [['Open demo device', OPEN_DEVICE.thing, 'reports without security'] as const] : []),
    ['Data and logs', home, 'kept from one start to the next'],
  ] as const
  const exports = Object.entries(PORTS)
    .filter(([name, { standard }]) => NEEDED.has(name as PortName) && ports[name as PortName] !== standard)
    .map(([name, { setting }]) => `${setting}=${ports[name as PortName]}`)
  const steps = [
    ...(exports.length > 0 ? [['tell the commands below which ports', `export ${exports.join(' ')}`]] : []),
    ['report like a device', `npx pesebre post /feeder/bella -d ${SAMPLE}`],
    ['the same with libcoap', `coap-client -m post ${coap}/feeder/bella -t application/json -e ${SAMPLE}`],
    ['see it in the shadow', `npx pesebre shadow bella`],
    ['the same with curl', `curl ${iot}/things/bella/shadow`],
    ...(feeder ? [['feed a horse', `npx pesebre feed ${feeder.thing} --grams 500`]] : []),
    ...(demo ? [['see the open demo device', `npx pesebre shadow ${OPEN_DEVICE.thing}`]] : []),
    ['check the whole chain', 'npx pesebre probe'],
    ['everything else', 'npx pesebre --help'],
  ] as const

  return [
    '',
    paint('bold', 'Pesebre: everything below runs on this machine, and listens on 127.0.0.1 only'),
    '',
    ...addresses.map(
      ([what, address, note]) =>
        `  ${what.padEnd(16)} ${paint('cyan', address.padEnd(26))} ${paint('dim', note)}`,
    ),
    '',
    paint('bold', 'Try next, in another terminal'),
    ...steps.flatMap(([what, command]) => [`  ${paint('dim', `# ${what}`)}`, `  ${command}`]),
    '',
    'Ctrl-C stops everything; the data stays',
    '',
  ].join('\n')
}
