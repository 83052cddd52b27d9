/**
 * What a failed call to AWS means for the bridge.
 * - conflict: the shadow has another version than the one that was named
 * - missing: there is no such shadow (or thing type)
 * - exists: the thing or thing type is there with another configuration
 * - refused: the content is at fault; asking again is no use
 * - unavailable: throttled, down, out of reach, not permitted: the same call may work later
 */
export type CallErrorCode = 'conflict' | 'missing' | 'exists' | 'refused' | 'unavailable'

/** A call to AWS that failed; `cause` is what the SDK said. */
export class CallError extends Error {
  readonly code: CallErrorCode

  constructor(code: CallErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** The code of a failed call, or undefined if the error is none of ours. */
export function codeOf(error: unknown): CallErrorCode | undefined {
  return error instanceof CallError ? error.code : undefined
}

/** By exception name: the status alone does not tell (the control plane throttles with 400). */
const CODE_BY_NAME: Readonly<Record<string, CallErrorCode>> = {
  ConflictException: 'conflict',
  ResourceNotFoundException: 'missing',
  ResourceAlreadyExistsException: 'exists',
  InvalidRequestException: 'refused',
  RequestEntityTooLargeException: 'refused',
  UnsupportedDocumentEncodingException: 'refused',
}

/**
 * Wraps what an AWS SDK client threw. Whatever is not known to be final counts as unavailable:
 * retrying in vain costs a little, giving up a good report is loss.
 */
export function callError(action: string, cause: unknown): CallError {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
  const code = Object.hasOwn(CODE_BY_NAME, name) ? CODE_BY_NAME[name]! : 'unavailable'
  return new CallError(code, `${action}: ${message || name}`, cause)
}
