import { join } from 'node:path'
import { BUCKET, FLEET_KEYS_FILE, LOCAL_REGION } from '@pesebre/contract/local-stack'
import { cameraFile } from '../demo/camera/registration.ts'
import type { Ports } from './config.ts'
import { type GatewayId, gatewayFiles, webFiles } from './gateway-files.ts'
import type { QueueUrls } from './queues.ts'

/** What the table below needs to know. */
export type Surroundings = {
  readonly ports: Ports
  /** Where the stand-in for Lambda says that it is ready: any free port, since nobody else asks there. */
  readonly lambdaPort: number
  /** Absolute. */
  readonly home: string
  /** How many gateways run. */
  readonly gateways: number
  readonly logLevel: string
  /** Known once the stand-in for SQS runs. */
  readonly queues: QueueUrls
  /** Opens the door to who makes the first admin (PESEBRE_SETUP_TOKEN of the web server). */
  readonly setupToken: string
}

export type ProcessName = 'aws' | 'iot' | 'lambda' | 'gateway' | 'gateway-b' | 'web' | 'demo' | 'camera'

/** What the supervisor does itself between the processes (stack.ts). */
export type Step = 'queues' | 'credentials' | 'pages' | 'seed'

export type ProcessSpec = {
  readonly name: ProcessName
  /** Script, relative to the checkout. */
  readonly main: string
  /** Started when those of these that run are ready, and stopped before them. */
  readonly needs: readonly (ProcessName | Step)[]
  /** The process that it stops side by side with, instead of one after the other. */
  readonly stopsWith?: ProcessName
  /** How long it may take to stop before it is ended, milliseconds. All together stay under five seconds. */
  readonly stopMs: number
  /** Answers 2xx over HTTP when the process is ready; undefined: as soon as it runs. */
  readonly ready: (ports: Ports, lambdaPort: number) => string | undefined
  /** What it is told by environment variables, beside what every process gets (see `environment`). */
  readonly env: (stack: Surroundings) => Readonly<Record<string, string>>
}

/** The processes of the local stack in the order of their start; they are stopped in the reverse order. */
export const PROCESSES: readonly ProcessSpec[] = [
  {
    name: 'aws',
    main: 'local/src/aws-main.ts',
    needs: [],
    stopMs: 600,
    ready: ({ aws }) => `http://127.0.0.1:${aws}/health`,
    env: ({ ports, home }) => ({
      PESEBRE_AWS_PORT: `${ports.aws}`,
      PESEBRE_AWS_DIR: join(home, 'aws'),
    }),
  },
  {
    name: 'iot',
    main: 'local/src/iot/main.ts',
    needs: [],
    stopMs: 600,
    ready: ({ iot }) => `http://127.0.0.1:${iot}/healthz`,
    env: ({ ports, home }) => ({
      PESEBRE_IOT_PORT: `${ports.iot}`,
      PESEBRE_MQTT_PORT: `${ports.mqtt}`,
      PESEBRE_HOME: home,
    }),
  },
  {
    name: 'lambda',
    main: 'local/src/lambda-main.ts',
    needs: ['queues', 'iot'],
    stopMs: 1500,
    ready: (_ports, lambdaPort) => `http://127.0.0.1:${lambdaPort}/readyz`,
    env: ({ queues, lambdaPort }) => ({
      PESEBRE_QUEUE_URL: queues.queue,
      PESEBRE_DLQ_URL: queues.deadLetters,
      PESEBRE_LAMBDA_PORT: `${lambdaPort}`,
    }),
  },
  gateway('a'),
  gateway('b'),
  {
    name: 'web',
    main: 'web/server/src/main.ts',
    needs: ['queues', 'credentials', 'pages'],
    stopsWith: 'gateway',
    stopMs: 1500,
    ready: ({ webAdmin }) => `http://127.0.0.1:${webAdmin}/readyz`,
    env: ({ ports, home, queues, gateways, setupToken }) => {
      const files = webFiles(home)
      const admins = gateways > 1 ? [ports.admin, ports.adminB] : [ports.admin]
      return {
        PESEBRE_WEB_HOST: '127.0.0.1',
        PESEBRE_WEB_PORT: `${ports.web}`,
        PESEBRE_WEB_ADMIN_PORT: `${ports.webAdmin}`,
        PESEBRE_WEB_URL: `http://localhost:${ports.web}`,
        PESEBRE_WEB_DIR: join(home, 'web'),
        PESEBRE_SETUP_TOKEN: setupToken,
        PESEBRE_BUCKET: BUCKET,
        PESEBRE_HISTORY_POLL_S: '5',
        PESEBRE_QUEUE_URL: queues.queue,
        PESEBRE_DLQ_URL: queues.deadLetters,
        PESEBRE_FLEET_KEYS: join(home, FLEET_KEYS_FILE),
        PESEBRE_GATEWAY_ADMIN: admins.map((port) => `http://127.0.0.1:${port}`).join(','),
        PESEBRE_GATEWAY_LIST: gatewayList(ports, gateways),
        PESEBRE_MQTT_HOST: '127.0.0.1',
        PESEBRE_MQTT_PORT: `${ports.mqtt}`,
        PESEBRE_MQTT_CERT: files.certificate,
        PESEBRE_MQTT_KEY: files.key,
        PESEBRE_MQTT_CA: files.authority,
      }
    },
  },
  {
    name: 'demo',
    main: 'local/src/demo-main.ts',
    needs: ['gateway', 'gateway-b', 'credentials', 'seed'],
    stopMs: 300,
    ready: () => undefined,
    env: ({ ports, home, gateways }) => ({
      PESEBRE_HOME: home,
      PESEBRE_COAP_PORT: `${ports.coap}`,
      // Empty, not left out: it would be inherited, and the feeders would look for a gateway that does not run.
      PESEBRE_COAP_PORT_B: gateways > 1 ? `${ports.coapB}` : '',
    }),
  },
  {
    name: 'camera',
    main: 'local/src/camera-main.ts',
    needs: ['credentials', 'seed'],
    stopsWith: 'demo',
    stopMs: 300,
    ready: () => undefined,
    env: ({ home }) => ({ PESEBRE_CAMERA_KIT: cameraFile(home) }),
  },
]

