import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'

/** More than these in one file are not an authority, but the list of all that a system trusts. */
const OWN_MAX = 4
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The certificate that devices verify AWS IoT by, PEM: the one that we were given to verify it by ourselves, or Amazon Root
 * CA 1, which signs the certificates of AWS IoT's endpoints (AWS IoT Developer Guide, "Server authentication"), out of the
 * system's list or the one that Node brings. A device has no room for a whole list.
 */
export async function readAuthority(path: string | undefined): Promise<string> {
  const given = path === undefined ? [] : ((await readFile(path, 'utf8')).match(PEM) ?? [])
  if (given.length > 0 && given.length <= OWN_MAX) return `${given.join('\n')}\n`
  const found = [...given, ...rootCertificates].find(isAmazonRoot)
  if (found === undefined) throw new Error('Cannot find Amazon Root CA 1: set PESEBRE_MQTT_CA to it')
  return `${found.trim()}\n`
}

function isAmazonRoot(pem: string): boolean {
  return /\bCN=Amazon Root CA 1\b/.test(new X509Certificate(pem).subject)
}
