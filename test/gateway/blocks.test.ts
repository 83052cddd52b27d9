import { formatCode } from '@pesebre/coap/codec/codes'
import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { hex } from './app/fixtures.ts'
import { ask, attack, block1, keptIn } from './attack.ts'

/** Bodies in blocks (RFC 7959), good and spoilt, sent to the real gateway. */
const gateway = await startGateway({ env: { PESEBRE_STOP_TIMEOUT_MS: '100' } })
const crowd = attack(gateway)
const peer = await crowd.peer()
t.teardown(gateway.stop)
const kept = (thing: string) => keptIn(gateway, thing)

t.test('a body in blocks is one report, and whatever spoils it is refused', async (t) => {
  const [A, B, C] = ['{"a":"0123456789', 'abcdefghijklmnop', 'z"}'] as const
  type Step = [block: [number, Uint8Array], body: string, answer: string]
  const whole: Step[] = [
    [block1(0, true), A, '2.31'],
    [block1(1, true), B, '2.31'],
    [block1(2, false), C, '2.04'],
  ]
  const cases: Record<string, { steps: Step[]; kept: number }> = {
    'in order': { steps: whole, kept: 1 },
    'never finished': { steps: whole.slice(0, 2), kept: 0 },
    'begun anew': { steps: [whole[0]!, whole[1]!, ...whole], kept: 1 },
    'a block said twice': { steps: [whole[0]!, whole[1]!, whole[1]!, whole[2]!], kept: 1 },
    'the end without a beginning': { steps: [[block1(2, false), C, '4.08']], kept: 0 },
    'a gap, and then what was missing': {
      steps: [whole[0]!, [block1(2, false), C, '4.08'], whole[1]!, whole[2]!],
      kept: 1,
    },
    'a block said twice, otherwise': {
      steps: [
        whole[0]!,
        whole[1]!,
        [block1(1, true), B.toUpperCase(), '4.08'],
        [block1(2, false), C, '4.08'],
      ],
      kept: 0,
    },
    'an end before what was there': {
      steps: [whole[0]!, whole[1]!, [block1(1, false), 'x', '4.08']],
      kept: 0,
    },
    'a block that is not full': { steps: [whole[0]!, [block1(1, true), 'short', '4.00']], kept: 0 },
    'a block that is too full': { steps: [[block1(0, false), `${A}!`, '4.00']], kept: 0 },
    'the reserved size': { steps: [[block1(0, false, 7), A, '4.00']], kept: 0 },
    'blocks beyond the limit': { steps: [[block1(4, false, 6), C, '4.13']], kept: 0 },
    'one block that is all': { steps: [[block1(0, false, 6), '{"a":1}', '2.04']], kept: 1 },
    'a whole that is no JSON': { steps: [whole[0]!, [block1(1, false), 'x', '4.00']], kept: 0 },
  }
  for (const [i, [what, { steps, kept: count }]] of Object.entries(cases).entries()) {
    const path = ['feeder', `blocks-${i}`]
    const answers: string[] = []
    // A new token for each block, as libcoap has it: what belongs together is told by peer and path.
    for (const [k, [option, body]] of steps.entries()) {
      const token = Uint8Array.of(i, k)
      answers.push(formatCode((await peer.ask(ask({ token, path, options: [option], body })))[1]!))
    }
    t.strictSame(
      answers,
      steps.map(([, , answer]) => answer),
      what,
    )
    t.equal(kept(path[1]!).length, count, `${what}: reports`)
  }
  t.strictSame(kept('blocks-0')[0]?.state, { a: '0123456789abcdefghijklmnopz' })
  t.equal(kept('blocks-0')[0]?.link?.size, A.length + B.length + C.length)
})

t.test(
  'uploads of several things by one peer do not mix, nor two of one thing with tags of their own',
  async (t) => {
    const send = async (
      thing: string,
      tag: string,
      option: [number, Uint8Array],
      body: string,
    ): Promise<string> => {
      const options: [number, Uint8Array][] = tag === '' ? [option] : [option, [292, hex(tag)]]
      return formatCode((await peer.ask(ask({ path: ['feeder', thing], options, body })))[1]!)
    }
    const ways = [
      ['mix-a', ''],
      ['mix-b', ''],
      ['mix-a', '01'],
      ['mix-a', '02'],
    ] as const
    for (const [i, [thing, tag]] of ways.entries())
      t.equal(await send(thing, tag, block1(0, true), `{"a":"000000000${i}`), '2.31')
    for (const [thing, tag] of ways) t.equal(await send(thing, tag, block1(1, false), '"}'), '2.04')
    t.strictSame(
      kept('mix-a').map(({ state }) => state?.['a']),
      ['0000000000', '0000000002', '0000000003'],
    )
    t.strictSame(
      kept('mix-b').map(({ state }) => state?.['a']),
      ['0000000001'],
    )
  },
)

t.test('after all this: alive, never above three times, and every datagram counted once', async (t) => {
  await crowd.account(t)
})
