import t from 'tap'
import { readSettings } from '../../../local/src/supervisor/config.ts'
import { StackError } from '../../../local/src/supervisor/stack-error.ts'

t.test('readSettings() without any setting gives the standard ports, and shows warnings only', async (t) => {
  t.strictSame(readSettings({}), {
    ports: {
      coap: 5683,
      admin: 9683,
      coapB: 5684,
      adminB: 9684,
      web: 8080,
      webAdmin: 9680,
      aws: 4566,
      iot: 4567,
      mqtt: 8883,
    },
    gateways: 1,
    home: '.pesebre',
    demo: true,
    logLevel: 'info',
    shownLevel: 'warn',
  })
})

t.test('readSettings() takes what is given, and an empty value for missing', async (t) => {
  const settings = readSettings({
    PESEBRE_COAP_PORT: ' 15683 ',
    PESEBRE_AWS_PORT: '',
    PESEBRE_HOME: '/tmp/stable',
    PESEBRE_DEMO: 'false',
    PESEBRE_LOG_LEVEL: 'debug',
  })
  t.match(settings, {
    ports: { coap: 15683, aws: 4566 },
    home: '/tmp/stable',
    demo: false,
    logLevel: 'debug',
    shownLevel: 'debug',
  })
})

t.test('readSettings() names every problem at once: setting, allowed, given', async (t) => {
  const cases: [Record<string, string>, string[]][] = [
    [{ PESEBRE_COAP_PORT: '0' }, ['PESEBRE_COAP_PORT must be a port from 1 to 65535: "0"']],
    [{ PESEBRE_COAP_PORT: '65536' }, ['PESEBRE_COAP_PORT must be a port from 1 to 65535: "65536"']],
    [{ PESEBRE_IOT_PORT: '1e3' }, ['PESEBRE_IOT_PORT must be a port from 1 to 65535: "1e3"']],
    [{ PESEBRE_GATEWAYS: '3' }, ['PESEBRE_GATEWAYS must be one of 1, 2: "3"']],
    [
      { PESEBRE_GATEWAYS: '2', PESEBRE_COAP_PORT: '5684' },
      ['PESEBRE_COAP_PORT and PESEBRE_COAP_PORT_B must differ: both are "5684"'],
    ],
    [{ PESEBRE_IOT_PORT: '4566' }, ['PESEBRE_AWS_PORT and PESEBRE_IOT_PORT must differ: both are "4566"']],
    [
      { PESEBRE_MQTT_PORT: 'mqtt', PESEBRE_DEMO: 'yes', PESEBRE_LOG_LEVEL: 'loud' },
      [
        'PESEBRE_MQTT_PORT must be a port from 1 to 65535: "mqtt"',
        'PESEBRE_DEMO must be one of true, false: "yes"',
        'PESEBRE_LOG_LEVEL must be one of trace, debug, info, warn, error: "loud"',
      ],
    ],
  ]
  for (const [env, problems] of cases) {
    try {
      readSettings(env)
      t.fail('refused', { env })
    } catch (error) {
      t.type(error, StackError)
      t.strictSame((error as StackError).problems, problems)
    }
  }
})

t.test('readSettings() does not ask for ports of a second gateway where there is one', async (t) => {
  t.equal(readSettings({ PESEBRE_COAP_PORT: '5684' }).ports.coap, 5684)
  t.match(readSettings({ PESEBRE_GATEWAYS: '2', PESEBRE_COAP_PORT_B: '5690' }), {
    gateways: 2,
    ports: { coap: 5683, coapB: 5690 },
  })
})

t.test('readSettings() lets a UDP port have the number of a TCP port', async (t) => {
  t.equal(readSettings({ PESEBRE_COAP_PORT: '4566' }).ports.coap, 4566)
})