function gateway(id: GatewayId): ProcessSpec {
  const coap = id === 'a' ? 'coap' : 'coapB'
  const admin = id === 'a' ? 'admin' : 'adminB'
  return {
    name: id === 'a' ? 'gateway' : 'gateway-b',
    main: 'gateway/src/main.ts',
    needs: ['queues', 'credentials'],
    stopsWith: 'gateway',
    stopMs: 1500,
    ready: (ports) => `http://127.0.0.1:${ports[admin]}/readyz`,
    env: ({ ports, home, queues }) => {
      const files = gatewayFiles(home, id)
      return {
        PESEBRE_GATEWAY_ID: id,
        PESEBRE_COAP_HOST: '127.0.0.1',
        PESEBRE_COAP_PORT: `${ports[coap]}`,
        PESEBRE_ADMIN_HOST: '127.0.0.1',
        PESEBRE_ADMIN_PORT: `${ports[admin]}`,
        PESEBRE_QUEUE_URL: queues.queue,
        PESEBRE_JOURNAL_DIR: files.journal,
        PESEBRE_ALLOW_OPEN: 'true',
        PESEBRE_FLEET_KEYS: join(home, FLEET_KEYS_FILE),
        PESEBRE_MQTT_HOST: '127.0.0.1',
        PESEBRE_MQTT_PORT: `${ports.mqtt}`,
        PESEBRE_MQTT_CERT: files.certificate,
        PESEBRE_MQTT_KEY: files.key,
        PESEBRE_MQTT_CA: files.authority,
        PESEBRE_ARCHIVE_BUCKET: BUCKET,
        // People who try the product do not want to wait a minute for their first chart.
        PESEBRE_ARCHIVE_ROTATE_S: '10',
        // What is not delivered by then is in the journal, and is delivered after the next start.
        PESEBRE_STOP_TIMEOUT_MS: '1000',
      }
    },
  }
}

/** What devices are told about where gateways are (PESEBRE_GATEWAY_LIST). */
function gatewayList(ports: Ports, gateways: number): string {
  const list = [`a=127.0.0.1:${ports.coap}`, ...(gateways > 1 ? [`b=127.0.0.1:${ports.coapB}`] : [])]
  return `1:${list.join(',')}`
}

/**
 * The whole environment of one process: the supervisor's own, without anything that would lead an AWS client to a
 * real account, plus the addresses of the stand-ins, plus what the table says. Settings of the gateway that the
 * table does not fix (PESEBRE_WORKERS, PESEBRE_DEVICE_RATE, ...) reach it this way, too.
 */
export function environment(
  spec: ProcessSpec,
  stack: Surroundings,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const aws = `http://127.0.0.1:${stack.ports.aws}`
  const iot = `http://127.0.0.1:${stack.ports.iot}`
  const inherited = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith('AWS_'),
  )
  return {
    ...Object.fromEntries(inherited),
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // No profile of this machine's user is read, and no metadata service is asked.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_SQS: aws,
    AWS_ENDPOINT_URL_S3: aws,
    AWS_ENDPOINT_URL_IOT: iot,
    AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot,
    PESEBRE_LOG_LEVEL: stack.logLevel,
    ...spec.env(stack),
  }
}
