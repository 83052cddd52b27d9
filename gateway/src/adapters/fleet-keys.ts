import { readFileSync, statSync } from 'node:fs'

/** The text of the fleet keys, and what an operator should be told about where it came from. */
export type KeyText = { readonly text: string; readonly warning?: string }

const SSM_PREFIX = 'ssm:'
/** Anyone but the owner may read or write. */
const OTHERS = 0o077

/** Reads the fleet keys from a file, or, as `ssm:<name>`, from a SecureString of the SSM Parameter Store. Throws with what to look at. */
export async function readFleetKeys(source: string): Promise<KeyText> {
  return source.startsWith(SSM_PREFIX) ? readParameter(source.slice(SSM_PREFIX.length)) : readFile(source)
}

function readFile(path: string): KeyText {
  try {
    const isOpen = (statSync(path).mode & OTHERS) !== 0
    const text = readFileSync(path, 'utf8')
    return isOpen ? { text, warning: 'fleet keys can be read by others: chmod 600' } : { text }
  } catch (cause) {
    throw new Error(`Cannot read the fleet keys (PESEBRE_FLEET_KEYS): ${(cause as Error).message}`, { cause })
  }
}

async function readParameter(name: string): Promise<KeyText> {
  // Loaded only here: who has a file does without the client.
  const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm')
  const client = new SSMClient({})
  try {
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }))
    return { text: Parameter?.Value ?? '' }
  } catch (cause) {
    const { name: kind, message } = cause as Error
    throw new Error(`Cannot read the fleet keys (PESEBRE_FLEET_KEYS): ssm:${name}: ${kind}: ${message}`, {
      cause,
    })
  } finally {
    client.destroy()
  }
}
