import t from 'tap'
import { COMMANDS } from '../../cli/src/cli.ts'
import { run } from './fixtures/run.ts'

t.test('runCli() lists every command, and each has a help of its own', async (t) => {
  const { code, out } = await run(['--help'])
  t.equal(code, 0)
  for (const { name } of COMMANDS) {
    t.match(out, `\n  ${name} `)
    const help = await run([...name.split(' '), '--help'])
    t.equal(help.code, 0)
    t.match(help.out, `Usage  npx pesebre ${name}`)
    t.match(help.out, 'Exit codes: 0 it worked, 1 it failed')
    t.notMatch(help.out, /.{121}/, 'no line is too long for a terminal')
  }
  t.match((await run(['dlq', '--help'])).out, 'dlq redrive')
  t.equal((await run([])).code, 2)
  t.equal((await run(['dlq'])).code, 2)
})

t.test('runCli() says in one line what is wrong with the usage, exit code 2', async (t) => {
  const cases: [string[], string][] = [
    [['nonsense'], 'No such command: "nonsense"; there are start, demo, register, feed,'],
    [['dlq', 'drain'], 'No such command: "dlq drain"; there are dlq list, dlq show, dlq redrive'],
    [['get'], 'Missing: <url>; see npx pesebre get --help'],
    [['get', '/', '--what'], "Unknown option '--what'; see npx pesebre get --help"],
    [['get', 'http://x/'], 'Not a CoAP URL, as coap://host/path is, nor a path, as /path is: "http://x/"'],
    [['post', '/x'], 'Missing: a body, by -d, by -f or on stdin'],
    [['post', '/x', '-d', '{', '-t', 'json'], 'The body is not valid JSON'],
    [['post', '/x', '-d', '{}', '-f', 'x'], 'Only one of -d and -f can be given'],
    [['post', '/x', '-d', '{}', '-t', 'xml'], '-t must be one of json, cbor, senml, text: "xml"'],
    [['probe', '--url', 'coap://h/path'], 'The URL of a gateway has no path: "coap://h/path"'],
    [['shadow', 'no such'], 'No thing has such a name'],
    [['dlq', 'redrive'], 'Missing: <id> or --all'],
    [['dlq', 'redrive', 'abcd', '--all'], 'Only one of --all and <id> can be given'],
    [['register', 'camera'], 'The kind must be one of feeder, waterer, sensor, test: "camera"'],
    [['register', 'feeder', '--number', 'xyz'], '--number must be up to 8 hex digits'],
    [['register', 'feeder', '--gateways', 'a:1'], '--gateways must be id=host:port,...: "a:1"'],
    [
      ['feed', 'bella', '--grams', '1'],
      'Not the name of a registered device, as feeder-1a2b3c4d is: "bella"',
    ],
    [['feed', 'sensor-1a2b3c4d', '--grams', '1'], 'Not a feeder: "sensor-1a2b3c4d"'],
    [['feed', 'feeder-1a2b3c4d'], 'Missing: --grams'],
    [['feed', 'feeder-1a2b3c4d', '--grams', '1kg'], '--grams must be a whole number from 1 to 65535: "1kg"'],
    [['cancel', 'feeder-1a2b3c4d'], 'Missing: <number>'],
    [['config', 'set', 'feeder-1a2b3c4d'], 'Missing: <key>=<value>'],
    [['config', 'set', 'feeder-1a2b3c4d', 'x=1'], 'No such setting; there are interval_s, zone'],
    [['dlq', 'list', '--aws', '--local'], 'Only one of --local and --aws can be given'],
  ]
  for (const [line, message] of cases) {
    const { code, out, err } = await run(line)
    t.strictSame([code, out, err.split('\n').length], [2, '', 1], line.join(' '))
    t.match(err, message)
  }
})

t.test('runCli() says in one line what failed and what to do, exit code 1', async (t) => {
  const env = {
    PESEBRE_COAP_PORT: '1',
    PESEBRE_AWS_PORT: '1',
    PESEBRE_IOT_PORT: '1',
    PESEBRE_HOME: '/no/home',
  }
  const nobody = 'in the local stack (http://127.0.0.1:1): nothing listens there: start it with npm start'
  const refused = 'Nothing listens on UDP 127.0.0.1:1: start it with npm start'
  const cases: [string[], string][] = [
    [['get', '/health'], refused],
    [['observe', '/health'], refused],
    [['commands', 'feeder-1a2b3c4d'], `Cannot read the control shadow of feeder-1a2b3c4d ${nobody}`],
    [['shadow', 'bella'], `Cannot read the shadow of bella ${nobody}`],
    [['dlq', 'list'], `Cannot find the queue pesebre-reports ${nobody}`],
    [
      ['register', 'feeder'],
      'Cannot read the fleet keys: start the local stack once with npm start, or set PESEBRE_FLEET_KEYS: /no/home/fleet-keys.json',
    ],
    [
      ['register', 'feeder', '--aws'],
      'No fleet keys: set PESEBRE_FLEET_KEYS to their file or ssm:<parameter>',
    ],
    [['post', '/x', '-f', '/no/such/file'], 'Cannot read the body: ENOENT'],
  ]
  for (const [line, message] of cases) {
    const { code, out, err } = await run(line, { env })
    t.strictSame([code, out, err.split('\n').length], [1, '', 1], line.join(' '))
    t.match(err, message)
  }
  const json = await run(['get', '/health', '--json'], { env })
  t.strictSame([json.code, JSON.parse(json.out)], [1, { error: refused }])
  const probe = await run(['probe'], { env })
  t.strictSame([probe.code, probe.out.split('\n').at(-1)], [1, 'Broken: gateway'])
})
