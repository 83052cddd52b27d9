import t from 'tap'
import { formatEvent, isShown, type Paint, readLogLine } from '../../../local/src/supervisor/log-line.ts'

const plain: Paint = (_style, text) => text

t.test('readLogLine() reads what a process wrote', async (t) => {
  const cases: [string, 'stdout' | 'stderr', string | undefined][] = [
    ['{"level":30,"time":1,"msg":"Ready","port":5683}', 'stdout', 'gateway  info  Ready port=5683'],
    [
      '{"level":50,"msg":"Cannot send","err":{"message":"refused"}}',
      'stdout',
      'gateway  error Cannot send: refused',
    ],
    ['{"level":60,"msg":"Gone"}', 'stdout', 'gateway  error Gone'],
    ['{"level":40,"msg":"x","list":[1],"none":null}', 'stdout', 'gateway  warn  x list=[1] none=null'],
    ['{"level":"warn","msg":"by name"}', 'stdout', 'gateway  warn  by name'],
    ['{"msg":"no level"}', 'stdout', 'gateway  info  no level'],
    ['{ broken', 'stdout', 'gateway  info  { broken'],
    ['TypeError: x is not a function', 'stderr', 'gateway  warn  TypeError: x is not a function'],
    ['    at main (file:///main.ts:1:1)', 'stderr', undefined],
    ['', 'stderr', undefined],
  ]
  for (const [line, source, expected] of cases) {
    const event = readLogLine(line, source)
    t.equal(event && formatEvent(event, 'gateway', plain), expected, line)
  }
})

t.test('formatEvent() cuts a line that is too long for the eye', async (t) => {
  const event = readLogLine(JSON.stringify({ level: 40, msg: 'x'.repeat(5000) }), 'stdout')!
  t.ok(formatEvent(event, 'aws', plain).length < 500)
})

t.test('isShown() compares with the threshold', async (t) => {
  const warn = readLogLine('{"level":40,"msg":"x"}', 'stdout')!
  t.strictSame(
    (['info', 'warn', 'error'] as const).map((threshold) => isShown(warn, threshold)),
    [true, true, false],
  )
})
