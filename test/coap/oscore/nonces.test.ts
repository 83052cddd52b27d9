import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { challengeOf, Recovery } from '@pesebre/coap/oscore/recovery'
import { type ReplayProtection, ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import type { SentRequest } from '@pesebre/coap/oscore/sent-request'
import {
  type ProtectedResponse,
  protectChallenge,
  protectResponse,
  protectResponseWithPartialIv,
  type RequestBinding,
  verifyRequest,
} from '@pesebre/coap/oscore/server'
import t from 'tap'
import { bytes, fields, hex, path, randomOf, uint } from './harness.ts'

/**
 * A long random run of two devices and two gateways that share master secrets but not the ID Context: requests, answers,
 * notifications, replays to both gateways, power cuts of all, full disks, lost disks.
 */

const draw = randomOf(20_261)
/** What was encrypted under each key and nonce. */
const sealed = new Map<string, string>()
const crypto: CryptoPrimitives = {
  ...nodeCrypto,
  seal(input) {
    const pair = `${hex(input.key)} ${hex(input.nonce)}`
    if (sealed.has(pair)) throw new Error(`Used twice: ${pair}`)
    sealed.set(pair, hex(input.data))
    return nodeCrypto.seal(input)
  },
}
/** Numbers reserved on disk at a time. */
const BLOCK = 8
const gatewayId = bytes('01')
const deviceIds = [bytes('1000000001'), bytes('1000000002')]
const secretOf = (device: number) => new Uint8Array(16).fill(device + 1)

/** What is on a disk: it stays when the power goes. */
interface Disk {
  limit: number
  /** Stored windows by device; `lost` when it is not known what was seen. */
  readonly windows: (Uint8Array | 'lost')[]
}

function reserve(sequence: SenderSequence, disk: Disk): void {
  if (sequence.left > 0) return
  disk.limit += BLOCK
  sequence.reserve(disk.limit)
}

class Gateway {
  readonly id: string
  readonly disk: Disk = { limit: 0, windows: deviceIds.map(() => new ReplayWindow().toBytes()) }
  readonly accepted = new Set<string>()
  readonly #contexts: readonly SecurityContext[]
  #sequence = new SenderSequence(0, 0)
  #windows: ReplayProtection[] = []
  #observations: RequestBinding[] = []

  constructor(id: string) {
    this.id = id
    this.#contexts = deviceIds.map((recipientId, device) =>
      deriveSecurityContext(
        { masterSecret: secretOf(device), senderId: gatewayId, recipientId, idContext: Buffer.from(id) },
        crypto,
      ),
    )
    this.restart()
  }

  /** The power has gone: only the disk is left. */
  restart(): void {
    this.#sequence = new SenderSequence(this.disk.limit, this.disk.limit)
    this.#observations = []
    this.#windows = this.disk.windows.map((stored) => {
      const window = stored === 'lost' ? undefined : ReplayWindow.fromBytes(stored)
      return window ?? new Recovery(Uint8Array.from({ length: 8 }, () => draw(256)))
    })
  }

  receive(request: MessageFields): MessageFields | undefined {
    const verification = verifyRequest(request, (kid) => {
      const device = deviceIds.findIndex((id) => hex(id) === hex(kid))
      const context = this.#contexts[device]
      const replayWindow = this.#windows[device]
      return context && replayWindow && { context, replayWindow, device }
    })
    if (verification.kind === 'refused') return verification.refusal.response
    const { recipient, binding } = verification
    reserve(this.#sequence, this.disk)
    if (verification.kind === 'unproven') {
      const { echo } = recipient.replayWindow as Recovery
      return fieldsOf(protectChallenge(echo, binding, this.#sequence))
    }
    if (verification.request.options.some(({ number }) => number === OPTION.OBSERVE)) {
      this.#observations.push(binding)
      return fieldsOf(protectResponseWithPartialIv(answer(true), binding, this.#sequence))
    }
    // The disk is full: the window has moved, but a restart will not know. So the nonce of the request must not be used.
    if (draw(10) === 0) return fieldsOf(protectResponseWithPartialIv(answer(false), binding, this.#sequence))
    const report = `${recipient.device} ${binding.partialIv}`
    if (this.accepted.has(report)) throw new Error(`Taken twice by ${this.id}: ${report}`)
    this.accepted.add(report)
    const window =
      recipient.replayWindow instanceof Recovery ? recipient.replayWindow.window : recipient.replayWindow
    this.disk.windows[recipient.device] = (window as ReplayWindow).toBytes()
    return draw(20) === 0 ? undefined : protectResponse(answer(false), verification.nonce)
  }

  notify(): MessageFields | undefined {
    const binding = this.#observations[draw(this.#observations.length + 1)]
    if (binding === undefined) return undefined
    reserve(this.#sequence, this.disk)
    return fieldsOf(protectResponseWithPartialIv(answer(true), binding, this.#sequence))
  }
}

function answer(isNotification: boolean): MessageFields {
  return fields(CODE.CONTENT, isNotification ? [uint(OPTION.OBSERVE, 1)] : [], `${draw(1_000_000)}`)
}

function fieldsOf(result: ProtectedResponse): MessageFields {
  if (!result.ok) throw new Error(result.reason)
  return result.response
}

class Device {
  readonly disk: Disk = { limit: 0, windows: [] }
  readonly sent = new Map<MessageFields, SentRequest>()
  readonly #contexts: readonly SecurityContext[]
  /** One sequence for the contexts of all gateways. */
  #sequence = new SenderSequence(0, 0)
  echo: (Uint8Array | undefined)[] = []

  constructor(device: number) {
    this.#contexts = ['gw-a', 'gw-b'].map((id) =>
      deriveSecurityContext(
        {
          masterSecret: secretOf(device),
          senderId: deviceIds[device]!,
          recipientId: gatewayId,
          idContext: Buffer.from(id),
        },
        crypto,
      ),
    )
  }

  restart(): void {
    this.#sequence = new SenderSequence(this.disk.limit, this.disk.limit)
    this.sent.clear()
    this.echo = []
  }

  ask(gateway: number): MessageFields {
    reserve(this.#sequence, this.disk)
    const echo = this.echo[gateway]
    const options = [
      ...(draw(8) === 0 ? [uint(OPTION.OBSERVE, 0)] : []),
      ...path('u'),
      ...(echo ? [{ number: OPTION.ECHO, value: echo }] : []),
    ]
    const request = fields(METHOD.POST, options, `${draw(1_000_000)}`)
    const result = protectRequest(request, { context: this.#contexts[gateway]!, sequence: this.#sequence })
    if (!result.ok) throw new Error(result.reason)
    this.sent.set(result.request, result.sent)
    return result.request
  }

  hear(response: MessageFields, gateway: number): boolean {
    for (const sent of this.sent.values()) {
      if (sent.context !== this.#contexts[gateway]) continue
      const result = verifyResponse(response, sent)
      if (!result.ok) continue
      this.echo[gateway] = challengeOf(result.response)
      return true
    }
    return false
  }
}

t.test('No key and nonce are used twice, and nothing is taken twice, over a long run with restarts', (t) => {
  const gateways = [new Gateway('gw-a'), new Gateway('gw-b')]
  const devices = [new Device(0), new Device(1)]
  const recorded: { request: MessageFields; gateway: number }[] = []
  let heard = 0
  let restarts = 0
  for (let step = 0; step < 12_000; step++) {
    const dice = draw(1_000)
    const gateway = draw(2)
    const device = devices[draw(2)]!
    if (dice < 500) {
      const request = device.ask(gateway)
      recorded.push({ request, gateway })
      if (dice < 50) continue // Lost, or late: it comes as a replay.
      const response = gateways[gateway]!.receive(request)
      if (response !== undefined && dice < 450 && device.hear(response, gateway)) heard++
    } else if (dice < 850 && recorded.length > 0) {
      // Mostly recent ones, to either gateway.
      const from = draw(4) === 0 ? 0 : Math.max(0, recorded.length - 40)
      const { request } = recorded[from + draw(recorded.length - from)]!
      gateways[gateway]!.receive(request)
    } else if (dice < 950) {
      const notification = gateways[gateway]!.notify()
      if (notification !== undefined)
        for (const each of devices) if (each.hear(notification, gateway)) heard++
    } else {
      restarts++
      if (dice < 980) gateways[gateway]!.restart()
      else if (dice < 985) {
        gateways[gateway]!.disk.windows.fill('lost')
        gateways[gateway]!.restart()
      } else device.restart()
    }
    for (const each of devices) if (each.sent.size > 30) each.sent.delete(each.sent.keys().next().value!)
  }
  const accepted = gateways.map((gateway) => gateway.accepted.size)
  t.ok(sealed.size > 8_000, `${sealed.size} messages were encrypted, each under a pair of its own`)
  t.ok(
    accepted.every((count) => count > 500),
    `${accepted} reports were taken`,
  )
  t.ok(heard > 1_000, `${heard} responses were heard`)
  t.ok(restarts > 400, `${restarts} restarts`)
  t.end()
})
