import { randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  CreateThingTypeCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-iot'
import { thingName } from '@pesebre/contract/kid'
import { POLICIES } from '@pesebre/contract/policies'
import { ignoring, isCertificateActive, localIot, writeSecret } from '../../supervisor/credentials.ts'

/** What is flashed into a camera: the JSON form of what an admin downloads. PEM. */
export type CameraKit = {
  readonly thing: string
  readonly name?: string
  readonly host: string
  readonly port: number
  readonly certificate: string
  readonly key: string
  readonly authority: string
}

const KIND = 'camera'

/** Where the demo camera keeps what was flashed into it. */
export function cameraFile(home: string): string {
  return join(home, 'demo', 'camera.json')
}

/** Reads what was flashed. @throws Error with the path when it is not there or damaged */
export function readKit(file: string): CameraKit {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as CameraKit
  } catch (cause) {
    throw new Error(`Cannot read what the demo camera was given: ${file}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/**
 * Registers the demo camera in AWS IoT, with a certificate of its own and the policy of cameras. What is there stays as it is,
 * unless AWS IoT does not know its certificate any more.
 * @param o.endpoint of the control plane; o.host and o.port are the broker's; o.file keeps what it was given
 */
export async function ensureDemoCamera(
  home: string,
  o: { endpoint: string; host: string; port: number; file?: string },
): Promise<CameraKit> {
  const file = o.file ?? cameraFile(home)
  const iot = localIot(o.endpoint)
  try {
    const old = existsSync(file) ? readKit(file) : undefined
    // A port may have changed from one start to the next, as a camera's settings page lets one do.
    const where = { host: o.host, port: o.port }
    if (old !== undefined && (await isCertificateActive(iot, old.certificate)))
      return save(file, { ...old, ...where })
    const thing = old?.thing ?? thingName(KIND, randomInt(2 ** 32))
    await ignoring(
      ResourceAlreadyExistsException,
      iot.send(new CreateThingTypeCommand({ thingTypeName: KIND })),
    )
    await ignoring(
      ResourceAlreadyExistsException,
      iot.send(new CreateThingCommand({ thingName: thing, thingTypeName: KIND })),
    )
    const made = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }))
    const { certificateArn: principal, certificatePem = '', keyPair } = made
    await iot.send(new AttachPolicyCommand({ policyName: POLICIES.camera, target: principal }))
    await iot.send(new AttachThingPrincipalCommand({ thingName: thing, principal }))
    const authority = readFileSync(join(home, 'iot', 'ca.pem'), 'utf8')
    return save(file, {
      thing,
      name: "Sol's camera",
      ...where,
      certificate: certificatePem,
      key: keyPair?.PrivateKey ?? '',
      authority,
    })
  } finally {
    iot.destroy()
  }
}

function save(file: string, kit: CameraKit): CameraKit {
  writeSecret(file, `${JSON.stringify(kit)}\n`)
  return kit
}
