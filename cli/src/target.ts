import type { IoTClientConfig } from '@aws-sdk/client-iot'
import type { IoTDataPlaneClientConfig } from '@aws-sdk/client-iot-data-plane'
import type { SQSClientConfig } from '@aws-sdk/client-sqs'
import { LOCAL_REGION, PORTS, type PortName, parsePort } from '@pesebre/contract/local-stack'
import { type Args, Misuse, type Option } from './command.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Where queues and shadows are: the local stack or AWS. */
export type Target = {
  readonly isLocal: boolean
  readonly sqs: SQSClientConfig
  /** AWS IoT's control plane: things and their types. */
  readonly iot: IoTClientConfig
  readonly iotData: IoTDataPlaneClientConfig
  /** For a person: `the local stack (http://127.0.0.1:4566)`. */
  readonly sqsPlace: string
  readonly iotPlace: string
}

/** For every command that uses queues or shadows. */
export const TARGET_OPTIONS = {
  local: { type: 'boolean', help: 'Use the local stack, whatever AWS_* settings there are' },
  aws: { type: 'boolean', help: 'Use AWS, with the settings that every AWS tool reads' },
} as const satisfies Record<string, Option>

export const TARGET_HELP = [
  'Where it looks: in the local stack (127.0.0.1, ports from PESEBRE_AWS_PORT and PESEBRE_IOT_PORT), unless AWS_PROFILE,',
  'AWS_ACCESS_KEY_ID, the credentials of a container, or an AWS_ENDPOINT_URL is set: then in AWS, as any AWS tool',
  'would. --local and --aws decide it in any case (on an EC2 instance with a role, say --aws). Messages name the place.',
].join('\n')

/** Any of these means that somebody has set up AWS in this shell. A region alone does not. */
const AWS_SETTINGS = [
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_SQS',
  'AWS_ENDPOINT_URL_IOT',
  'AWS_ENDPOINT_URL_IOT_DATA_PLANE',
]

const DUMMY_CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' }

/** Decides where to look. @throws Misuse when both --local and --aws are given, or a port is none */
export function targetOf(args: Args, env: Env): Target {
  const { local, aws } = args.flag
  if (local && aws) throw new Misuse('Only one of --local and --aws can be given')
  const useAws = aws || (!local && AWS_SETTINGS.some((name) => env[name]))
  return useAws ? awsTarget(env) : localTarget(env)
}

/** A port of the local stack, from its setting. @throws Misuse */
export function localPort(name: PortName, env: Env): number {
  const { setting, standard } = PORTS[name]
  const text = env[setting]?.trim()
  if (!text) return standard
  const port = parsePort(text)
  if (port === undefined) throw new Misuse(`${setting} must be a port from 1 to 65535: "${text}"`)
  return port
}

function localTarget(env: Env): Target {
  const sqs = `http://127.0.0.1:${localPort('aws', env)}`
  const iot = `http://127.0.0.1:${localPort('iot', env)}`
  const common = { region: LOCAL_REGION, credentials: DUMMY_CREDENTIALS }
  return {
    isLocal: true,
    sqs: { ...common, endpoint: sqs, useQueueUrlAsEndpoint: false },
    iot: { ...common, endpoint: iot },
    iotData: { ...common, endpoint: iot },
    sqsPlace: `the local stack (${sqs})`,
    iotPlace: `the local stack (${iot})`,
  }
}

/** The SDK reads everything itself; only an emulator on this machine needs no credentials of anybody. */
function awsTarget(env: Env): Target {
  const sqs = env['AWS_ENDPOINT_URL_SQS'] || env['AWS_ENDPOINT_URL']
  const iot = env['AWS_ENDPOINT_URL_IOT_DATA_PLANE'] || env['AWS_ENDPOINT_URL']
  return {
    isLocal: false,
    // The queue URL's host is no place to follow: an emulator puts a name there that does not resolve.
    sqs: { ...emulatorSettings(sqs, env), useQueueUrlAsEndpoint: false },
    iot: emulatorSettings(env['AWS_ENDPOINT_URL_IOT'] || env['AWS_ENDPOINT_URL'], env),
    iotData: emulatorSettings(iot, env),
    sqsPlace: placeOf(sqs, env),
    iotPlace: placeOf(iot, env),
  }
}

function emulatorSettings(endpoint: string | undefined, env: Env) {
  if (endpoint === undefined || !/^https?:\/\/(127\.|localhost\b|\[::1\])/.test(endpoint)) return {}
  return {
    ...(env['AWS_REGION'] || env['AWS_PROFILE'] ? {} : { region: LOCAL_REGION }),
    ...(env['AWS_ACCESS_KEY_ID'] || env['AWS_PROFILE'] ? {} : { credentials: DUMMY_CREDENTIALS }),
  }
}

function placeOf(endpoint: string | undefined, env: Env): string {
  const region = env['AWS_REGION'] ? ` ${env['AWS_REGION']}` : ''
  const profile = env['AWS_PROFILE'] ? ` (profile ${env['AWS_PROFILE']})` : ''
  return endpoint ?? `AWS${region}${profile}`
}
