import t from 'tap'
import { summary } from '../../../local/src/supervisor/summary.ts'

const paint = (_style: unknown, text: string) => text
const STANDARD = {
  coap: 5683,
  admin: 9683,
  coapB: 5684,
  adminB: 9684,
  web: 8080,
  webAdmin: 9680,
  aws: 4566,
  iot: 4567,
  mqtt: 8883,
}
const WEB = { url: 'http://localhost:8080', demo: true, setup: undefined }

t.test('summary() names every address, and commands that can be pasted', async (t) => {
  const text = summary({
    ports: STANDARD,
    home: '.pesebre',
    demo: true,
    devices: [],
    web: WEB,
    gateways: 1,
    paint,
  })
  for (const port of [5683, 9683, 4566, 4567, 8883]) t.match(text, `://127.0.0.1:${port}`)
  t.notMatch(text, '5684', 'there is one gateway')
  t.match(
    text,
    `coap-client -m post coap://127.0.0.1/feeder/bella -t application/json -e '{"hopper_pct":62,"battery_mv":3710}'`,
  )
  t.match(text, 'curl http://127.0.0.1:4567/things/bella/shadow')
  t.match(text, 'npx pesebre shadow demo-luna')
  t.notMatch(text, 'export')
})

t.test('summary() says how the commands find a stack with other ports', async (t) => {
  const text = summary({
    ports: { ...STANDARD, coap: 15683, iot: 14567 },
    home: '/x',
    demo: false,
    devices: [],
    web: undefined,
    gateways: 1,
    paint,
  })
  t.match(text, '  export PESEBRE_COAP_PORT=15683 PESEBRE_IOT_PORT=14567\n')
  t.match(text, 'coap://127.0.0.1:15683/feeder/bella')
  t.notMatch(text, 'demo-luna')
})

t.test('summary() names the second gateway and the feeders, and how to feed a horse', async (t) => {
  const devices = [{ name: "Sol's feeder", thing: 'feeder-0000001e', horse: 'Sol', file: '/x/demo/sol.json' }]
  const camera = 'camera-0000001f'
  const text = summary({
    ports: STANDARD,
    home: '/x',
    demo: true,
    devices,
    camera,
    web: WEB,
    gateways: 2,
    paint,
  })
  t.match(text, /Demo camera +camera-0000001f/)
  t.match(text, 'coap://127.0.0.1:5684')
  t.match(text, 'http://127.0.0.1:9684')
  t.match(text, /Sol's feeder +feeder-0000001e +a virtual feeder; speaks OSCORE only/)
  t.match(text, /Open demo device +demo-luna +reports without security/)
  t.match(text, 'npx pesebre feed feeder-0000001e --grams 500')
})

t.test('summary() says how to get into the web app', async (t) => {
  const common = { ports: STANDARD, home: '/x', devices: [], gateways: 1, paint }
  const demo = summary({ ...common, demo: true, web: WEB })
  t.match(demo, /The web app +http:\/\/localhost:8080 +open it, and sign in with the password pesebre-demo/)
  t.match(demo, 'owner@demo.example')
  const setup = 'http://localhost:8080/setup#token'
  const fresh = summary({ ...common, demo: false, web: { ...WEB, demo: false, setup } })
  t.match(fresh, setup)
  t.notMatch(fresh, 'demo.example')
})
