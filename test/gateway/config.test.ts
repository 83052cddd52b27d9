import t from 'tap'
import { type Config, ConfigError, readConfig } from '../../gateway/src/config.ts'

const REQUIRED = {
  PESEBRE_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/1/q',
  PESEBRE_JOURNAL_DIR: '/var/lib/pesebre',
}

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig({ ...REQUIRED, ...env })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const DEFAULTS: Config = {
  gatewayId: 'a',
  coapHost: '0.0.0.0',
  coapPort: 5683,
  adminHost: '127.0.0.1',
  adminPort: 9683,
  queueUrl: REQUIRED.PESEBRE_QUEUE_URL,
  journalDir: REQUIRED.PESEBRE_JOURNAL_DIR,
  journalMaxBytes: 1024 ** 3,
  journalSegmentBytes: 16 * 1024 ** 2,
  ackAfter: 'journal',
  lingerMs: 200,
  unsentMaxS: 120,
  allowOpen: false,
  fleetKeys: undefined,
  devicesMax: 250_000,
  contextsMax: 100_000,
  mqtt: undefined,
  commands: true,
  gateways: undefined,
  archive: undefined,
  workers: 1,
  deviceRate: 10,
  deviceBurst: 20,
  addressRate: 1000,
  addressBurst: 2000,
  refusalRate: 10,
  refusalBurst: 20,
  bodyMax: 4096,
  exchangesMax: 262_144,
  receiveBuffer: 4 * 1024 ** 2,
  stopTimeoutMs: 3000,
  logLevel: 'info',
}

