import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { FLEET_KEYS_FILE } from '@pesebre/contract/local-stack'
import { type FleetKey, newestOf } from '@pesebre/contract/registration'
import { Failure, type Io } from './command.ts'

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))
const SSM = 'ssm:'

/** Where the fleet keys are: PESEBRE_FLEET_KEYS, or those of the local stack. Undefined: nobody has said it. */
export function fleetKeysPlace(env: Io['env'], isLocal: boolean): string | undefined {
  const given = env['PESEBRE_FLEET_KEYS']?.trim()
  if (given) return given
  return isLocal ? join(homeOf(env), FLEET_KEYS_FILE) : undefined
}

function homeOf(env: Io['env']): string {
  const home = env['PESEBRE_HOME']?.trim() || '.pesebre'
  return home.startsWith('/') ? home : join(CHECKOUT, home)
}

/**
 * Reads the newest fleet key from a file, or as `ssm:<name>` from a SecureString of the SSM Parameter Store.
 * @throws Failure
 */
export async function newestFleetKey(place: string): Promise<FleetKey> {
  const text = place.startsWith(SSM) ? await readParameter(place.slice(SSM.length)) : await readKeys(place)
  try {
    return newestOf(parseFleetKeys(text, place))
  } catch (error) {
    throw new Failure((error as Error).message)
  }
}

async function readKeys(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const advice =
      error.code === 'ENOENT'
        ? 'start the local stack once with npm start, or set PESEBRE_FLEET_KEYS'
        : error.message
    throw new Failure(`Cannot read the fleet keys: ${advice}: ${path}`)
  })
}

async function readParameter(name: string): Promise<string> {
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm')
  const client = new SSMClient({})
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    return Parameter?.Value ?? ''
  } catch (error) {
    const { name: kind, message } = error as Error
    throw new Failure(`Cannot read the fleet keys: ${kind}: ${message.split('\n')[0]}: ${SSM}${name}`)
  } finally {
    client.destroy()
  }
}
