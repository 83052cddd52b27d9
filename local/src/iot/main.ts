/**
 * Stands in for AWS IoT: REST on 127.0.0.1:PESEBRE_IOT_PORT, MQTT over TLS on PESEBRE_MQTT_PORT, with all data and
 * the certificate that clients trust (ca.pem) in PESEBRE_HOME/iot. GET /healthz answers when both are ready.
 */
import { join } from 'node:path'
import { LOCAL_REGION } from '@pesebre/contract/local-stack'
import { pino } from 'pino'
import { runProcess } from '../run-process.ts'
import { startIot } from './start.ts'

const log = pino({ level: process.env['PESEBRE_LOG_LEVEL'] || 'info', base: { name: 'iot' } })

await runProcess({ names: ['iot', 'mqtt'], log }, async (ports) => {
  const iot = await startIot({
    dir: join(process.env['PESEBRE_HOME'] || '.pesebre', 'iot'),
    restPort: ports.iot,
    mqttPort: ports.mqtt,
    region: process.env['AWS_REGION'] || LOCAL_REGION,
    onError: (err) => log.error({ err }, 'Request failed'),
  })
  log.info({ port: iot.restPort, mqttPort: iot.mqttPort, ca: iot.caFile }, 'AWS IoT ready')
  return { stop: () => iot.close() }
})
