import type { Problem as ProblemBody } from '@pesebre/contract/api/problem'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** Every problem that the API tells of: the last part of its `type`, its status, and its title. */
const PROBLEMS = {
  invalid: [400, 'The request is not as documented'],
  'not-signed-in': [401, 'Sign in first'],
  'wrong-credentials': [401, 'The e-mail address or the password is wrong'],
  forbidden: [403, 'Your role does not allow this'],
  'foreign-origin': [403, 'The request comes from another site'],
  'csrf-missing': [403, 'The header x-csrf is missing or wrong'],
  'not-found': [404, 'There is no such thing, or it is not yours to see'],
  'link-used': [410, 'This link has been used, or its time is past'],
  conflict: [409, 'This does not go with how things are now'],
  'key-reused': [422, 'The Idempotency-Key was used for another request'],
  refused: [422, 'This may not be done'],
  'too-large': [413, 'The request is too large'],
  'wrong-media-type': [415, 'This media type is not understood here'],
  'too-many-requests': [429, 'Too many requests'],
  'request-timeout': [408, 'The request took too long to arrive'],
  internal: [500, 'A fault of the server'],
  unavailable: [503, 'A part of the server is away'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemName = keyof typeof PROBLEMS

/** Thrown anywhere below a route: becomes the answer (RFC 9457). */
export class Problem extends Error {
  readonly problem: ProblemName
  readonly extra: Omit<ProblemBody, 'type' | 'title' | 'status'>

  /** @param extra fields of the answer beside type, title and status; `detail` is also the error's message */
  constructor(problem: ProblemName, extra: Omit<ProblemBody, 'type' | 'title' | 'status'> = {}) {
    super(extra.detail ?? PROBLEMS[problem][1])
    this.problem = problem
    this.extra = extra
  }
}

/** The body of a problem's answer. */
export function problemBody(name: ProblemName, extra: Problem['extra'] = {}): ProblemBody {
  const [status, title] = PROBLEMS[name]
  return { type: `/problems/${name}`, title, status, ...extra }
}

/** Fastify's error handler: what we know becomes its answer, what we do not know becomes 500 with nothing leaked. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = error instanceof Problem ? error : known(error as FastifyError)
  if (problem === undefined) {
    request.log.error({ err: error, request: request.id }, 'internal error')
    return sendProblem(reply, problemBody('internal', { request: String(request.id) }))
  }
  return sendProblem(reply, problemBody(problem.problem, problem.extra))
}

export function sendProblem(reply: FastifyReply, body: ProblemBody): FastifyReply {
  if (body.retryAfter !== undefined) reply.header('retry-after', body.retryAfter)
  return reply
    .code(body.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body)
}

/** Fastify's own errors, by their code or status: https://fastify.dev/docs/latest/Reference/Errors/ */
function known({ code, statusCode, message }: FastifyError): Problem | undefined {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('too-large')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return new Problem('wrong-media-type')
  if (statusCode === 429) return new Problem('too-many-requests', { retryAfter: 60 })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new Problem('invalid', { detail: message })
  return undefined
}
