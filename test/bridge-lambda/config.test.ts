import t from 'tap'
import { readConfig } from '../../bridge-lambda/src/config.ts'

t.test('readConfig: defaults', async (t) => {
  t.strictSame(readConfig({ PESEBRE_DLQ_URL: 'http://127.0.0.1:4566/0/dlq', PESEBRE_LOG_LEVEL: '' }), {
    dlqUrl: 'http://127.0.0.1:4566/0/dlq',
    logLevel: 'info',
    concurrency: 16,
    cachedThings: 20_000,
    thingsPerSecond: 100,
    typesPerSecond: 15,
  })
})

t.test('readConfig: every problem in one error: the setting, what was given, what is allowed', async (t) => {
  const env = {
    PESEBRE_DLQ_URL: 'ftp://x',
    PESEBRE_LOG_LEVEL: 'loud',
    PESEBRE_BRIDGE_CONCURRENCY: '0',
    PESEBRE_BRIDGE_CACHE: '1e3',
    PESEBRE_THINGS_PER_SECOND: '-1',
    PESEBRE_THING_TYPES_PER_SECOND: '15 ',
  }
  t.throws(() => readConfig(env), {
    message: `Read settings of the bridge:
  PESEBRE_DLQ_URL is "ftp://x": allowed is the URL of an SQS queue (http or https)
  PESEBRE_LOG_LEVEL is "loud": allowed is one of fatal, error, warn, info, debug, trace, silent
  PESEBRE_BRIDGE_CONCURRENCY is "0": allowed is a whole number from 1 to 256
  PESEBRE_BRIDGE_CACHE is "1e3": allowed is a whole number from 1 to 1000000
  PESEBRE_THINGS_PER_SECOND is "-1": allowed is a whole number from 1 to 100000
  PESEBRE_THING_TYPES_PER_SECOND is "15 ": allowed is a whole number from 1 to 100000`,
  })
  t.throws(() => readConfig({}), { message: /PESEBRE_DLQ_URL is missing/ })
  for (const PESEBRE_BRIDGE_CONCURRENCY of ['1', '256']) {
    t.equal(
      readConfig({ PESEBRE_DLQ_URL: 'http://q/1/q', PESEBRE_BRIDGE_CONCURRENCY }).concurrency,
      Number(PESEBRE_BRIDGE_CONCURRENCY),
    )
  }
  t.throws(() => readConfig({ PESEBRE_DLQ_URL: 'http://q/1/q', PESEBRE_BRIDGE_CONCURRENCY: '257' }))
})
