import t from 'tap'
import type { Mailbox } from '../../../gateway/src/app/mailbox.ts'
import { type SecurePorts, uplink } from '../../../gateway/src/app/uplink.ts'
import { hex, request } from './fixtures.ts'

t.test('uplink() keeps what each device said, also when both wait for their mailboxes', async (t) => {
  const kept: string[] = []
  const waiting: ((mailbox: Mailbox | undefined) => void)[] = []
  const ports: SecurePorts = {
    keep: async (json) => {
      kept.push(`${Buffer.from(json)}`)
    },
    allow: () => true,
    retryAfter: () => 1,
    clock: () => 1_700_000_000_000,
    lookUp: () => new Promise((resolve) => waiting.push(resolve)),
    noteOutcome: () => {},
    onSent: () => {},
    gateways: undefined,
  }
  const say = (principal: string, payload: string) =>
    uplink({ ...request({ path: ['u'], payload: hex(payload) }), principal, sequence: 7 }, ports)
  // hopper_pct 63, and the same of another with battery_mv.
  const answers = [
    say('feeder-00000001', 'a1 00 a1 00 183f'),
    say('feeder-00000002', 'a1 00 a2 00 05 01 190f48'),
  ]
  for (const resolve of waiting) resolve(undefined)
  await Promise.all(answers)
  t.strictSame(
    kept.map((json) => JSON.parse(json)).map(({ thing, state }) => ({ thing, state })),
    [
      { thing: 'feeder-00000001', state: { hopper_pct: 63 } },
      { thing: 'feeder-00000002', state: { hopper_pct: 5, battery_mv: 3912 } },
    ],
  )
})
