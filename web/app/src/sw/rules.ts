/** What the service worker keeps, as pure functions. */

type Asked = { method: string; mode: string; url: URL; origin: string }

/** How a request is answered: `page` network first, `file` from the cache, `pass` not at all by us. */
export function routeOf({ method, mode, url, origin }: Asked): 'page' | 'file' | 'pass' {
  if (method !== 'GET' || url.origin !== origin) return 'pass'
  if (/^\/(api|relay|healthz|readyz|metrics)(\/|$)/.test(url.pathname)) return 'pass'
  if (url.pathname.startsWith('/assets/')) return 'file'
  return mode === 'navigate' ? 'page' : 'pass'
}

/** The hashed files that a page names. */
export function filesOf(html: string): string[] {
  return [...new Set([...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!))]
}

/**
 * Whether a kept file may go when a new version has come: files that pages load later are named by no page, so they stay
 * until the entry that names them has another name.
 */
export function hasExpired(path: string, files: readonly string[]): boolean {
  const entry = /^\/assets\/index-/
  return entry.test(path) && !files.includes(path)
}
