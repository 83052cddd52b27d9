/** TD_COAP_OBS_01 to 14 of the ETSI CoAP#4 plugtest (there is no 03). The lossy case 11 is in lossy.test.ts. */
import { blockOf } from '@pesebre/coap/codec/block'
import { CODE, EMPTY, METHOD } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import t, { type Test } from 'tap'
import type { Watch } from '../interop/clients/client.ts'
import { lines } from './resources/block.ts'
import { answers, has, hex, requests, type Scene, td, text, uintIn, until, type Wire } from './stage.ts'

/** Starts to observe and waits for the answer. */
async function observe(
  t: Test,
  scene: Scene,
  path: string,
  confirmable = true,
): Promise<{ watch: Watch; request: Wire; first: Wire }> {
  const before = registrations(scene).length
  const watch = scene.observe({ path, confirmable })
  const found = (): Wire | undefined => {
    const request = registrations(scene)[before]
    return request && answers(scene.wire(), request)[0]
  }
  await until('the answer to the registration', () => found() !== undefined)
  const request = registrations(scene)[before]!
  const first = found()!
  t.match(request, { type: confirmable ? TYPE.CON : TYPE.NON, code: METHOD.GET })
  t.match(first, { type: confirmable ? TYPE.ACK : TYPE.NON, code: CODE.CONTENT })
  t.ok(has(first, OPTION.OBSERVE), 'a sequence number')
  t.ok(has(first, OPTION.CONTENT_FORMAT))
  return { watch, request, first }
}

/** Requests to be notified; not those for the later blocks of a notification, which some clients send with Observe too. */
function registrations(scene: Scene): Wire[] {
  return requests(scene.wire()).filter(
    (request) => uintIn(request, OPTION.OBSERVE) === 0 && (uintIn(request, OPTION.BLOCK2) ?? 0) < 16,
  )
}

/** What came of one observation after the first answer: first blocks only. */
function notifications(scene: Scene, request: Wire): Wire[] {
  const [first, ...others] = answers(scene.wire(), request)
  return others.filter(({ type, messageId }) => type !== TYPE.ACK && messageId !== first?.messageId)
}

/** Makes a change, and waits until the notification has come and, where it asks for it, has been acknowledged. */
async function change(scene: Scene, request: Wire, by: () => unknown = scene.server.tick): Promise<Wire> {
  const before = notifications(scene, request).length
  await by()
  await until('a notification', () => notifications(scene, request).length > before)
  const notification = notifications(scene, request)[before]!
  if (notification.type === TYPE.CON) await until('its ACK', () => isEnded(scene, notification, TYPE.ACK))
  return notification
}

/** Whether the client has sent an empty ACK or RST for a notification. */
function isEnded(scene: Scene, { messageId, client }: Wire, type: number): boolean {
  return scene.wire().some((message) => {
    const isReply = message.from === 'client' && message.client === client && message.code === EMPTY
    return isReply && message.type === type && message.messageId === messageId
  })
}

/** What every notification has; the numbers rise. */
function check(t: Test, notification: Wire, before: Wire, type: number = TYPE.CON): void {
  t.match(notification, { type, code: CODE.CONTENT })
  t.equal(uintIn(notification, OPTION.CONTENT_FORMAT), uintIn(before, OPTION.CONTENT_FORMAT))
  const rise = (uintIn(notification, OPTION.OBSERVE)! - uintIn(before, OPTION.OBSERVE)!) & 0xff_ffff
  t.ok(rise > 0 && rise < 0x80_0000, 'the number rises')
}

/** The server sends nothing more: changes, and a round trip after them, bring no notification. */
async function checkSilent(t: Test, scene: Scene, request: Wire): Promise<void> {
  const before = notifications(scene, request).length
  scene.server.tick()
  scene.server.tick()
  await scene.ask({ path: 'test' })
  t.equal(notifications(scene, request).length, before, 'no further notification')
  t.equal(scene.server.endpoint().sizes().observers, 0)
  t.equal(scene.server.endpoint().sizes().transmissions, 0)
}

