import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { FLEET_KEYS_FILE } from '@pesebre/contract/local-stack'
import { Failure, type Io } from './command.ts'

/** From what the keys of devices are derived: see contract/src/kid.ts. */
export type FleetKey = { readonly version: number; readonly key: Uint8Array }

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
  const keys = parse(text, place)
  return keys.reduce((newest, each) => (each.version > newest.version ? each : newest))
}

function parse(text: string, place: string): FleetKey[] {
  try {
    return [...parseFleetKeys(text, place)].map(([version, key]) => ({ version, key }))
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
