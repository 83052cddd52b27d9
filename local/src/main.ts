/**
 * `npm start`: runs the whole of Pesebre on this machine until Ctrl-C. Exit code 0 when stopped, 1 when it failed.
 * With --json, what happens is told in JSON, one object per line; the one of kind `stack` says that all is ready.
 */
import { relative, resolve } from 'node:path'
import { styleText } from 'node:util'
import { readSettings } from './supervisor/config.ts'
import type { Paint } from './supervisor/log-line.ts'
import { ROOT, type Stack, startStack } from './supervisor/stack.ts'
import { StackError } from './supervisor/stack-error.ts'
import { summary } from './supervisor/summary.ts'
import { createTerminal } from './supervisor/terminal.ts'

/**
 * One Ctrl-C reaches this process twice, from the terminal and from npm, which passes it on: the second signal
 * counts as impatience only after this time, milliseconds.
 */
const IMPATIENT_AFTER_MS = 400

const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout })
const json = process.argv.includes('--json')
const say = (line: string) => process.stdout.write(`${line}\n`)
const stopRequested = new AbortController()
let stack: Stack | undefined
let askedAt = 0

// Whoever read our lines has gone (`| head`, a terminal that was closed): that is no reason to stop.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)
process.on('SIGINT', onSignal)
process.on('SIGTERM', onSignal)
process.on('SIGHUP', onSignal)
process.exit(await main())

async function main(): Promise<number> {
  try {
    const settings = readSettings(process.env)
    const show = createTerminal({ paint, shownLevel: settings.shownLevel, now: () => performance.now() })
    stack = await startStack({
      ...settings,
      home: resolve(ROOT, settings.home),
      env: process.env,
      signal: stopRequested.signal,
      onEvent: (event) => {
        const line = json ? JSON.stringify(event) : show(event)
        if (line !== undefined) say(line)
      },
    })
    if (json)
      say(
        JSON.stringify({
          kind: 'stack',
          ports: stack.ports,
          home: stack.home,
          devices: stack.devices,
          web: stack.web,
        }),
      )
    else
      say(
        `${summary({ ...settings, devices: stack.devices, camera: stack.camera, web: stack.web, home: shortPath(stack.home), paint })}\n${paint('green', 'pesebre is ready')}`,
      )
    return await Promise.race([untilStopped(stack), stack.failed.then(fail)])
  } catch (error) {
    return stopRequested.signal.aborted ? stopped() : fail(error as Error)
  }
}

async function untilStopped(running: Stack): Promise<number> {
  const { signal } = stopRequested
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  await running.stop()
  return stopped()
}

function stopped(): number {
  if (!json) say('Stopped. The data is kept')
  return 0
}

function fail(error: Error): number {
  const problems = error instanceof StackError ? error.problems : [error.message]
  for (const problem of problems)
    process.stderr.write(`${styleText('red', problem, { stream: process.stderr })}\n`)
  return 1
}

function onSignal(): void {
  const { signal } = stopRequested
  if (!signal.aborted) {
    if (!json) say('\nStopping ...')
    askedAt = performance.now()
    stopRequested.abort()
  } else if (performance.now() - askedAt > IMPATIENT_AFTER_MS) {
    stack?.kill()
    process.exit(130)
  }
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}
