/** Names and attributes of our cookies follow from the public origin. */
export type CookieJar = {
  /** Reads one of ours out of a Cookie header. */
  read(header: string | undefined, name: CookieName): string | undefined
  /** The value of a Set-Cookie header. @param maxAgeS 0 takes the cookie away */
  write(name: CookieName, value: string, maxAgeS: number): string
}

export type CookieName = 'session' | 'oidc'

/**
 * Over https a cookie is `__Host-<name>`: browsers take it only with Secure, Path=/ and no Domain, so no other host can
 * plant one (RFC 6265bis section 4.1.3.2). Over http (a laptop) the prefix is not allowed and is left out.
 */
export function cookieJar(origin: string): CookieJar {
  const secure = origin.startsWith('https:')
  const nameOf = (name: CookieName) => (secure ? `__Host-${name}` : name)
  return {
    read: (header, name) => readCookie(header ?? '', nameOf(name)),
    write: (name, value, maxAgeS) =>
      `${nameOf(name)}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
  }
}

/** Of two cookies with one name the first counts: browsers send the more specific path first. */
function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}