/** Of each setting what is taken (its limits among it) and what is not (one past them). */
const SETTINGS: { name: string; key: keyof Config; good: Record<string, unknown>; bad: string[] }[] = [
  {
    name: 'PESEBRE_GATEWAY_ID',
    key: 'gatewayId',
    good: { 'gw-2': 'gw-2', ['a'.repeat(16)]: 'a'.repeat(16) },
    bad: ['A', 'a_b', 'a'.repeat(17), 'ä'],
  },
  {
    name: 'PESEBRE_COAP_HOST',
    key: 'coapHost',
    good: { '127.0.0.1': '127.0.0.1', '::': '::', 'fe80::A': 'fe80::A' },
    bad: ['localhost', '10.0.0.1/8', '*'],
  },
  {
    name: 'PESEBRE_COAP_PORT',
    key: 'coapPort',
    good: { 0: 0, 65535: 65535 },
    bad: ['-1', '65536', '5683.5', 'coap'],
  },
  { name: 'PESEBRE_ADMIN_HOST', key: 'adminHost', good: { '0.0.0.0': '0.0.0.0' }, bad: ['admin'] },
  { name: 'PESEBRE_ADMIN_PORT', key: 'adminPort', good: { 0: 0, 65535: 65535 }, bad: ['-1', '65536', '0x'] },
  {
    name: 'PESEBRE_QUEUE_URL',
    key: 'queueUrl',
    good: { 'http://127.0.0.1:4566/0/q': 'http://127.0.0.1:4566/0/q' },
    bad: ['sqs', 'arn:aws:sqs:eu-west-1:1:q', 'https://sqs.eu-west-1.amazonaws.com/', 'ftp://a/b'],
  },
  { name: 'PESEBRE_JOURNAL_DIR', key: 'journalDir', good: { './j': './j' }, bad: [] },
  {
    name: 'PESEBRE_JOURNAL_MAX_BYTES',
    key: 'journalMaxBytes',
    good: { [2 ** 40]: 2 ** 40, 33554432: 33554432 },
    bad: ['1048575', String(2 ** 40 + 1), '1GB'],
  },
  {
    name: 'PESEBRE_JOURNAL_SEGMENT_BYTES',
    key: 'journalSegmentBytes',
    good: { 65536: 65536 },
    bad: ['65535', '1073741825'],
  },
  { name: 'PESEBRE_COMMANDS', key: 'commands', good: { true: true, false: false }, bad: ['no', '0'] },
  {
    name: 'PESEBRE_ACK_AFTER',
    key: 'ackAfter',
    good: { queue: 'queue', journal: 'journal' },
    bad: ['disk', 'Journal'],
  },
  { name: 'PESEBRE_LINGER_MS', key: 'lingerMs', good: { 1: 1, 1000: 1000 }, bad: ['0', '1001', '1.5'] },
  {
    name: 'PESEBRE_UNSENT_MAX_S',
    key: 'unsentMaxS',
    good: { 1: 1, 86400: 86400, '2.5': 2.5 },
    bad: ['0', '86401'],
  },
  {
    name: 'PESEBRE_ALLOW_OPEN',
    key: 'allowOpen',
    good: { true: true, false: false },
    bad: ['yes', '1', 'TRUE'],
  },
  {
    name: 'PESEBRE_FLEET_KEYS',
    key: 'fleetKeys',
    good: { '/etc/keys.json': '/etc/keys.json', 'ssm:/pesebre/fleet': 'ssm:/pesebre/fleet' },
    bad: [],
  },
  {
    name: 'PESEBRE_DEVICES_MAX',
    key: 'devicesMax',
    good: { 1: 1, 16777216: 16777216 },
    bad: ['0', '16777217'],
  },
  {
    name: 'PESEBRE_CONTEXTS_MAX',
    key: 'contextsMax',
    good: { 16: 16, 16777216: 16777216 },
    bad: ['15', '16777217'],
  },
  // Several settings: a test of its own, below.
  { name: 'PESEBRE_MQTT_HOST', key: 'mqtt', good: {}, bad: [] },
  { name: 'PESEBRE_ARCHIVE_BUCKET', key: 'archive', good: {}, bad: [] },
  {
    name: 'PESEBRE_GATEWAY_LIST',
    key: 'gateways',
    good: {
      '3:a=198.51.100.7:5683': { version: 3, list: ['a=198.51.100.7:5683'] },
      '0:a=a:1,b=b:2,c=c:3,d=d:4': { version: 0, list: ['a=a:1', 'b=b:2', 'c=c:3', 'd=d:4'] },
    },
    bad: [
      'a=198.51.100.7:5683',
      '3:',
      '3:a',
      '3:198.51.100.7:5683',
      '3:a=a:1,b=b:2,c=c:3,d=d:4,e=e:5',
      'x:a=a:1',
    ],
  },
  { name: 'PESEBRE_WORKERS', key: 'workers', good: { 1: 1, 64: 64 }, bad: ['0', '65', 'many', '1.5'] },
  {
    name: 'PESEBRE_DEVICE_RATE',
    key: 'deviceRate',
    good: { '0.001': 0.001, '1e9': 1e9 },
    bad: ['0', '1e10', 'NaN', '-1'],
  },
  {
    name: 'PESEBRE_DEVICE_BURST',
    key: 'deviceBurst',
    good: { 1: 1, 1000000000: 1e9 },
    bad: ['0', '1000000001', '1.5'],
  },
  {
    name: 'PESEBRE_ADDRESS_RATE',
    key: 'addressRate',
    good: { '0.001': 0.001, '1e9': 1e9 },
    bad: ['0', '1e10', 'Infinity'],
  },
  {
    name: 'PESEBRE_ADDRESS_BURST',
    key: 'addressBurst',
    good: { 1: 1, 1000000000: 1e9 },
    bad: ['0', '1000000001', '2.5'],
  },
  {
    name: 'PESEBRE_REFUSAL_RATE',
    key: 'refusalRate',
    good: { '0.001': 0.001, '1e9': 1e9 },
    bad: ['0', '1e10'],
  },
  {
    name: 'PESEBRE_REFUSAL_BURST',
    key: 'refusalBurst',
    good: { 1: 1, 1000000000: 1e9 },
    bad: ['0', '1.5'],
  },
  { name: 'PESEBRE_BODY_MAX', key: 'bodyMax', good: { 64: 64, 16384: 16384 }, bad: ['63', '16385'] },
  {
    name: 'PESEBRE_EXCHANGES_MAX',
    key: 'exchangesMax',
    good: { 1024: 1024, 16777216: 16777216 },
    bad: ['1023', '16777217'],
  },
  {
    name: 'PESEBRE_RECEIVE_BUFFER',
    key: 'receiveBuffer',
    good: { 4096: 4096, 1073741824: 1073741824 },
    bad: ['4095', '1073741825'],
  },
  {
    name: 'PESEBRE_STOP_TIMEOUT_MS',
    key: 'stopTimeoutMs',
    good: { 0: 0, 600000: 600000 },
    bad: ['-1', '600001'],
  },
  {
    name: 'PESEBRE_LOG_LEVEL',
    key: 'logLevel',
    good: { trace: 'trace', silent: 'silent' },
    bad: ['verbose', 'INFO'],
  },
]

t.test('readConfig() has a default for all but the queue and the journal', async (t) => {
  t.strictSame(readConfig(REQUIRED), DEFAULTS)
  t.strictSame(
    SETTINGS.map(({ key }) => key).sort(),
    Object.keys(DEFAULTS).sort(),
    'the table below has them all',
  )
})

t.test('readConfig() takes each setting up to its limits and refuses it one past them', async (t) => {
  for (const { name, key, good, bad } of SETTINGS) {
    for (const [given, value] of Object.entries(good))
      t.strictSame(
        readConfig({ ...REQUIRED, [name]: given }),
        { ...DEFAULTS, [key]: value },
        `${name}=${given}`,
      )
    for (const given of bad) {
      const [problem, ...others] = problems({ [name]: given })
      t.strictSame(others, [], `${name}=${given}`)
      t.ok(problem?.startsWith(`${name}: "${given}" given; allowed: `), problem ?? 'no problem')
    }
  }
})

