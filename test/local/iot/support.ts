/** A local AWS IoT of its own for a test, and AWS's own clients for it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IoTClient } from '@aws-sdk/client-iot'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { type Iot, startIot } from '../../../local/src/iot/start.ts'

type Teardown = { teardown(handler: () => Promise<void>): void }

export type LocalIot = Iot & {
  readonly dir: string
  readonly url: string
  readonly control: IoTClient
  readonly data: IoTDataPlaneClient
  /** What it reported as its own failures. */
  readonly errors: Error[]
}

export async function startLocalIot(t: Teardown, now?: () => number): Promise<LocalIot> {
  const dir = await temporaryDir(t)
  const errors: Error[] = []
  const iot = await startIot({
    dir,
    restPort: 0,
    mqttPort: 0,
    ...(now && { now }),
    onError: (error) => errors.push(error),
  })
  t.teardown(() => iot.close())
  return { ...iot, dir, errors, ...clientsOf(iot.restPort) }
}

export function clientsOf(restPort: number) {
  const url = `http://127.0.0.1:${restPort}`
  const options = {
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  }
  return { url, control: new IoTClient(options), data: new IoTDataPlaneClient(options) }
}

export async function temporaryDir(t: Teardown): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pesebre-iot-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** What a refused call told: exception, HTTP status, message. */
export async function refusal(
  call: Promise<unknown>,
): Promise<[string, number | undefined, string] | 'passed'> {
  try {
    await call
    return 'passed'
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
    return [name, $metadata?.httpStatusCode, message]
  }
}

export function toJson(payload: Uint8Array | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(payload ?? []).toString())
}