for (const [id, path, confirmable] of [
  ['TD_COAP_OBS_01: CON notifications', 'obs', true],
  ['TD_COAP_OBS_02: NON notifications', 'obs-non', false],
] as const) {
  td(id, {}, async (t, scene) => {
    const { watch, request, first } = await observe(t, scene, path, confirmable)
    let before = first
    for (const n of [1, 2, 3]) {
      const notification = await change(scene, request)
      check(t, notification, before, confirmable ? TYPE.CON : TYPE.NON)
      t.equal(text(notification), `State ${n}`)
      before = notification
    }
    await until('the client shows all of it', () => `${watch.shown()}` === 'State 0State 1State 2State 3')
    await watch.drop()
  })
}

td(
  'TD_COAP_OBS_04: the server loses its observers without a word; the client registers again',
  {},
  async (t, scene) => {
    // That our client does so by itself, after Max-Age and 100 s and with its token, is in re-registration.test.ts.
    const { watch, request, first } = await observe(t, scene, 'obs')
    check(t, await change(scene, request), first)
    await scene.ask({ method: 'post', path: 'obs-reset', payload: 'sesame' })
    await checkSilent(t, scene, request)
    const again = await observe(t, scene, 'obs')
    check(t, await change(scene, again.request), again.first)
    await until('the client shows the new state', () => `${again.watch.shown()}`.endsWith('State 4'))
    await Promise.all([watch.drop(), again.watch.drop()])
  },
)

const IMPATIENT = { server: { settings: { ackTimeoutMs: 30 } } }

td('TD_COAP_OBS_05: a client that is off is given up', IMPATIENT, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  check(t, await change(scene, request), first)
  scene.proxy.rule(({ from }) => (from === 'client' ? 'lose' : 'pass'))
  scene.server.tick()
  const sent = (): Wire[] => notifications(scene, request).slice(1)
  await until('a retransmission', () => sent().length > 1)
  scene.server.tick()
  await until('the end of the observation', () => !scene.server.endpoint().isObserved('obs'))
  t.equal(sent().length, 5, 'once, and four times again')
  t.equal(text(sent()[0]!), 'State 2')
  t.equal(text(sent().at(-1)!), 'State 3', 'retransmissions carry the newer state')
  check(t, sent().at(-1)!, sent()[0]!)
  scene.proxy.rule()
  await checkSilent(t, scene, request)
  await watch.drop()
})

td('TD_COAP_OBS_06: a client that was rebooted resets', { clients: ['ours', 'npm'] }, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  check(t, await change(scene, request), first)
  await watch.drop()
  scene.server.tick()
  await until('the RST', () => isEnded(scene, notifications(scene, request).at(-1)!, TYPE.RST))
  await checkSilent(t, scene, request)
  t.equal(`${watch.shown()}`, 'State 0State 1', 'and shows nothing more')
})

td('TD_COAP_OBS_06: the same with NON notifications', { clients: ['ours', 'npm'] }, async (t, scene) => {
  const { watch, request } = await observe(t, scene, 'obs-non', false)
  await watch.drop()
  scene.server.tick()
  await until('a notification', () => notifications(scene, request).length === 1)
  // A NON that is not expected may be reset or ignored (RFC 7252 section 4.3): npm coap resets it, ours is silent.
  const isReset = (): boolean => isEnded(scene, notifications(scene, request)[0]!, TYPE.RST)
  if (scene.client.name !== 'npm coap') return
  await until('the RST', isReset)
  await checkSilent(t, scene, request)
})

td('TD_COAP_OBS_07: DELETE ends the observation with 4.04', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  check(t, await change(scene, request), first)
  const last = await change(scene, request, () => scene.ask({ method: 'delete', path: 'obs' }))
  t.match(last, { type: TYPE.CON, code: CODE.NOT_FOUND })
  t.notOk(has(last, OPTION.OBSERVE))
  t.equal((await scene.ask({ path: 'obs' })).code, '4.04')
  await checkSilent(t, scene, request)
  t.notMatch(`${watch.shown()}`, 'State 2')
  await watch.drop()
})

