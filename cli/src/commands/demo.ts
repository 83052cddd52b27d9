import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Command, EXIT, Failure, Misuse } from '../command.ts'

const STABLE = fileURLToPath(new URL('../../../local/src/stable-main.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const FEEDERS_MAX = 1_000
const CAMERAS_MAX = 50
/** Beyond it an answer takes longer than a feeder may wait by its own clock. */
const SPEED_MAX = 60

/** `demo`: a stable of virtual devices on the local stack. */
export const demo: Command = {
  name: 'demo',
  summary: 'Run a stable of virtual feeders and cameras on the local stack, until Ctrl-C',
  usage: '[options]',
  about: [
    [
      'The feeders run the firmware of real ones, each with a key of its own; only motor, hopper and sensors are not real.',
      'npm start has to be running. What they are is kept in PESEBRE_HOME/stable: the next time they are the same ones.',
    ].join('\n'),
  ],
  options: {
    feeders: {
      type: 'string',
      value: 'count',
      help: `how many feeders, at most ${FEEDERS_MAX} (default 10)`,
    },
    cameras: { type: 'string', value: 'count', help: `how many cameras, at most ${CAMERAS_MAX} (default 0)` },
    speed: {
      type: 'string',
      value: 'factor',
      help: `how fast the feeders' time passes, 1 to ${SPEED_MAX} (default 1)`,
    },
  },
  endsItself: true,
  examples: [
    ['demo', 'ten feeders'],
    ['demo --feeders 50 --cameras 5 --speed 60', 'a stable, an hour of which takes a minute'],
  ],
  run: async ({ text }, { env }) => {
    const numbers = [
      numberOf('feeders', text['feeders'] ?? '10', [0, FEEDERS_MAX]),
      numberOf('cameras', text['cameras'] ?? '0', [0, CAMERAS_MAX]),
      numberOf('speed', text['speed'] ?? '1', [1, SPEED_MAX]),
    ]
    if (!existsSync(STABLE))
      throw new Failure(`Not in a checkout of Pesebre: clone it, then npm start: ${STABLE}`)
    const child = spawn(process.execPath, [STABLE, ...numbers.map(String)], {
      stdio: 'inherit',
      env,
      // Its home is the checkout's, as the supervisor's is.
      cwd: ROOT,
    })
    // Ctrl-C reaches the stable as it reaches us: we only wait for it.
    process.on('SIGINT', () => undefined)
    process.on('SIGTERM', () => child.kill('SIGTERM'))
    const [code] = (await once(child, 'exit')) as [number | null]
    return code === 0 ? EXIT.ok : EXIT.failed
  },
}

function numberOf(name: string, given: string, [min, max]: readonly [number, number]): number {
  const number = /^\d{1,6}$/.test(given) ? Number(given) : Number.NaN
  if (number >= min && number <= max) return number
  throw new Misuse(`--${name} must be a whole number from ${min} to ${max}: "${given}"`)
}
