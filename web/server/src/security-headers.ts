import type { FastifyHelmetOptions } from '@fastify/helmet'
import type { Deps } from './deps.ts'

const YEAR_S = 31_536_000

/**
 * What browsers are told about every answer. Scripts and styles come from our own files only, and nothing may frame us;
 * pictures come from the bucket, too, and camera frames are blobs.
 */
export function securityHeaders({
  origin,
  pictureOrigins = [],
}: Pick<Deps, 'origin' | 'pictureOrigins'>): FastifyHelmetOptions {
  const secure = origin.startsWith('https:')
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'blob:', 'data:', ...pictureOrigins],
        'font-src': ["'self'"],
        // Not every browser counts a WebSocket of the same host as 'self'.
        'connect-src': ["'self'", origin.replace(/^http/, 'ws'), ...pictureOrigins],
        'worker-src': ["'self'"],
        'manifest-src': ["'self'"],
        'form-action': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        ...(secure && { 'upgrade-insecure-requests': [] }),
      },
    },
    strictTransportSecurity: secure ? { maxAge: YEAR_S } : false,
    referrerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
  }
}
