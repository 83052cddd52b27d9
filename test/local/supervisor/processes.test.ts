import t from 'tap'
import { environment, PROCESSES } from '../../../local/src/supervisor/processes.ts'

const STACK = {
  ports: { coap: 1, admin: 2, aws: 3, iot: 4, mqtt: 5, coapB: 7, adminB: 8, web: 9, webAdmin: 10 },
  lambdaPort: 6,
  home: '/stable',
  gateways: 2,
  logLevel: 'info',
  setupToken: 'secret',
  queues: { queue: 'http://127.0.0.1:3/0/q', deadLetters: 'http://127.0.0.1:3/0/dlq' },
}

t.test('PROCESSES stop within five seconds, even if each has to be ended', async (t) => {
  const groups = new Map<string, number>()
  for (const { name, stopsWith = name, stopMs } of PROCESSES)
    groups.set(stopsWith, Math.max(stopMs, groups.get(stopsWith) ?? 0))
  t.ok([...groups.values()].reduce((sum, stopMs) => sum + stopMs, 0) < 5000)
})

t.test('PROCESSES need only what stands before them', async (t) => {
  const before = new Set<string>(['pages'])
  for (const { name, needs } of PROCESSES) {
    t.ok(
      needs.every((need) => before.has(need)),
      name,
    )
    before.add(name)
    if (name === 'aws') before.add('queues')
    if (name === 'iot') before.add('credentials')
    if (name === 'web') before.add('seed')
  }
})

t.test('environment() leads every AWS client to the stand-ins, whatever this shell has set up', async (t) => {
  const own = {
    PATH: '/bin',
    PESEBRE_WORKERS: '2',
    PESEBRE_JOURNAL_DIR: '/elsewhere',
    AWS_PROFILE: 'work',
    AWS_ACCESS_KEY_ID: 'real',
    AWS_SESSION_TOKEN: 'real',
    AWS_ENDPOINT_URL: 'https://elsewhere',
    MISSING: undefined,
  }
  for (const spec of PROCESSES) {
    const env = environment(spec, STACK, own)
    t.notOk(Object.values(env).includes('real'), spec.name)
    t.strictSame(
      Object.keys(env)
        .filter((name) => name.startsWith('AWS_'))
        .toSorted(),
      [
        'AWS_ACCESS_KEY_ID',
        'AWS_CONFIG_FILE',
        'AWS_EC2_METADATA_DISABLED',
        'AWS_ENDPOINT_URL_IOT',
        'AWS_ENDPOINT_URL_IOT_DATA_PLANE',
        'AWS_ENDPOINT_URL_S3',
        'AWS_ENDPOINT_URL_SQS',
        'AWS_REGION',
        'AWS_SECRET_ACCESS_KEY',
        'AWS_SHARED_CREDENTIALS_FILE',
      ],
    )
    t.match(env, { PATH: '/bin', PESEBRE_WORKERS: '2', AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:3' })
  }
  const gateway = PROCESSES.find(({ name }) => name === 'gateway')!
  t.match(environment(gateway, STACK, own), {
    PESEBRE_JOURNAL_DIR: '/stable/journal',
    PESEBRE_COAP_HOST: '127.0.0.1',
    PESEBRE_QUEUE_URL: STACK.queues.queue,
  })
})

t.test(
  'environment() gives each gateway an id, ports, a journal and a certificate of its own, and the same fleet keys',
  async (t) => {
    const [a, b] = PROCESSES.filter(({ main }) => main === 'gateway/src/main.ts').map((spec) =>
      environment(spec, STACK, {}),
    )
    t.match(a, { PESEBRE_GATEWAY_ID: 'a', PESEBRE_COAP_PORT: '1', PESEBRE_ADMIN_PORT: '2' })
    t.match(b, { PESEBRE_GATEWAY_ID: 'b', PESEBRE_COAP_PORT: '7', PESEBRE_ADMIN_PORT: '8' })
    for (const name of ['PESEBRE_JOURNAL_DIR', 'PESEBRE_MQTT_CERT', 'PESEBRE_MQTT_KEY'])
      t.not(a![name], b![name], name)
    for (const env of [a, b]) {
      t.match(env, {
        PESEBRE_FLEET_KEYS: '/stable/fleet-keys.json',
        PESEBRE_MQTT_HOST: '127.0.0.1',
        PESEBRE_MQTT_PORT: '5',
        PESEBRE_MQTT_CA: '/stable/iot/ca.pem',
      })
    }
  },
)

t.test(
  'environment() tells the demo of gateway b only where it runs, whatever this shell has set up',
  async (t) => {
    const demo = PROCESSES.find(({ name }) => name === 'demo')!
    const own = { PESEBRE_COAP_PORT_B: '5690' }
    t.match(environment(demo, STACK, own), { PESEBRE_COAP_PORT_B: '7' })
    t.equal(environment(demo, { ...STACK, gateways: 1 }, own)['PESEBRE_COAP_PORT_B'], '')
  },
)
