import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OPTION } from '@pesebre/coap/codec/options'
import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import { startCloud } from './cloud.ts'
import { createSecureDevice, fleetKeyFile, hear, type Sent } from './secure-device.ts'

t.setTimeout(120_000)

function directory(t: { teardown(run: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-disk-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

// S8.
t.test(
  'a disk that was put back to an older state is noticed: Echo once per device, nothing old is taken, no number comes again',
  async (t) => {
    const cloud = await startCloud(t)
    const env = { ...cloud.env('a'), PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' }
    const dir = directory(t)
    const journalDir = join(dir, 'journal')
    const devices = [1, 2].map((number) => createSecureDevice({ number }))
    for (const { thing } of devices) await cloud.desire(thing, { enabled: true })
    const recorded: Sent[] = []
    const ownNumbers: number[] = []

    /** Every device checks in and asks for what is not there, so that one answer of each has a number of the gateway's own. */
    async function run(echoes: boolean): Promise<readonly string[]> {
      const gateway = await startGateway({ env, journalDir })
      const peer = await createUdpPeer({ to: gateway.coapPort })
      const old = [...recorded]
      for (const { bytes } of old) await peer.send(bytes)
      const refused = await peer.provoke()
      t.ok(refused.every((answer) => hear(answer, old[0]!).code !== '2.04'))
      for (const device of devices) {
        const sent = device.checkIn()
        const heard = hear(await peer.ask(sent.bytes), sent)
        recorded.push(sent)
        t.equal(heard.code, echoes ? '4.01' : '2.04')
        if (echoes) {
          const challenge = device.checkIn({}, { options: [{ number: OPTION.ECHO, value: echoOf(heard) }] })
          recorded.push(challenge)
          t.equal(hear(await peer.ask(challenge.bytes), challenge).code, '2.04', 'with the Echo value')
          const next = device.checkIn()
          t.equal(hear(await peer.ask(next.bytes), next).code, '2.04', 'and then without')
        }
        const nowhere = device.request({ path: ['nothing'] })
        const answer = hear(await peer.ask(nowhere.bytes), nowhere)
        t.equal(answer.code, '4.04')
        const { value } = answer.message.options.find(({ number }) => number === OPTION.OSCORE)!
        ownNumbers.push(Number.parseInt(Buffer.from(value.subarray(1)).toString('hex'), 16))
      }
      await peer.close()
      t.equal(await gateway.stop(), 0)
      return gateway.logs()
    }

    function echoOf({ inner }: ReturnType<typeof hear>): Uint8Array {
      return inner.find(({ number }) => number === OPTION.ECHO)!.value
    }

    await run(false)
    cpSync(journalDir, join(dir, 'copy'), { recursive: true })
    await run(false)
    await run(false)
    rmSync(journalDir, { recursive: true })
    cpSync(join(dir, 'copy'), journalDir, { recursive: true })
    const logs = await run(true)
    t.ok(logs.some((line) => line.includes('replay windows are lost')))
    await run(false)
    t.equal(new Set(ownNumbers).size, ownNumbers.length, 'no number of our own comes twice')
  },
)

t.test(
  'a second gateway with the same id does not start; a restart on the same disk does, also after a crash',
  async (t) => {
    const cloud = await startCloud(t)
    const env = { ...cloud.env('a'), PESEBRE_FLEET_KEYS: fleetKeyFile(t), PESEBRE_STOP_TIMEOUT_MS: '100' }
    const [first, second] = [join(directory(t), 'journal'), join(directory(t), 'journal')]
    const running = await startGateway({ env, journalDir: first })
    const refused = await startGateway({ env, journalDir: second }).then(
      async (gateway) => {
        await gateway.stop()
        return 'it started'
      },
      (error: Error) => error.message,
    )
    t.match(refused, /Another gateway runs with the same id \(PESEBRE_GATEWAY_ID\), heard of \d+ s ago: a/)
    t.ok(running.alive())
    await running.kill()
    const again = await startGateway({ env, journalDir: first })
    t.equal(await again.stop(), 0)
    const other = await startGateway({ env, journalDir: second })
    t.ok(other.alive(), 'after an orderly stop the id is free at once')
    await other.stop()
  },
)
