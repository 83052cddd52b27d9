import { Failure } from './command.ts'

/** Where a call went: see Target. */
export type Place = { readonly name: string; readonly isLocal: boolean }

/** What to do about an error, by its name at AWS or in the SDK. */
const ADVICE: Readonly<Record<string, string>> = {
  CredentialsProviderError: 'no credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give --local',
  TokenProviderError: 'the session of this profile is over: log in again (aws sso login)',
  ExpiredToken: 'the credentials have expired: get new ones',
  ExpiredTokenException: 'the credentials have expired: get new ones',
  UnrecognizedClientException: 'AWS does not know these credentials: check AWS_PROFILE or AWS_ACCESS_KEY_ID',
  InvalidClientTokenId: 'AWS does not know these credentials: check AWS_PROFILE or AWS_ACCESS_KEY_ID',
  SignatureDoesNotMatch: 'AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY',
  InvalidSignatureException: 'AWS does not accept the signature: check AWS_SECRET_ACCESS_KEY and the clock',
  AccessDenied: 'these credentials do not allow it: use others, or extend their policy',
  AccessDeniedException: 'these credentials do not allow it: use others, or extend their policy',
  ForbiddenException: 'these credentials do not allow it: use others, or extend their policy',
}

/** Codes of the system when nobody is at the address. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
])

/**
 * Puts an error of an AWS client into one line that says what to do.
 * @param action what was tried: `Cannot read the shadow`
 */
export function awsFailure(error: unknown, action: string, place: Place): Failure {
  return new Failure(`${action} in ${place.name}: ${reasonOf(error as Error, place)}`, { cause: error })
}

/** Whether AWS says that what was asked for is not there. */
export function isMissing(error: unknown): boolean {
  const { name } = error as Error
  return name === 'ResourceNotFoundException' || name === 'QueueDoesNotExist'
}

function reasonOf(error: Error, place: Place): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (UNREACHABLE.has(code)) {
    return place.isLocal ? 'nothing listens there: start it with npm start' : `no connection (${code})`
  }
  if (/region is missing/i.test(error.message)) return 'no region: set AWS_REGION'
  return ADVICE[error.name] ?? `${error.name}: ${error.message.split('\n')[0]}`
}
