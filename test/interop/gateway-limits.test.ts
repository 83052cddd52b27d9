/** A device that reports too often, told so in ways that foreign clients understand: 4.29 with Max-Age. */
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { decode } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { startUdpProxy } from '../fakes/udp-proxy.ts'
import { CLIENTS } from './gateway-stage.ts'

const gateway = await startGateway({ env: { PESEBRE_DEVICE_RATE: '0.01', PESEBRE_DEVICE_BURST: '2' } })
t.teardown(() => gateway.stop())
const path = await startUdpProxy(gateway.coapPort)
t.teardown(() => path.close())

for (const [name, { skip, open }] of Object.entries(CLIENTS)) {
  t.test(`4.29 and Max-Age after a burst [${name}]`, { skip }, async (t) => {
    const client = await open()
    t.teardown(() => client.close())
    for (const expected of ['2.04', '2.04', '4.29', '4.29']) {
      const { code = '2.04', payload } = await client.ask(path.port, {
        method: 'post',
        path: `feeder/${name}`,
        contentFormat: CONTENT_FORMAT.JSON,
        payload: '{"a":1}',
      })
      t.equal(code, expected)
      if (code === '4.29') t.match(payload.toString(), /Too many reports/)
    }
    const last = decode(path.trace.findLast(({ from }) => from === 'server')!.bytes)
    const maxAge = last.ok && last.message.options.find(({ number }) => number === OPTION.MAX_AGE)?.value
    const seconds = Buffer.from(maxAge || []).reduce((value, byte) => value * 256 + byte, 0)
    t.ok(seconds > 0 && seconds <= 125, `${seconds} s: a hundred, spread by a quarter`)
  })
}

t.end()
