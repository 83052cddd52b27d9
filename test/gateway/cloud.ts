import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetThingShadowCommand, UpdateThingShadowCommand } from '@aws-sdk/client-iot-data-plane'
import type { QueuedCommand } from '@pesebre/contract/control'
import type { GatewayProcess } from '../fakes/gateway-process.ts'
import { until } from '../fakes/until.ts'
import { createIdentity } from '../local/iot/devices.ts'
import { type LocalIot, startLocalIot } from '../local/iot/support.ts'

/** AWS IoT on this machine, with a certificate for gateways, and the control shadows of devices. */
export type Cloud = {
  readonly iot: LocalIot
  /** For startGateway(). */
  env(gatewayId: string): Record<string, string>
  /** Merges into `desired` of a control shadow. */
  desire(thing: string, desired: object): Promise<void>
  /** Merges into `reported`, as the bridge does. */
  report(thing: string, reported: object): Promise<void>
  /** Replaces the queue; `ttl` in seconds, default 600. */
  queue(thing: string, commands: readonly { n: number; grams?: number; ttl?: number }[]): Promise<void>
  /** A named shadow's state. */
  read(thing: string, shadow: string): Promise<{ desired?: Json; reported?: Json }>
}

type Json = Record<string, unknown>

export async function startCloud(t: { teardown(run: () => Promise<void>): void }): Promise<Cloud> {
  const iot = await startLocalIot(t)
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-cloud-'))
  t.teardown(async () => rmSync(dir, { recursive: true, force: true }))
  const identity = await createIdentity(iot, [{ Action: 'iot:*', Resource: '*' }])
  writeFileSync(join(dir, 'cert.pem'), identity.certificatePem)
  writeFileSync(join(dir, 'key.pem'), identity.privateKey)

  async function update(thing: string, state: object): Promise<void> {
    const payload = Buffer.from(JSON.stringify({ state }))
    await iot.data.send(new UpdateThingShadowCommand({ thingName: thing, shadowName: 'control', payload }))
  }

  return {
    iot,
    env: (gatewayId) => ({
      PESEBRE_GATEWAY_ID: gatewayId,
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.url,
      PESEBRE_MQTT_HOST: '127.0.0.1',
      PESEBRE_MQTT_PORT: String(iot.mqttPort),
      PESEBRE_MQTT_CERT: join(dir, 'cert.pem'),
      PESEBRE_MQTT_KEY: join(dir, 'key.pem'),
      PESEBRE_MQTT_CA: iot.caFile,
    }),
    desire: (thing, desired) => update(thing, { desired }),
    report: (thing, reported) => update(thing, { reported }),
    queue: (thing, commands) => update(thing, { desired: { enabled: true, queue: commands.map(queued) } }),
    read: async (thing, shadow) => {
      const { payload } = await iot.data.send(
        new GetThingShadowCommand({ thingName: thing, shadowName: shadow }),
      )
      return (JSON.parse(Buffer.from(payload ?? []).toString()) as { state: object }).state
    },
  }
}

function queued({ n, grams = 500, ttl = 600 }: { n: number; grams?: number; ttl?: number }): QueuedCommand {
  const at = Math.floor(Date.now() / 1000)
  return { n, kind: 'feed', grams, notAfter: at + ttl, by: 'test', at }
}

/** Waits until a gateway hears of changes of the mailboxes. */
export async function mailboxesLive(gateway: GatewayProcess): Promise<void> {
  let body: string | undefined
  await until(
    'mailboxes',
    async () => {
      body = (await gateway.admin('/readyz')).body
      return body.includes('"mailboxes":true')
    },
    () => body,
  )
}
