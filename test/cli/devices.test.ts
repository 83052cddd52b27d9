import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DescribeThingCommand } from '@aws-sdk/client-iot'
import { GetThingShadowCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import { type Control, readControl } from '@pesebre/contract/control'
import t from 'tap'
import { until } from '../fakes/until.ts'
import { startLocalIot, temporaryDir } from '../local/iot/support.ts'
import { run } from './fixtures/run.ts'

t.setTimeout(120_000)

const FLEET_KEYS = `{"1":"${'00'.repeat(32)}","2":"${'ab'.repeat(32)}"}`
const THING = 'feeder-1a2b3c4d'

/** The local AWS IoT, a home with fleet keys, the command line for them, and the bridge's part played by hand. */
async function setUp(t: { teardown(handler: () => Promise<void>): void }) {
  const home = await temporaryDir(t)
  const iot = await startLocalIot(t)
  await writeFile(join(home, 'fleet-keys.json'), FLEET_KEYS, { mode: 0o600 })
  const env = { PESEBRE_IOT_PORT: `${iot.restPort}`, PESEBRE_HOME: home, USER: 'ana' }
  const shadow = { thingName: THING, shadowName: 'control' }
  return {
    iot,
    home,
    run: (...line: string[]) => run(line, { env }),
    control: async (): Promise<Control> => {
      const { payload } = await iot.data.send(new GetThingShadowCommand(shadow))
      return readControl(JSON.parse(Buffer.from(payload ?? []).toString()).state)
    },
    report: async (reported: Control['reported']) => {
      const payload = Buffer.from(JSON.stringify({ state: { reported } }))
      await iot.data.send(new UpdateThingShadowCommand({ ...shadow, payload }))
    },
  }
}

/** What the bridge would write, one after the other, each once the command line had time to see the last. */
async function play(report: (reported: Control['reported']) => Promise<void>, states: Control['reported'][]) {
  for (const state of states) {
    await report(state)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const said = (
  n: number,
  state: 'accepted' | 'dispensing' | 'done' | 'jammed',
  grams?: number,
): Control['reported'] => ({
  sent: n,
  outcomes: { last: n, items: [{ n, state, at: Date.now(), ...(grams && { grams }) }] },
})

t.test('register: thing, control shadow, key and files; a second time is refused', async (t) => {
  const { iot, home, run, control } = await setUp(t)
  const files = ['id.json', 'id.h', 'id.svg'].map((name) => join(home, name)) as [string, string, string]
  const line = ['register', 'feeder', '--number', '1a2b3c4d', '--name', "Bella's feeder"]
  const made = await run(...line, '--out', files[0], '--header', files[1], '--qr', files[2])
  t.equal(made.code, 0, made.err)
  t.match(made.out, /feeder-1a2b3c4d {2}registered in the local stack/)
  const identity = JSON.parse(readFileSync(files[0], 'utf8'))
  // The newest fleet key, version 2. Derived once with OpenSSL: HMAC-SHA256(key, "pesebre/oscore/1" || kid || 01).
  t.strictSame(identity, {
    name: "Bella's feeder",
    thing: THING,
    number: 0x1a2b3c4d,
    kid: '121a2b3c4d',
    secret: '82002c0720d916571af13321bb2ebdb4',
    gateway_kid: '67',
    gateways: [{ id: 'a', host: '127.0.0.1', port: 5683 }],
  })
  t.match(made.out, identity.secret)
  t.match(readFileSync(files[1], 'utf8'), '#define PESEBRE_KID { 0x12, 0x1a, 0x2b, 0x3c, 0x4d }')
  t.match(readFileSync(files[2], 'utf8'), '<svg')
  for (const file of files) t.equal(statSync(file).mode & 0o077, 0)
  t.equal((await iot.control.send(new DescribeThingCommand({ thingName: THING }))).thingTypeName, 'feeder')
  t.match((await control()).desired, { enabled: true, name: "Bella's feeder", queue: [] })

  const again = await run(...line)
  t.match(again, { code: 1, err: /^Registered already in the local stack .*: feeder-1a2b3c4d$/ })
  const taken = await run('register', 'feeder', '--out', files[0])
  t.match(taken, { code: 1, err: /^Cannot write the identity: the file is there already/ })
  const other = join(home, 'other.json')
  t.equal((await run(...line, '--out', other)).code, 1)
  t.notOk(existsSync(other), 'no file is left of what was not registered')
  const json = await run('register', 'sensor', '--json', '--gateways', 'a=h1:1,b=[2001:db8::1]:2')
  t.match(JSON.parse(json.out), {
    thing: /^sensor-[0-9a-f]{8}$/,
    secret: /^[0-9a-f]{32}$/,
    gateways: [
      { id: 'a', host: 'h1', port: 1 },
      { id: 'b', host: '[2001:db8::1]', port: 2 },
    ],
  })
})

t.test('feed: follows a command to its end; the exit code is 0 only for done', async (t) => {
  const { run, report, control } = await setUp(t)
  await run('register', 'feeder', '--number', '1a2b3c4d')
  const next = (await control()).desired.next!
  const [fed] = await Promise.all([
    run('feed', THING, '--grams', '500', '--json'),
    (async () => {
      const queue = async () => (await control()).desired.queue
      await until(
        'a command in the queue',
        async () => (await queue()).length > 0,
        () => 'none',
      )
      await play(report, [
        { sent: next },
        said(next, 'accepted'),
        said(next, 'dispensing'),
        said(next, 'done', 480),
      ])
    })(),
  ])
  const lines = fed.out.split('\n').map((line) => JSON.parse(line))
  t.equal(fed.code, 0, fed.err)
  t.strictSame(
    lines.map(({ state }) => state),
    ['queued', 'sent', 'accepted', 'dispensing', 'done'],
  )
  t.match(lines.at(-1), { thing: THING, n: next, dispensed: 480, given: { grams: 500, by: 'cli:ana' } })
  t.match((await run('commands', THING)).out, /500 g {2}done {8}480 g/)
  await report({
    meals: {
      last: 29_909_970,
      items: { 29909970: { state: 'done', grams: 900, at: Date.now() - 7_200_000 } },
    },
  })
  t.match((await run('commands', THING)).out, /19:30 {9}done {8}900 g {2}schedule, 2026-11-13/)

  const soon = await run('feed', THING, '--grams', '500')
  t.match(soon, {
    code: 1,
    err: /^Not given to feeder-1a2b3c4d: Too soon after the last portion: try again in \d+ s$/,
  })
  const jammed = said(next, 'jammed')
  jammed.outcomes!.items[0]!.at -= 100_000
  await report({ sent: next, outcomes: { last: next, items: [] } })
  await report(jammed)
  const open = await run('feed', THING, '--grams', '400', '--wait', '0.1')
  t.match(open, { code: 1, err: /^Still queued; it goes on/ })
  t.match(
    (await run('feed', THING, '--grams', '1')).err,
    `Command ${next + 1} is still open: wait, or npx pesebre cancel`,
  )
  t.match((await run('feed', THING, '--grams', '2001')).err, 'A portion is 1 to 2000 g')
  const replaced = await run('feed', THING, '--grams', '300', '--replace', '--wait', '0.1')
  t.match(replaced.out, `300 g, command ${next + 2}`)
})

t.test('cancel, disable, enable: what waits is taken back; a disabled device is given nothing', async (t) => {
  const { run, report, control } = await setUp(t)
  await run('register', 'feeder', '--number', '1a2b3c4d')
  await run('feed', THING, '--grams', '500', '--wait', '0.1')
  const { n } = (await control()).desired.queue[0]!
  t.match(await run('cancel', THING, `${n}`), { code: 0, out: `Command ${n} is taken back` })
  t.match((await run('commands', THING)).out, /cancelled/)
  t.match(await run('cancel', THING, `${n}`), {
    code: 1,
    err: 'Not taken back: It has ended already: cancelled',
  })
  await run('feed', THING, '--grams', '500', '--wait', '0.1')
  await report({ sent: n + 1 })
  t.match(await run('cancel', THING, `${n + 1}`), { code: 1, out: /may still run/ })
  t.same((await control()).desired.queue, [])

  t.match(await run('disable', THING), { code: 0, out: /is disabled/ })
  t.match((await run('feed', THING, '--grams', '5')).err, `It is disabled: npx pesebre enable ${THING}`)
  t.match(await run('enable', THING, '--json'), {
    code: 0,
    out: JSON.stringify({ thing: THING, enabled: true }),
  })
  t.ok((await control()).desired.enabled)
})

t.test('config set: a new version of the configuration, pending until the device holds it', async (t) => {
  const { run, report, control } = await setUp(t)
  await run('register', 'feeder', '--number', '1a2b3c4d')
  await report({ config: { version: 4 } })
  const set = await run(
    'config',
    'set',
    THING,
    'zone=Europe/Madrid',
    'slot=19:00/1200/mon-fri',
    'slot=7:30/1500',
    'portion=1500',
  )
  t.equal(set.code, 0, set.err)
  t.same((await control()).desired.config, {
    version: 5,
    zone: 'Europe/Madrid',
    schedule: [
      [450, 1_500, 127],
      [1_140, 1_200, 31],
    ],
    limits: { portion: 1_500 },
  })
  t.match((await run('commands', THING)).out, 'configuration 5 pending: the device holds 4')
  t.equal((await run('config', 'set', THING, 'interval_s=300', 'portion=')).code, 0)
  t.match((await control()).desired.config, { version: 6, interval_s: 300, limits: undefined })
  await report({ config: { version: 6 } })
  t.notMatch((await run('commands', THING)).out, 'pending')
})

t.test('a device that was never registered: each command says so in one line', async (t) => {
  const { run } = await setUp(t)
  for (const line of [
    ['feed', THING, '--grams', '5'],
    ['commands', THING],
    ['cancel', THING, '1'],
    ['disable', THING],
    ['config', 'set', THING, 'interval_s=5'],
  ]) {
    t.match(await run(...line), {
      code: 1,
      out: '',
      err: /^Not registered in the local stack .*: feeder-1a2b3c4d$/,
    })
  }
})