t.test('readConfig() takes an empty setting for a missing one', async (t) => {
  for (const { name, key } of SETTINGS) {
    for (const empty of ['', '  ', '\t\n']) {
      if (name in REQUIRED)
        t.match(problems({ [name]: empty })[0], new RegExp(`^${name}: missing; allowed: `))
      else t.equal(readConfig({ ...REQUIRED, [name]: empty })[key], DEFAULTS[key], name)
    }
  }
  t.equal(
    readConfig({ ...REQUIRED, PESEBRE_WORKERS: ' 2 ' }).workers,
    2,
    'space around a value does not count',
  )
})

t.test('readConfig() reads where AWS IoT is, and wants certificate and key with it', async (t) => {
  const files = { PESEBRE_MQTT_CERT: 'c.pem', PESEBRE_MQTT_KEY: 'k.pem', PESEBRE_MQTT_CA: 'ca.pem' }
  const { mqtt } = readConfig({
    ...REQUIRED,
    ...files,
    PESEBRE_MQTT_HOST: 'x-ats.iot.eu-west-1.amazonaws.com',
  })
  t.strictSame(mqtt, {
    host: 'x-ats.iot.eu-west-1.amazonaws.com',
    port: 8883,
    certificate: 'c.pem',
    key: 'k.pem',
    authority: 'ca.pem',
  })
  t.equal(readConfig({ ...REQUIRED, ...files }).mqtt, undefined, 'files alone are not enough')
  t.strictSame(problems({ PESEBRE_MQTT_HOST: 'a', PESEBRE_MQTT_PORT: '0' }), [
    'PESEBRE_MQTT_PORT: "0" given; allowed: a number from 1 to 65535',
    'PESEBRE_MQTT_CERT: missing; allowed: the path of a certificate, since PESEBRE_MQTT_HOST is set',
    'PESEBRE_MQTT_KEY: missing; allowed: the path of its key, since PESEBRE_MQTT_HOST is set',
  ])
})

t.test('readConfig() reads the archive, which is off without a bucket', async (t) => {
  const MIB = 1024 ** 2
  t.equal(readConfig({ ...REQUIRED, PESEBRE_ARCHIVE_ROTATE_S: '5' }).archive, undefined)
  t.strictSame(readConfig({ ...REQUIRED, PESEBRE_ARCHIVE_BUCKET: 'my.bucket-1' }).archive, {
    bucket: 'my.bucket-1',
    rotateS: 60,
    objectBytes: 5 * MIB,
    maxBytes: 1024 * MIB,
  })
  const others = {
    PESEBRE_ARCHIVE_ROTATE_S: '0',
    PESEBRE_ARCHIVE_OBJECT_BYTES: '65535',
    PESEBRE_ARCHIVE_MAX_BYTES: '1048575',
  }
  t.strictSame(problems({ PESEBRE_ARCHIVE_BUCKET: 'No_Bucket', ...others }), [
    'PESEBRE_ARCHIVE_BUCKET: "No_Bucket" given; allowed: the name of an S3 bucket: 3 to 63 of a-z 0-9 . -',
    'PESEBRE_ARCHIVE_ROTATE_S: "0" given; allowed: a number from 1 to 3600',
    'PESEBRE_ARCHIVE_OBJECT_BYTES: "65535" given; allowed: a number from 65536 to 67108864',
    'PESEBRE_ARCHIVE_MAX_BYTES: "1048575" given; allowed: a number from 1048576 to 1099511627776',
  ])
})

t.test('readConfig() reports every problem at once, one line each', async (t) => {
  const env = {
    PESEBRE_WORKERS: '0',
    PESEBRE_ACK_AFTER: 'never',
    PESEBRE_QUEUE_URL: '',
    PESEBRE_COAP_PORT: '70000',
  }
  t.strictSame(problems(env), [
    'PESEBRE_COAP_PORT: "70000" given; allowed: a number from 0 to 65535',
    'PESEBRE_QUEUE_URL: missing; allowed: the URL of an SQS queue',
    'PESEBRE_ACK_AFTER: "never" given; allowed: journal, queue',
    'PESEBRE_WORKERS: "0" given; allowed: a number from 1 to 64',
  ])
  t.throws(
    () => readConfig({}),
    new ConfigError([
      'PESEBRE_QUEUE_URL: missing; allowed: the URL of an SQS queue',
      'PESEBRE_JOURNAL_DIR: missing; allowed: a directory on a disk that lasts',
    ]),
  )
})

t.test('readConfig() refuses a journal that could not even hold two segments', async (t) => {
  const limit = { PESEBRE_JOURNAL_MAX_BYTES: '2000000', PESEBRE_JOURNAL_SEGMENT_BYTES: '1000000' }
  t.strictSame(problems(limit), [])
  t.strictSame(problems({ ...limit, PESEBRE_JOURNAL_SEGMENT_BYTES: '1000001' }), [
    'PESEBRE_JOURNAL_MAX_BYTES: 2000000 given; allowed: at least twice PESEBRE_JOURNAL_SEGMENT_BYTES (1000001)',
  ])
})

t.test('readConfig() ignores what is not its own', async (t) => {
  t.strictSame(
    readConfig({ ...REQUIRED, PESEBRE_WEB_PORT: 'x', AWS_REGION: 'y', pesebre_workers: '9' }),
    DEFAULTS,
  )
})
