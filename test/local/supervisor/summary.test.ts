import t from 'tap'
import { summary } from '../../../local/src/supervisor/summary.ts'

const paint = (_style: unknown, text: string) => text
const STANDARD = { coap: 5683, admin: 9683, aws: 4566, iot: 4567, mqtt: 8883 }

t.test('summary() names every address, and commands that can be pasted', async (t) => {
  const text = summary({ ports: STANDARD, home: '.pesebre', demo: true, paint })
  for (const port of Object.values(STANDARD)) t.match(text, `://127.0.0.1:${port}`)
  t.match(
    text,
    `coap-client -m post coap://127.0.0.1/feeder/bella -t application/json -e '{"hopper_pct":62,"battery_mv":3710}'`,
  )
  t.match(text, 'curl http://127.0.0.1:4567/things/bella/shadow')
  t.match(text, 'npx pesebre shadow demo-luna')
  t.notMatch(text, 'export')
})

t.test('summary() says how the commands find a stack with other ports', async (t) => {
  const text = summary({ ports: { ...STANDARD, coap: 15683, iot: 14567 }, home: '/x', demo: false, paint })
  t.match(text, '  export PESEBRE_COAP_PORT=15683 PESEBRE_IOT_PORT=14567\n')
  t.match(text, 'coap://127.0.0.1:15683/feeder/bella')
  t.notMatch(text, 'demo-luna')
})
