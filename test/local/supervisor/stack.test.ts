import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { freePorts } from '../../../local/src/supervisor/ports.ts'
import type { ProcessSpec } from '../../../local/src/supervisor/processes.ts'
import { type StackOptions, startStack } from '../../../local/src/supervisor/stack.ts'
import { StackError } from '../../../local/src/supervisor/stack-error.ts'
import type { ProcessEvent } from '../../../local/src/supervisor/supervised.ts'
import { until, within } from '../../fakes/until.ts'
import { placeholder } from './fixtures/placeholder.ts'

// Nothing here takes long, but a busy machine takes its time to start processes.
const timeout = 120_000
t.setTimeout(timeout)

const TWO = [placeholder('iot', 'iot'), placeholder('gateway', 'admin', { needs: ['iot'] })]

async function refusal(options: StackOptions): Promise<string> {
  try {
    const stack = await startStack(options)
    await stack.stop()
    return 'it started'
  } catch (error) {
    return error instanceof StackError ? error.message : `not a StackError: ${error}`
  }
}

t.test(
  'startStack() starts each process after what it needs, and stops them the other way round',
  async (t) => {
    const home = t.testdir()
    const diary = join(home, 'diary')
    const stack = await startStack({ home, ports: 'free', processes: TWO, env: { DIARY: diary } })
    t.equal(readFileSync(diary, 'utf8'), 'iot starts\ngateway starts\n')
    await stack.stop()
    t.equal(readFileSync(diary, 'utf8'), 'iot starts\ngateway starts\ngateway stops\niot stops\n')
    t.match(readFileSync(join(home, 'logs/gateway.log'), 'utf8'), '"msg":"At work"', 'the log is whole')
  },
)

t.test(
  'startStack() refuses ports that are taken, all at once, and starts nothing',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const ports = await freePorts()
    const tcp = createServer().listen(ports.iot, '127.0.0.1')
    const udp = createSocket('udp4').bind(ports.coap, '127.0.0.1')
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
    const diary = join(home, 'diary')
    const message = await refusal({ home, ports, processes: TWO, env: { DIARY: diary } })
    t.strictSame(message.split('\n'), [
      `UDP port ${ports.coap} for the CoAP gateway is taken: stop the program that uses it, or set PESEBRE_COAP_PORT to a free port`,
      `TCP port ${ports.iot} for AWS IoT over HTTP is taken: stop the program that uses it, or set PESEBRE_IOT_PORT to a free port`,
    ])
    t.notOk(existsSync(diary))
    tcp.close()
    udp.close()
  },
)

t.test(
  'startStack() refuses a home that another stack has; two homes run side by side',
  { timeout },
  async (t) => {
    const home = t.testdir({ other: {} })
    const first = await startStack({ home, ports: 'free', processes: TWO })
    t.equal(
      await refusal({ home, ports: 'free', processes: TWO }),
      `Another stack runs in ${home} (process ${process.pid}): stop it, or set PESEBRE_HOME and the ports for a second one`,
    )
    const second = await startStack({ home: join(home, 'other'), ports: 'free', processes: TWO })
    t.not(first.pid('iot'), second.pid('iot'))
    await Promise.all([first.stop(), second.stop()])
    t.equal(await refusal({ home, ports: 'free', processes: TWO }), 'it started', 'the home was let go')
  },
)

t.test(
  'startStack() says which process does not come up, with its last words, and stops the others',
  async (t) => {
    const home = t.testdir()
    const diary = join(home, 'diary')
    const processes = [
      ...TWO.slice(0, 1),
      placeholder('gateway', 'admin', { needs: ['iot'], manner: 'dies-at-once' }),
    ]
    t.equal(
      await refusal({ home, ports: 'free', processes, env: { DIARY: diary } }),
      'gateway ended at its start (exit code 3)\n  Cannot go on: no hay',
    )
    t.match(readFileSync(diary, 'utf8'), 'iot stops')
  },
)

t.test('startStack() can be given up while it waits', { timeout }, async (t) => {
  const home = t.testdir()
  const never: ProcessSpec = { ...TWO[0]!, ready: ({ mqtt }) => `http://127.0.0.1:${mqtt}/` }
  const giveUp = new AbortController()
  setTimeout(() => giveUp.abort(), 300)
  t.equal(
    await refusal({ home, ports: 'free', processes: [never], signal: giveUp.signal }),
    'Stopped before everything was ready',
  )
})

t.test('a process that dies is named and started again', { timeout }, async (t) => {
  const events: ProcessEvent[] = []
  const back = Promise.withResolvers<void>()
  const stack = await startStack({
    home: t.testdir(),
    ports: 'free',
    processes: TWO,
    restartMs: 10,
    onEvent: (event) => {
      if (event.kind !== 'log') events.push(event)
      if (event.kind === 'ready' && event.again) back.resolve()
    },
  })
  const before = stack.pid('iot')
  get(`http://127.0.0.1:${stack.ports.iot}/die`).on('error', () => undefined)
  await back.promise
  t.not(stack.pid('iot'), before)
  t.match(events.slice(2), [
    { kind: 'died', name: 'iot', how: 'exit code 9', restartInMs: 10 },
    { kind: 'ready', name: 'iot', again: true },
  ])
  await stack.stop()
})

t.test('a process that is stopped in order is started again, however often', { timeout }, async (t) => {
  let ready = Promise.withResolvers<void>()
  const stack = await startStack({
    home: t.testdir(),
    ports: 'free',
    processes: TWO,
    restartMs: 10,
    onEvent: (event) => {
      if (event.kind === 'ready' && event.again) ready.resolve()
    },
  })
  for (let stops = 0; stops < 6; stops++) {
    ready = Promise.withResolvers<void>()
    process.kill(stack.pid('gateway')!, 'SIGTERM')
    await Promise.race([ready.promise, stack.failed.then((error) => t.fail(error.message))])
  }
  t.type(stack.pid('gateway'), 'number')
  await stack.stop()
})

t.test(
  'a process that keeps dying stops the stack with its name, its log and its last words',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const processes = [TWO[0]!, placeholder('gateway', 'admin', { manner: 'dies-soon' })]
    const stack = await startStack({ home, ports: 'free', processes, restartMs: 10 })
    const { message } = await stack.failed
    t.match(message, 'gateway died 5 times in a row, the last time with exit code 4: its log is')
    t.match(message, `${home}/logs/gateway.log`)
    t.equal(stack.pid('iot'), undefined)
  },
)

t.test('a process that does not stop is ended', { timeout }, async (t) => {
  const events: ProcessEvent[] = []
  const processes = [placeholder('iot', 'iot', { manner: 'deaf', stopMs: 300 })]
  const onEvent = (event: ProcessEvent) => events.push(event)
  const stack = await startStack({ home: t.testdir(), ports: 'free', processes, onEvent })
  await stack.stop()
  t.strictSame(events.at(-1), { kind: 'ended', name: 'iot', withinMs: 300 })
})

t.test(
  'a supervisor that is killed takes its processes with it, and leaves its home free',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const diary = join(home, 'diary')
    const supervisor = spawn(
      process.execPath,
      [join(import.meta.dirname, 'fixtures/stack-in-home.ts'), home],
      {
        env: { DIARY: diary },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await within(
      'the stack is ready',
      once(supervisor.stdout, 'data'),
      () => `exit code ${supervisor.exitCode}`,
    )
    supervisor.kill('SIGKILL')
    const said = () => readFileSync(diary, 'utf8')
    await until('the last process stops', () => said().includes('iot stops'), said)
    t.equal(await refusal({ home, ports: 'free', processes: TWO }), 'it started')
  },
)
