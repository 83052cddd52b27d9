/** Runs one process of the local stack as the supervisor does: ports and home from the environment. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { until } from '../../fakes/until.ts'

type Teardown = { teardown(handler: () => Promise<void>): void }
type Ports = { readonly iot: number; readonly mqtt: number; readonly aws: number }

export type Started = {
  readonly ports: Ports
  /** Everything that it printed. */
  output(): string
  /** Sends a signal and waits for the end: exit code or signal. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/** Waits until it says that it is ready; it ends with the test. */
export async function startProcess(t: Teardown, main: string, home: string): Promise<Started> {
  const ports = { iot: await freePort(), mqtt: await freePort(), aws: await freePort() }
  const run = runProcess(main, { ...environment(ports), PESEBRE_HOME: home })
  t.teardown(async () => void (await run.end('SIGKILL')))
  await run.until(/ready/)
  return { ports, output: run.output, end: run.end }
}

/** Runs it until it ends by itself. */
export async function endOf(
  main: string,
  env: Record<string, string>,
): Promise<{ code: unknown; output: string }> {
  const run = runProcess(main, env)
  const code = await run.ended
  return { code, output: run.output() }
}

export function environment(ports: Ports): Record<string, string> {
  return {
    PESEBRE_IOT_PORT: `${ports.iot}`,
    PESEBRE_MQTT_PORT: `${ports.mqtt}`,
    PESEBRE_AWS_PORT: `${ports.aws}`,
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

function runProcess(main: string, env: Record<string, string>) {
  const script = fileURLToPath(new URL(`../../../${main}`, import.meta.url))
  const child = spawn(process.execPath, [script], { env: { ...process.env, ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  return {
    ended,
    output: () => output,
    async until(text: RegExp): Promise<void> {
      const over = ended.then(() => {
        throw new Error(`Ended before it was ready: ${output}`)
      })
      over.catch(() => {})
      const said = () => output
      await Promise.race([until(`${main} says ${text}`, () => text.test(output), said), over])
    },
    end(signal: NodeJS.Signals) {
      child.kill(signal)
      return ended
    },
  }
}
