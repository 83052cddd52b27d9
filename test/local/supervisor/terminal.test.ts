import t from 'tap'
import type { LogLevel } from '../../../local/src/supervisor/config.ts'
import type { ProcessEvent } from '../../../local/src/supervisor/supervised.ts'
import { createTerminal } from '../../../local/src/supervisor/terminal.ts'

const log = (level: LogLevel, text: string): ProcessEvent => ({
  kind: 'log',
  name: 'gateway',
  event: { level, text, fields: {} },
})

t.test('createTerminal() shows a repeated event once in five seconds, and counts the others', async (t) => {
  let now = 0
  const show = createTerminal({ paint: (_style, text) => text, shownLevel: 'warn', now: () => now })
  t.equal(show(log('warn', 'Queue is away')), 'gateway  warn  Queue is away')
  t.equal(show(log('warn', 'Queue is away')), undefined)
  t.equal(show(log('warn', 'Queue is away')), undefined)
  t.equal(show(log('warn', 'Disk is full')), 'gateway  warn  Disk is full')
  now = 5000
  t.equal(show(log('warn', 'Queue is away')), 'gateway  warn  Queue is away (and 2 more like it)')
})

t.test('createTerminal() says what a person needs to know', async (t) => {
  const show = createTerminal({ paint: (_style, text) => text, shownLevel: 'warn', now: () => 0 })
  const cases: [ProcessEvent, string | undefined][] = [
    [log('info', 'Ready'), undefined],
    [{ kind: 'ready', name: 'iot', afterMs: 1234, again: false }, 'iot      ready after 1.2 s'],
    [{ kind: 'ready', name: 'iot', afterMs: 1234, again: true }, 'iot      is back after 1.2 s'],
    [
      { kind: 'died', name: 'iot', how: 'SIGKILL', restartInMs: 500 },
      'iot died (SIGKILL): it is started again in 0.5 s',
    ],
    [{ kind: 'ended', name: 'iot', withinMs: 700 }, 'iot did not stop within 700 ms and was ended'],
  ]
  for (const [event, line] of cases) t.equal(show(event), line)
})
