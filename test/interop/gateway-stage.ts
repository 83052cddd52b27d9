/** What the tests with the gateway share: the real process, a queue, and a path between it and its clients. */
import type { Report } from '@pesebre/contract/report'
import t, { type Test } from 'tap'
import { drainQueue } from '../e2e/queue-contents.ts'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import { startSqs } from '../fakes/sqs.ts'
import { startUdpProxy, type UdpProxy } from '../fakes/udp-proxy.ts'
import type { Client } from './clients/client.ts'
import { lacksLibcoapClient, libcoapClient } from './clients/libcoap.ts'
import { npmCoapClient } from './clients/npm-coap.ts'
import { openOurClient } from './clients/ours.ts'

export type Stage = {
  readonly gateway: GatewayProcess
  readonly path: UdpProxy
  /** Stops the gateway, which sends what it has, and returns every report that is in the queue. */
  reports(): Promise<Report[]>
}

/** Starts all of it; it ends with the test file. Rates are no matter here. */
export async function startStage(): Promise<Stage> {
  const sqs = await startSqs()
  t.teardown(() => sqs.close())
  const gateway = await startGateway({
    env: {
      AWS_ENDPOINT_URL_SQS: sqs.url,
      PESEBRE_QUEUE_URL: sqs.queueUrl,
      PESEBRE_DEVICE_RATE: '1000',
      PESEBRE_DEVICE_BURST: '1000',
    },
  })
  // In the order opposite to this one.
  t.teardown(() => gateway.stop())
  const path = await startUdpProxy(gateway.coapPort)
  t.teardown(() => path.close())

  async function reports(): Promise<Report[]> {
    await gateway.stop()
    return await drainQueue(sqs)
  }

  return { gateway, path, reports }
}

/** Clients by a name that can be a part of a thing's. */
export const CLIENTS: Readonly<
  Record<string, { skip: string | false; open: () => Client | Promise<Client> }>
> = {
  ours: { skip: false, open: () => openOurClient() },
  libcoap: { skip: lacksLibcoapClient, open: () => libcoapClient() },
  npm: { skip: false, open: () => npmCoapClient() },
}

/** A named test for each client, which is closed at its end. */
export function eachClient(
  what: string,
  run: (t: Test, client: Client, name: string) => Promise<void>,
): void {
  for (const [name, { skip, open }] of Object.entries(CLIENTS)) {
    void t.test(`${what} [${name}]`, { skip }, async (t) => {
      const client = await open()
      t.teardown(() => client.close())
      await run(t, client, name)
    })
  }
}
