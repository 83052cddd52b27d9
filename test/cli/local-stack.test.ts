import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { PORTS, type PortName } from '@pesebre/contract/local-stack'
import t from 'tap'
import { type Stack, startStack } from '../../local/src/supervisor/stack.ts'
import { until } from '../fakes/until.ts'
import { type Run, run } from './fixtures/run.ts'

/** A local stack of real processes, and the command line for it. */
async function localStack(home: string, demo = false) {
  const stack = await startStack({ home, ports: 'free', demo, web: demo })
  const env = Object.fromEntries(
    Object.entries(PORTS).map(([name, { setting }]) => [setting, `${stack.ports[name as PortName]}`]),
  )
  return { stack, run: (...line: string[]) => run(line, { env: { ...env, PESEBRE_HOME: home } }) }
}

/** Runs it until it says what is expected: reports are on their way for a moment. */
async function said(run: () => Promise<Run>, isThere: (run: Run) => boolean): Promise<Run> {
  let last: Run | undefined
  const look = async () => {
    last = await run()
    return isThere(last) && last
  }
  return until('what the command line is to say', look, () => last)
}

function sendPoison({ ports }: Stack): Promise<unknown> {
  const endpoint = `http://127.0.0.1:${ports.aws}`
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  const sqs = new SQSClient({ endpoint, region: 'us-east-1', credentials, useQueueUrlAsEndpoint: false })
  const QueueUrl = `${endpoint}/000000000000/pesebre-reports`
  return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'nonsense' }))
}

// Nothing here takes long, but a busy machine takes its time to start eight processes.
const timeout = 120_000
t.setTimeout(timeout)

t.test(
  'a report goes from the command line to the shadow, and stays over a restart',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const first = await localStack(home)
    const posted = await first.run('post', '/feeder/bella', '-t', 'cbor', '-d', '{"hopper_pct":62}')
    t.strictSame([posted.code, posted.err.split('  ')[0]], [0, '2.04 Changed'])
    await said(
      () => first.run('shadow', 'bella'),
      ({ code }) => code === 0,
    )

    const probe = await first.run('probe', '--json')
    t.equal(probe.code, 0, probe.out)
    t.match(JSON.parse(probe.out), {
      ok: true,
      hops: ['gateway', 'journal', 'queue', 'bridge', 'shadow'].map((hop) => ({ hop, ok: true, ms: Number })),
    })
    const health = await first.run('get', '/health', '--json')
    t.match(JSON.parse(health.out), { code: '2.05', body: { ready: true } })
    const missing = await first.run('shadow', 'nobody')
    t.strictSame([missing.code, missing.err.split(':')[0]], [1, 'No shadow in the local stack (http'])

    await sendPoison(first.stack)
    const list = await said(
      () => first.run('dlq', 'list', '--json'),
      ({ out }) => out !== '[]',
    )
    const [{ id, reason }] = JSON.parse(list.out) as [{ id: string; reason: string }]
    t.match(reason, /JSON/)
    t.match((await first.run('dlq', 'show', id.slice(0, 8))).out, /reason .*JSON[\s\S]*\nnonsense$/)
    const redriven = await first.run('dlq', 'redrive', '--all', '--json')
    t.strictSame([redriven.code, JSON.parse(redriven.out)], [0, { redriven: [id] }])
    const again = await said(
      () => first.run('dlq', 'list', '--json'),
      ({ out }) => out !== '[]',
    )
    t.not(JSON.parse(again.out)[0].id, id, 'what is still wrong comes back as a new message')
    await first.stack.stop()

    const second = await localStack(home)
    const kept = await second.run('shadow', 'bella', '--json')
    t.match(JSON.parse(kept.out), { state: { reported: { hopper_pct: 62, link: { gateway: 'a' } } } })
    const letter = JSON.parse(again.out)[0].id
    t.match(
      (await second.run('dlq', 'redrive', letter.slice(0, 8))).out,
      '1 message put back, in the local stack',
    )
    await second.stack.stop()
  },
)

t.test(
  'a feeder of the demo is fed from the command line; a new one is registered; a disabled one is refused',
  { timeout },
  async (t) => {
    const home = t.testdir()
    const { stack, run } = await localStack(home, true)
    const { thing } = JSON.parse(readFileSync(join(home, 'demo', 'sol.json'), 'utf8'))
    const fed = await run('feed', thing, '--grams', '200', '--json')
    t.equal(fed.code, 0, fed.out + fed.err)
    t.match(JSON.parse(fed.out.split('\n').at(-1)!), { state: 'done', dispensed: 200 })
    t.match((await run('commands', thing)).out, /200 g {2}done {8}200 g/)
    await run('config', 'set', thing, 'interval_s=2', 'portion=300')
    await said(
      () => run('commands', thing, '--json'),
      ({ out }) => JSON.parse(out).held === JSON.parse(out).config.version,
    )

    const added = await run('register', 'feeder', '--json')
    t.match(JSON.parse(added.out), { thing: /^feeder-/, secret: /^[0-9a-f]{32}$/ })
    const asleep = await run('feed', JSON.parse(added.out).thing, '--grams', '100', '--wait', '0.1')
    t.match(asleep, { code: 1, err: /^Still queued/ })

    t.equal((await run('disable', thing)).code, 0)
    t.match((await run('feed', thing, '--grams', '100')).err, `It is disabled: npx pesebre enable ${thing}`)
    await stack.stop()
  },
)
