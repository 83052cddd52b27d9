/** Drives device-process.ts: clients of AWS's device SDK, by promises. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
} from '@aws-sdk/client-iot'
import { until, within } from '../../fakes/until.ts'
import type { LocalIot } from './support.ts'

export type ConnectOptions = {
  readonly version: 5 | 311
  readonly clientId: string
  readonly port: number
  readonly caFile: string
  readonly certificatePem: string
  readonly privateKey: string
  readonly persistent?: boolean
  readonly will?: { readonly topic: string; readonly payload: string }
}
export type ShadowCall =
  | 'getShadow'
  | 'updateShadow'
  | 'deleteShadow'
  | 'getNamedShadow'
  | 'updateNamedShadow'
  | 'deleteNamedShadow'

export type Command = { readonly id: number; readonly device: string } & Order
type Order =
  | { readonly kind: 'connect'; readonly options: ConnectOptions }
  | { readonly kind: 'subscribe'; readonly filter: string; readonly qos: 0 | 1 }
  | {
      readonly kind: 'publish'
      readonly topic: string
      readonly payload: string
      readonly qos: 0 | 1
      readonly retain: boolean
    }
  | { readonly kind: 'shadow'; readonly call: ShadowCall; readonly request: object }
  | { readonly kind: 'watchDelta'; readonly thingName: string }
  | { readonly kind: 'disconnect' }

export type Event =
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly modeled: unknown }
  | {
      readonly kind: 'message'
      readonly device: string
      readonly topic: string
      readonly payload: string
      readonly retain: boolean
    }
  | { readonly kind: 'delta'; readonly device: string; readonly delta: unknown }
  | { readonly kind: 'lost'; readonly device: string; readonly reason: number | null }

export type Device = {
  /** Granted QoS, or a code from 128 on. */
  subscribe(filter: string, qos?: 0 | 1): Promise<number>
  /** Reason code of the PUBACK: 0 is success. */
  publish(topic: string, payload: string, how?: { qos?: 0 | 1; retain?: boolean }): Promise<number>
  /** An operation of IotShadowClientv2; a rejection has the error document as `modeled`. */
  shadow(call: ShadowCall, request: object): Promise<Record<string, unknown>>
  watchDelta(thingName: string): Promise<void>
  disconnect(): Promise<void>
  /** The next event of a kind that was not asked for yet. */
  next<K extends 'message' | 'delta' | 'lost'>(kind: K): Promise<Extract<Event, { kind: K }>>
  /** Topics and payloads of all messages so far that were not asked for. */
  messages(): string[]
}

type Teardown = { teardown(handler: () => Promise<void>): void }

export type Devices = {
  connect(options: ConnectOptions): Promise<Device>
  /** Ends the process of all of them, without goodbye. */
  kill(): Promise<void>
}

/** Starts a process for devices. It ends with the test, or, when none is given, with this process. */
export function startDevices(t?: Teardown): Devices {
  const child: ChildProcess = fork(fileURLToPath(new URL('device-process.ts', import.meta.url)))
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const inboxes = new Map<string, { events: Event[] }>()
  let commands = 0
  let connections = 0

  child.on('message', (event: Event) => {
    if (event.kind === 'done') waiting.get(event.id)?.resolve(event.result)
    else if (event.kind === 'failed') {
      waiting.get(event.id)?.reject(Object.assign(new Error(event.message), { modeled: event.modeled }))
    } else {
      const inbox = inboxes.get(event.device)
      inbox?.events.push(event)
    }
  })

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  if (t !== undefined) {
    t.teardown(kill)
  } else {
    // What a test waits for is kept alive by the server that it runs.
    child.unref()
    child.channel?.unref()
  }

  function order(device: string, what: Order): Promise<unknown> {
    const id = commands++
    const done = new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      child.send({ id, device, ...what })
    })
    return within(`${what.kind} of ${device}`, done, () => inboxes.get(device)?.events)
  }

  return {
    kill,
    async connect(options) {
      connections++
      const name = `${options.clientId}#${connections}`
      const inbox: { events: Event[] } = { events: [] }
      inboxes.set(name, inbox)
      await order(name, { kind: 'connect', options })
      return {
        subscribe: (filter, qos = 1) => order(name, { kind: 'subscribe', filter, qos }) as Promise<number>,
        publish: (topic, payload, { qos = 1, retain = false } = {}) =>
          order(name, { kind: 'publish', topic, payload, qos, retain }) as Promise<number>,
        shadow: (call, request) =>
          order(name, { kind: 'shadow', call, request }) as Promise<Record<string, unknown>>,
        watchDelta: (thingName) => order(name, { kind: 'watchDelta', thingName }) as Promise<void>,
        disconnect: () => order(name, { kind: 'disconnect' }) as Promise<void>,
        async next(kind) {
          const take = () => {
            const index = inbox.events.findIndex((event) => event.kind === kind)
            return index >= 0 && (inbox.events.splice(index, 1)[0] as Extract<Event, { kind: typeof kind }>)
          }
          return until(`${kind} at ${name}`, take, () => inbox.events)
        },
        messages: () =>
          inbox.events.flatMap((event) =>
            event.kind === 'message' ? [`${event.topic} ${event.payload}`] : [],
          ),
      }
    },
  }
}

export type Identity = {
  readonly certificateId: string
  readonly certificateArn: string
  readonly certificatePem: string
  readonly privateKey: string
}

/**
 * A certificate with a policy of these statements, attached to a thing of that name when one is given.
 * @param statements their resources without the beginning of the ARN, `topic/a`
 */
export async function createIdentity(
  { control }: LocalIot,
  statements: readonly {
    Effect?: string
    Action: string | string[]
    Resource: string | string[]
    Condition?: object
  }[],
  thingName?: string,
): Promise<Identity> {
  const created = await control.send(new CreateKeysAndCertificateCommand({ setAsActive: true }))
  const { certificateId = '', certificateArn = '', certificatePem = '', keyPair } = created
  const arn = (resource: string) =>
    resource === '*' ? resource : `arn:aws:iot:us-east-1:000000000000:${resource}`
  const policyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(({ Effect = 'Allow', Resource, ...rest }) => ({
      Effect,
      Resource: [Resource].flat().map(arn),
      ...rest,
    })),
  })
  const policyName = `policy-${certificateId.slice(0, 12)}`
  await control.send(new CreatePolicyCommand({ policyName, policyDocument }))
  await control.send(new AttachPolicyCommand({ policyName, target: certificateArn }))
  if (thingName !== undefined) {
    await control.send(new CreateThingCommand({ thingName }))
    await control.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }))
  }
  return { certificateId, certificateArn, certificatePem, privateKey: keyPair?.PrivateKey ?? '' }
}

/** What a device needs to connect, but for its client id. */
export function access({ mqttPort, caFile }: LocalIot, { certificatePem, privateKey }: Identity) {
  return { port: mqttPort, caFile, certificatePem, privateKey }
}
