import { createHmac, randomBytes } from 'node:crypto'
import t from 'tap'
import { type SetupPorts, type SetupRequest, setUp } from '../../ops-lambda/src/setup/setup.ts'

const REQUEST: SetupRequest = {
  clients: { 'pesebre-gateway-s-a': 'pesebre-gateway', 'pesebre-web': 'pesebre-web' },
  probes: { 's-a': 1 },
  admin: true,
  replicas: ['eu-central-1'],
}

/** An account: its parameters by region and name, its certificates, and who was let in. */
function account() {
  const parameters = new Map<string, string>()
  const attached: string[] = []
  const admitted: string[] = []
  let certificates = 0
  const key = (name: string, region = 'home') => `${region}:${name}`
  const ports: SetupPorts = {
    read: async (name, region) => parameters.get(key(name, region)),
    make: async (name, value, region) => {
      if (parameters.has(key(name, region))) return false
      parameters.set(key(name, region), value)
      return true
    },
    createCertificate: async () => ({
      arn: `cert/${++certificates}`,
      certificate: `-----BEGIN CERTIFICATE-----\n${certificates}\n-----END CERTIFICATE-----\n`,
      key: `-----BEGIN RSA PRIVATE KEY-----\n${certificates}\n-----END RSA PRIVATE KEY-----\n`,
    }),
    attach: async (certificate, thing, policy) => void attached.push(`${certificate} ${thing} ${policy}`),
    admit: async (thing) => void admitted.push(thing),
    randomHex: (bytes) => randomBytes(bytes).toString('hex'),
    hmac: (secret, data) => createHmac('sha256', secret).update(data).digest(),
  }
  return { parameters, attached, admitted, ports, made: () => certificates }
}

t.test('setUp() makes every secret once, and copies those that a second region needs', async (t) => {
  const { parameters, attached, admitted, ports } = account()
  const { made, token } = await setUp('/s', REQUEST, ports)
  t.match(parameters.get('home:/s/fleet-keys'), /^\{"1":"[0-9a-f]{64}"\}$/)
  t.equal(parameters.get('eu-central-1:/s/fleet-keys'), parameters.get('home:/s/fleet-keys'))
  t.match(parameters.get('home:/s/mqtt/pesebre-web'), /BEGIN CERT[\s\S]*END CERT[\s\S]*PRIVATE KEY/)
  t.equal(parameters.get('eu-central-1:/s/mqtt/pesebre-web'), parameters.get('home:/s/mqtt/pesebre-web'))
  t.strictSame(attached, ['cert/1 pesebre-gateway-s-a pesebre-gateway', 'cert/2 pesebre-web pesebre-web'])
  t.strictSame(admitted, ['test-00000001'])
  t.match(JSON.parse(parameters.get('home:/s/probe/s-a')!), {
    thing: 'test-00000001',
    kid: 'f100000001',
    secret: /^[0-9a-f]{32}$/,
  })
  t.match(token, /^[0-9a-f]{48}$/)
  t.notOk(parameters.has('eu-central-1:/s/web/setup-token'), 'nobody needs it there')
  const secrets = [...parameters.values()].filter((value) => value !== token)
  for (const secret of secrets) t.notOk(JSON.stringify(made).includes(secret), 'no secret is told')
})

t.test('setUp() again changes nothing, and says the same token', async (t) => {
  const { parameters, ports, made } = account()
  const first = await setUp('/s', REQUEST, ports)
  const before = new Map(parameters)
  const second = await setUp('/s', REQUEST, ports)
  t.strictSame(parameters, before)
  t.strictSame(second, { made: [], token: first.token })
  t.equal(made(), 2, 'no certificate is made in vain')
})

t.test('setUp() adds what a new gateway needs, and keeps the rest', async (t) => {
  const { parameters, ports } = account()
  await setUp('/s', REQUEST, ports)
  const before = new Map(parameters)
  const grown = {
    ...REQUEST,
    clients: { ...REQUEST.clients, 'pesebre-gateway-s-b': 'pesebre-gateway' },
    probes: { 's-a': 1, 's-b': 2 },
  }
  const { made } = await setUp('/s', grown, ports)
  t.strictSame(
    made.filter((name) => !name.includes(':')),
    ['/s/mqtt/pesebre-gateway-s-b', '/s/probe/s-b'],
  )
  for (const [name, value] of before) t.equal(parameters.get(name), value, name)
})

t.test('setUp() that was cut short after a certificate was made leaves no half of one', async (t) => {
  const { parameters, ports } = account()
  let calls = 0
  const failing: SetupPorts = {
    ...ports,
    attach: async (...args) => {
      if (++calls === 1) throw new Error('throttled')
      await ports.attach(...args)
    },
  }
  await t.rejects(setUp('/s', REQUEST, failing), { message: 'throttled' })
  t.notOk(parameters.has('home:/s/mqtt/pesebre-gateway-s-a'))
  await setUp('/s', REQUEST, failing)
  const pem = parameters.get('home:/s/mqtt/pesebre-gateway-s-a')!
  t.equal(
    /CERTIFICATE-----\n(\d)/.exec(pem)![1],
    /KEY-----\n(\d)/.exec(pem)![1],
    'certificate and key of one pair',
  )
})
