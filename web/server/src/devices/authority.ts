import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'

/**
 * The certificate that devices verify AWS IoT by, PEM: what we verify it by ourselves, or Amazon Root CA 1, which signs the
 * certificates of AWS IoT's endpoints (AWS IoT Developer Guide, "Server authentication"), out of the list that Node brings.
 */
export async function readAuthority(path: string | undefined): Promise<string> {
  if (path !== undefined) return readFile(path, 'utf8')
  const found = rootCertificates.find((pem) =>
    /\bCN=Amazon Root CA 1\b/.test(new X509Certificate(pem).subject),
  )
  if (found === undefined) throw new Error('Cannot find Amazon Root CA 1: set PESEBRE_MQTT_CA')
  return `${found.trim()}\n`
}
