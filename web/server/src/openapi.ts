import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { ProblemSchema } from '@pesebre/contract/api/problem'
import { PERMISSIONS, type Permission } from './access.ts'

/**
 * The OpenAPI 3.1 document: out of the schemas that check requests, plus what is the same everywhere: problems, and who may.
 */
export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Pesebre',
      version: '1',
      description: [
        'Times are milliseconds since 1970, amounts are grams, minutes are of the day in the zone that stands beside them.',
        'Errors are RFC 9457 problem details; decide by `type`.',
        'Writes by cookie carry the header `x-csrf` with the value from `GET /api/session`; bearer tokens need none.',
      ].join(' '),
    },
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-session' },
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      },
    },
  },
  transform({ schema, url, route }) {
    const { access = 'public' } = route.config ?? {}
    const response = (schema.response ?? {}) as Record<string, unknown>
    const isOpen = PERMISSIONS[access] === 'anyone'
    return {
      url,
      schema: {
        ...schema,
        tags: [url.split('/')[2] ?? ''],
        description: [schema.description, whoMay(access)].filter((text) => text !== undefined).join('. '),
        security: isOpen ? [] : [{ session: [] }, { bearer: [] }],
        response: { ...response, default: PROBLEM },
      },
    }
  },
}

const PROBLEM = {
  description: 'Anything that went wrong',
  content: { 'application/problem+json': { schema: ProblemSchema } },
}

function whoMay(access: Permission): string {
  const rule: string | readonly string[] = PERMISSIONS[access]
  if (rule === 'anyone') return 'For anyone'
  if (rule === 'signed-in') return 'For whoever is signed in'
  if (rule === 'admin') return 'For admins'
  return `For ${[...rule].join(', ')} of the stable, and admins`
}
