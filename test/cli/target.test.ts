import t from 'tap'
import { Misuse } from '../../cli/src/command.ts'
import { targetOf } from '../../cli/src/target.ts'

type Env = Record<string, string>
const target = (env: Env, flag: Record<string, boolean> = {}) =>
  targetOf({ positionals: [], text: {}, flag }, env)

t.test('targetOf() looks in the local stack until somebody has set up AWS', async (t) => {
  const cases: [Env, Record<string, boolean>, boolean][] = [
    [{}, {}, true],
    [{ AWS_REGION: 'eu-west-1' }, {}, true],
    [{ AWS_PROFILE: '' }, {}, true],
    [{ AWS_PROFILE: 'stable' }, {}, false],
    [{ AWS_ACCESS_KEY_ID: 'x' }, {}, false],
    [{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/x' }, {}, false],
    [{ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1' }, {}, false],
    [{ AWS_PROFILE: 'stable' }, { local: true }, true],
    [{}, { aws: true }, false],
  ]
  for (const [env, flag, isLocal] of cases) {
    t.equal(target(env, flag).isLocal, isLocal, JSON.stringify({ env, flag }))
  }
  t.throws(() => target({}, { local: true, aws: true }), Misuse)
})

t.test('targetOf() takes the ports of the local stack from its settings', async (t) => {
  const local = target({ PESEBRE_AWS_PORT: '14566', PESEBRE_IOT_PORT: '' })
  t.match(local, {
    sqs: { endpoint: 'http://127.0.0.1:14566', region: 'us-east-1', credentials: { accessKeyId: 'local' } },
    iotData: {
      endpoint: 'http://127.0.0.1:4567',
      region: 'us-east-1',
      credentials: { accessKeyId: 'local' },
    },
    sqsPlace: 'the local stack (http://127.0.0.1:14566)',
    iotPlace: 'the local stack (http://127.0.0.1:4567)',
  })
  t.throws(() => target({ PESEBRE_AWS_PORT: 'x' }), Misuse)
})

t.test(
  'targetOf() leaves AWS to its SDK, and gives an emulator on this machine credentials of nobody',
  async (t) => {
    const real = target({ AWS_PROFILE: 'stable', AWS_REGION: 'eu-west-1' })
    t.strictSame(real.iotData, {})
    t.strictSame(real.sqs, { useQueueUrlAsEndpoint: false })
    t.equal(real.iotPlace, 'AWS eu-west-1 (profile stable)')

    const emulator = target({ AWS_ENDPOINT_URL: 'http://localhost:5000' })
    t.match(emulator.sqs, { region: 'us-east-1', credentials: { accessKeyId: 'local' } })
    t.equal(emulator.sqsPlace, 'http://localhost:5000')

    const elsewhere = target({ AWS_ENDPOINT_URL_SQS: 'https://sqs.example', AWS_REGION: 'eu-west-1' })
    t.strictSame(elsewhere.sqs, { useQueueUrlAsEndpoint: false })
    t.equal(elsewhere.iotPlace, 'AWS eu-west-1')
  },
)
