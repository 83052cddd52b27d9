import t from 'tap'
import { readConfig } from '../../../local/src/event-source/config.ts'

const PESEBRE_QUEUE_URL = 'http://sqs.us-east-1.127.0.0.1:4566/000000000000/pesebre-reports'

t.test('readConfig: defaults', async (t) => {
  t.match(readConfig({ PESEBRE_QUEUE_URL }), {
    handler: /bridge-lambda\/src\/handler\.ts$/,
    queueUrl: PESEBRE_QUEUE_URL,
    batchSize: 50,
    windowMs: 0,
    pollers: 2,
    timeoutS: 30,
    port: undefined,
    logLevel: 'info',
  })
})

t.test('readConfig: 0 is a port', async (t) => {
  t.equal(readConfig({ PESEBRE_QUEUE_URL, PESEBRE_LAMBDA_PORT: '0' }).port, 0)
  t.equal(readConfig({ PESEBRE_QUEUE_URL, PESEBRE_LAMBDA_PORT: '' }).port, undefined)
})

t.test('readConfig: every problem in one error: the setting, what was given, what is allowed', async (t) => {
  const env = {
    PESEBRE_LAMBDA_BATCH: '101',
    PESEBRE_LAMBDA_WINDOW_MS: 'soon',
    PESEBRE_LAMBDA_POLLERS: '0',
    PESEBRE_LAMBDA_TIMEOUT_S: '901',
    PESEBRE_LAMBDA_PORT: '65536',
    PESEBRE_LOG_LEVEL: 'loud',
  }
  t.throws(() => readConfig(env), {
    message: `Read settings of the poller:
  PESEBRE_QUEUE_URL is missing: allowed is the URL of an SQS queue (http or https)
  PESEBRE_LAMBDA_BATCH is "101": allowed is a whole number from 1 to 100
  PESEBRE_LAMBDA_WINDOW_MS is "soon": allowed is a whole number from 0 to 300000
  PESEBRE_LAMBDA_POLLERS is "0": allowed is a whole number from 1 to 32
  PESEBRE_LAMBDA_TIMEOUT_S is "901": allowed is a whole number from 1 to 900
  PESEBRE_LAMBDA_PORT is "65536": allowed is a whole number from 0 to 65535
  PESEBRE_LOG_LEVEL is "loud": allowed is one of fatal, error, warn, info, debug, trace, silent`,
  })
})
