import { readFile } from 'node:fs/promises'
import { parseFleetKeys } from '@pesebre/contract/fleet-keys'
import { type FleetKey, newestOf } from '@pesebre/contract/registration'

const SSM = 'ssm:'

/**
 * The fleet key that new devices get theirs from: out of a file, or, as `ssm:<name>`, a SecureString of the SSM Parameter
 * Store. Read anew each time: it need not stay in memory, and a newer one is seen without a restart.
 * @throws Error whose message holds nothing of a key
 */
export async function readFleetKey(source: string): Promise<FleetKey> {
  const text = source.startsWith(SSM)
    ? await readParameter(source.slice(SSM.length))
    : await readFile(source, 'utf8')
  return newestOf(parseFleetKeys(text, source))
}

async function readParameter(name: string): Promise<string> {
  // Loaded only here: who has a file does without the client.
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm')
  const client = new SSMClient({})
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    return Parameter?.Value ?? ''
  } finally {
    client.destroy()
  }
}