td('TD_COAP_OBS_08: another Content-Format ends the observation with 4.06', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  check(t, await change(scene, request), first)
  const put = { method: 'put', path: 'obs', contentFormat: CONTENT_FORMAT.JSON, payload: '{"n":1}' } as const
  const last = await change(scene, request, () => scene.ask(put))
  t.match(last, { type: TYPE.CON, code: CODE.NOT_ACCEPTABLE })
  t.notOk(has(last, OPTION.OBSERVE))
  t.equal(text(await scene.ask({ path: 'obs' })), put.payload)
  await checkSilent(t, scene, request)
  await watch.drop()
})

td('TD_COAP_OBS_09: PUT while observed', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  const put = {
    method: 'put',
    path: 'obs',
    contentFormat: CONTENT_FORMAT.TEXT,
    payload: 'put by another',
  } as const
  const notification = await change(scene, request, () => scene.ask(put))
  check(t, notification, first)
  t.equal(text(notification), put.payload)
  await until('the client shows it', () => `${watch.shown()}` === 'State 0put by another')
  check(t, await change(scene, request), notification)
  await watch.drop()
})

td('TD_COAP_OBS_10: a GET in between does not end it', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  const second = await change(scene, request)
  check(t, second, first)
  t.equal(text(await scene.ask({ path: 'obs' })), 'State 1')
  const get = requests(scene.wire()).at(-1)!
  const [answer] = answers(scene.wire(), get)
  t.match(answer, { type: TYPE.ACK, code: CODE.CONTENT })
  t.notOk(has(answer!, OPTION.OBSERVE))
  check(t, await change(scene, request), second)
  await watch.drop()
})

td('TD_COAP_OBS_12: GET with Observe 1 ends it', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs')
  check(t, await change(scene, request), first)
  await watch.stop()
  const end = (): Wire | undefined =>
    requests(scene.wire()).find((candidate) => uintIn(candidate, OPTION.OBSERVE) === 1)
  const sent = (): Wire[] => answers(scene.wire(), request)
  await until('its answer', () => end() !== undefined && sent().length === 3)
  t.equal(hex(end()!.token), hex(request.token), 'under the same token')
  const answer = sent().at(-1)!
  // libcoap takes it back with a NON.
  t.match(answer, { type: end()!.type === TYPE.CON ? TYPE.ACK : TYPE.NON, code: CODE.CONTENT })
  t.notOk(has(answer, OPTION.OBSERVE))
  await checkSilent(t, scene, request)
})

td('TD_COAP_OBS_13: a large resource', {}, async (t, scene) => {
  const { watch, request, first } = await observe(t, scene, 'obs-large')
  let expected = lines(21, 'state 0')
  await until('the client shows the whole of it', () => `${watch.shown()}` === expected)
  t.same(blockOf(uintIn(first, OPTION.BLOCK2)!), { num: 0, more: true, szx: 6 })
  let before = first
  for (const n of [1, 2, 3]) {
    const notification = await change(scene, request)
    check(t, notification, before)
    t.same(blockOf(uintIn(notification, OPTION.BLOCK2)!), { num: 0, more: true, szx: 6 })
    t.equal(notification.payload.length, 1_024)
    expected += lines(21, `state ${n}`)
    await until('the client shows the whole of it', () => `${watch.shown()}` === expected)
    before = notification
  }
  await watch.drop()
})

for (const [id, start] of [
  ['TD_COAP_OBS_14: a resource that is large now and then', 0],
  ['TD_COAP_OBS_14: the same, and large at first', 1],
] as const) {
  td(id, {}, async (t, scene) => {
    for (let n = 0; n < start; n++) scene.server.tick()
    const { watch, request, first } = await observe(t, scene, 'obs-pumping')
    let expected = stateOf(start)
    let before = first
    t.equal(has(first, OPTION.BLOCK2), start === 1)
    for (const n of [start + 1, start + 2, start + 3]) {
      await until('the client shows it', () => `${watch.shown()}` === expected)
      const notification = await change(scene, request)
      check(t, notification, before)
      t.equal(has(notification, OPTION.BLOCK2), n % 2 === 1, n % 2 === 1 ? 'in blocks' : 'in one')
      expected += stateOf(n)
      before = notification
    }
    await until('the client shows it', () => `${watch.shown()}` === expected)
    await watch.drop()
  })
}

function stateOf(n: number): string {
  return n % 2 === 0 ? `State ${n}` : lines(21, `state ${n}`)
}

t.end()
