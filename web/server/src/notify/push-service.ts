import { isIP } from 'node:net'

/**
 * Whether an address can be that of a browser's push service: the server sends requests there on a person's word, so it must not lead
 * into our own network (server-side request forgery). Push services have names, in public, and HTTPS.
 */
export function isPushService(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false
  const { protocol, hostname, username, port } = new URL(endpoint)
  const isNamed = isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && /\.[a-z][a-z0-9-]+$/i.test(hostname)
  const isInner = /(^|\.)(localhost|local|internal|lan|home\.arpa|intranet)$/i.test(hostname)
  return protocol === 'https:' && isNamed && !isInner && username === '' && port === ''
}
