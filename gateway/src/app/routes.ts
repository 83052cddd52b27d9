import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import type { Option } from '@pesebre/coap/codec/message'
import { maxAge, size1 } from '@pesebre/coap/endpoint/response'
import type { Request, Response } from '@pesebre/coap/endpoint/types'
import { answerMax } from './answer-max.ts'
import { commands } from './commands.ts'
import { discovery } from './discovery.ts'
import { health } from './health.ts'
import { type OpenReportPorts, openReport } from './open-report.ts'
import type { NotReady } from './ports.ts'
import { Refusal } from './refusal.ts'
import { type SecurePorts, uplink, type Verified } from './uplink.ts'

export type AppPorts = OpenReportPorts & {
  /** Whether devices may report without security. */
  allowOpen: boolean
  /** What registered devices need; undefined: there is no OSCORE here. */
  secure?: SecurePorts | undefined
  notReady: NotReady
  /** What the device is to be told about an error of an adapter; undefined: nothing, it is a fault of ours. */
  refusalOf: (error: unknown, request: Request) => Refusal | undefined
  onRefusal: (refusal: Refusal) => void
  onFault: (error: unknown) => void
}

/**
 * Answers one request. Never throws or rejects: whatever is thrown becomes a response here, and only here.
 * Not an `async` function, which would cost each report two promises more.
 */
export function answer(request: Request, ports: AppPorts): Response | Promise<Response> {
  try {
    const response = route(request, ports)
    return response instanceof Promise
      ? response.catch((error) => responseTo(error, request, ports))
      : response
  } catch (error) {
    return responseTo(error, request, ports)
  }
}

function responseTo(error: unknown, request: Request, ports: AppPorts): Response {
  const refusal = error instanceof Refusal ? error : ports.refusalOf(error, request)
  if (refusal) {
    ports.onRefusal(refusal)
    return refused(refusal, request)
  }
  ports.onFault(error)
  return { code: CODE.INTERNAL_SERVER_ERROR }
}

function route(request: Request, ports: AppPorts): Response | Promise<Response> {
  const { path, method } = request
  if (ports.secure !== undefined && path.length === 1 && (path[0] === 'u' || path[0] === 'commands'))
    return secured(request, path[0], ports.secure)
  if (path.length === 2 && path[0] !== '.well-known') {
    // Its name is in its key, and the path could only contradict it.
    if (request.principal !== undefined) throw new Refusal(CODE.FORBIDDEN, 'Registered device: POST /u')
    if (!ports.allowOpen) throw new Refusal(CODE.NOT_FOUND, 'Open reports are off')
    if (method !== METHOD.POST && method !== METHOD.PUT)
      throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'Only POST and PUT')
    return openReport(request, ports)
  }
  if (path.length === 1 && path[0] === 'health') {
    if (method !== METHOD.GET) throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'Only GET')
    return health(request, ports)
  }
  if (path.length === 2 && path[1] === 'core') {
    if (method !== METHOD.GET) throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'Only GET')
    return discovery(request, { open: ports.allowOpen, secure: ports.secure !== undefined })
  }
  // Listed by discovery: the place under which reports are posted.
  if (path.length === 0 && ports.allowOpen) throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'POST /{type}/{id}')
  throw new Refusal(CODE.NOT_FOUND, 'No such resource')
}

function secured(
  request: Request,
  resource: 'u' | 'commands',
  ports: SecurePorts,
): Response | Promise<Response> {
  if (!isVerified(request)) throw new Refusal(CODE.UNAUTHORIZED, 'OSCORE only')
  if (request.conditional) throw new Refusal(CODE.BAD_OPTION, 'No If-Match here')
  if (resource === 'u') {
    if (request.method !== METHOD.POST) throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'Only POST')
    return uplink(request, ports)
  }
  if (request.method !== METHOD.GET) throw new Refusal(CODE.METHOD_NOT_ALLOWED, 'Only GET')
  return commands(request, ports)
}

function isVerified(request: Request): request is Verified {
  return request.principal !== undefined && request.sequence !== undefined
}

const DIAGNOSTIC_MAX = 64
/** Header, longest token, longest Max-Age, Size1 and Block1, payload marker. */
const OVERHEAD = 4 + 8 + 6 + 6 + 5 + 1

const encoder = new TextEncoder()

function refused(refusal: Refusal, request: Request): Response {
  const options: Option[] = []
  if (refusal.retryAfter !== undefined) options.push(maxAge(refusal.retryAfter))
  if (refusal.size !== undefined) options.push(size1(refusal.size))
  // Whoever asked may have given a false address: no answer is larger than three times the request.
  const room = Math.max(0, Math.min(DIAGNOSTIC_MAX, answerMax(request) - OVERHEAD))
  const payload = new Uint8Array(room)
  // Cuts between characters, so that it stays UTF-8.
  const { written } = encoder.encodeInto(refusal.message, payload)
  return { code: refusal.code, options, payload: payload.subarray(0, written) }
}
