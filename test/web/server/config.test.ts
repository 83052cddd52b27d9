import t from 'tap'
import { ConfigError, readConfig } from '../../../web/server/src/config.ts'

const LEAST = { PESEBRE_WEB_DIR: '/var/lib/pesebre' }

t.test('readConfig() needs little', async (t) => {
  t.match(readConfig(LEAST), {
    host: '127.0.0.1',
    port: 8080,
    adminPort: 9680,
    origin: 'http://localhost:8080',
    database: '/var/lib/pesebre/pesebre.sqlite',
    trustProxy: [],
    oidc: undefined,
    mqtt: undefined,
    bucket: undefined,
    gatewayAdmins: [],
    logLevel: 'info',
  })
})

t.test('readConfig() takes what is given, and an empty value for missing', async (t) => {
  const config = readConfig({
    ...LEAST,
    PESEBRE_WEB_URL: 'https://stable.example/',
    PESEBRE_WEB_PORT: '',
    PESEBRE_WEB_TRUST_PROXY: '10.0.0.0/8, ::1',
    PESEBRE_DATABASE_URL: 'mysql://pesebre:secret@db:3306/pesebre',
    PESEBRE_OIDC_ISSUER: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
    PESEBRE_OIDC_CLIENT_ID: 'abc',
    PESEBRE_OIDC_CREATES_USERS: 'true',
    PESEBRE_MQTT_HOST: 'x-ats.iot.eu-west-1.amazonaws.com',
    PESEBRE_MQTT_CERT: '/c',
    PESEBRE_MQTT_KEY: '/k',
    PESEBRE_WEB_THING: 'pesebre-web-stable',
    PESEBRE_GATEWAY_ADMIN: 'http://10.0.0.7:9683,http://10.0.0.8:9683',
    PESEBRE_GATEWAY_LIST: '3:a=198.51.100.7:5683,b=198.51.100.8:5683',
    PESEBRE_BUCKET: 'my-pesebre',
    PESEBRE_SETUP_TOKEN: 'abcdefghijklmnopqrstuvwx',
  })
  t.match(config, {
    origin: 'https://stable.example',
    port: 8080,
    trustProxy: ['10.0.0.0/8', '::1'],
    database: 'mysql://pesebre:secret@db:3306/pesebre',
    oidc: {
      clientId: 'abc',
      clientSecret: undefined,
      createsUsers: true,
      name: 'cognito-idp.eu-west-1.amazonaws.com',
    },
    mqtt: { port: 8883, certificate: '/c', thing: 'pesebre-web-stable' },
    gatewayAdmins: ['http://10.0.0.7:9683', 'http://10.0.0.8:9683'],
    gateways: { version: 3, list: ['a=198.51.100.7:5683', 'b=198.51.100.8:5683'] },
    bucket: 'my-pesebre',
  })
})

t.test('readConfig() names every problem at once, and shows no secret', async (t) => {
  const env = {
    PESEBRE_WEB_PORT: '99999',
    PESEBRE_WEB_URL: 'https://stable.example/app',
    PESEBRE_WEB_TRUST_PROXY: 'everybody',
    PESEBRE_DATABASE_URL: 'mysql://pesebre:hunter2@',
    PESEBRE_OIDC_ISSUER: 'http://issuer.example',
    PESEBRE_MQTT_HOST: 'iot',
    PESEBRE_WEB_THING: 'a thing',
    PESEBRE_GATEWAY_LIST: 'a=1',
    PESEBRE_GATEWAY_ADMIN: '10.0.0.7',
    PESEBRE_SETUP_TOKEN: 'hunter2',
    PESEBRE_SMTP_URL: 'https://user:hunter2@mail',
    PESEBRE_LOG_LEVEL: 'loud',
  }
  try {
    readConfig(env)
    t.fail('refused')
  } catch (error) {
    t.ok(error instanceof ConfigError)
    const { message, problems } = error as ConfigError
    for (const name of [
      ...Object.keys(env),
      'PESEBRE_OIDC_CLIENT_ID',
      'PESEBRE_MQTT_CERT',
      'PESEBRE_MQTT_KEY',
    ])
      if (name !== 'PESEBRE_MQTT_HOST')
        t.ok(
          problems.some((line) => line.startsWith(`${name}: `)),
          name,
        )
    t.notMatch(message, 'hunter2')
  }
  t.throws(() => readConfig({}), /PESEBRE_WEB_DIR: missing/)
})
