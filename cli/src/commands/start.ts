import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, EXIT, Failure } from '../command.ts'

const SUPERVISOR = fileURLToPath(new URL('../../../local/src/main.ts', import.meta.url))

/** `start`: the same as `npm start` in the checkout, from anywhere. */
export const start: Command = {
  name: 'start',
  summary: 'Start everything on this machine, until Ctrl-C',
  usage: '[options]',
  about: [
    [
      'Starts the gateway, stand-ins for the AWS services that it needs, the bridge, the web app, and the demo devices.',
      'All of them listen on 127.0.0.1 only. When the line "pesebre is ready" appears, all of it works.',
    ].join('\n'),
    [
      'Settings are environment variables: PESEBRE_COAP_PORT (5683), PESEBRE_ADMIN_PORT (9683), PESEBRE_AWS_PORT (4566),',
      'PESEBRE_IOT_PORT (4567), PESEBRE_MQTT_PORT (8883), PESEBRE_WEB_PORT (8080); PESEBRE_HOME, where everything is kept',
      '(.pesebre in the checkout); PESEBRE_DEMO (true), whether demo devices run; PESEBRE_LOG_LEVEL, what is logged to files',
      'in PESEBRE_HOME/logs (info) and, when it is given, also shown in the terminal (otherwise: warnings).',
      "Settings of the gateway, such as PESEBRE_WORKERS, reach it as well; the README's tables list them.",
    ].join('\n'),
  ],
  options: {},
  endsItself: true,
  examples: [
    ['start', 'with the standard ports'],
    ['start --json', 'one JSON object per line; {"kind":"stack",...} when ready'],
  ],
  run: async ({ flag }, { env }) => {
    if (!existsSync(SUPERVISOR))
      throw new Failure(`Not in a checkout of Pesebre: clone it, then npm start: ${SUPERVISOR}`)
    const args = flag['json'] ? ['--json'] : []
    const child = spawn(process.execPath, [SUPERVISOR, ...args], { stdio: 'inherit', env })
    // Ctrl-C reaches the supervisor as it reaches us: we only wait for it, however often it is pressed.
    process.on('SIGINT', () => undefined)
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    const [code] = (await once(child, 'exit')) as [number | null]
    return code === 0 ? EXIT.ok : EXIT.failed
  },
}
