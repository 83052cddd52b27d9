import { createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  IoTClient,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-iot'
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import {
  GetParameterCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import { readSetupConfig } from '../config.ts'
import { whileDenied } from './patience.ts'
import { type SetupAnswer, type SetupPorts, type SetupRequest, setUp } from './setup.ts'

const config = readSetupConfig(process.env)
const iot = new IoTClient({})
const iotData = new IoTDataPlaneClient({})
const stores = new Map<string, SSMClient>()

function store(region = config.region): SSMClient {
  const client = stores.get(region) ?? new SSMClient({ region })
  stores.set(region, client)
  return client
}

const ports: SetupPorts = {
  read: async (name, region) => {
    try {
      const { Parameter } = await store(region).send(
        new GetParameterCommand({ Name: name, WithDecryption: true }),
      )
      return Parameter?.Value
    } catch (error) {
      if (error instanceof ParameterNotFound) return undefined
      throw error
    }
  },
  make: async (name, value, region) => {
    const command = new PutParameterCommand({
      Name: name,
      Value: value,
      Type: 'SecureString',
      Overwrite: false,
    })
    try {
      await store(region).send(command)
      return true
    } catch (error) {
      if (error instanceof ParameterAlreadyExists) return false
      throw error
    }
  },
  createCertificate: async () => {
    const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }))
    return {
      arn: made.certificateArn ?? '',
      certificate: made.certificatePem ?? '',
      key: made.keyPair?.PrivateKey ?? '',
    }
  },
  attach: async (certificate, thing, policy) => {
    await iot.send(new AttachPolicyCommand({ policyName: policy, target: certificate }))
    await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal: certificate }))
  },
  admit: async (thing, name) => {
    try {
      await iotData.send(new GetThingShadowCommand({ thingName: thing, shadowName: CONTROL_SHADOW }))
      return
    } catch (error) {
      if (!(error instanceof ResourceNotFoundException)) throw error
    }
    try {
      await iot.send(new CreateThingCommand({ thingName: thing }))
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error
    }
    const payload = Buffer.from(JSON.stringify({ state: { desired: { enabled: true, name, queue: [] } } }))
    await iotData.send(
      new UpdateThingShadowCommand({ thingName: thing, shadowName: CONTROL_SHADOW, payload }),
    )
  },
  randomHex: (bytes) => randomBytes(bytes).toString('hex'),
  hmac: (key, data) => createHmac('sha256', key).update(data).digest(),
}

/** What Terraform invokes at every apply. */
export async function handler(request: SetupRequest): Promise<SetupAnswer> {
  const answer = await whileDenied(() => setUp(config.path, request, ports), { now: Date.now, sleep })
  console.log(JSON.stringify({ msg: 'set up', made: answer.made }))
  return answer
}
