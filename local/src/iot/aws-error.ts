/** Exceptions of the AWS IoT APIs and their HTTP status (AWS IoT API Reference, "Errors" of each action). */
const STATUS = {
  InvalidRequestException: 400,
  MalformedPolicyException: 400,
  ResourceNotFoundException: 404,
  MethodNotAllowedException: 405,
  CertificateStateException: 406,
  ConflictException: 409,
  DeleteConflictException: 409,
  ResourceAlreadyExistsException: 409,
  VersionConflictException: 409,
  LimitExceededException: 410,
  RequestEntityTooLargeException: 413,
  UnsupportedDocumentEncodingException: 415,
  InternalFailureException: 500,
} as const

export type AwsErrorType = keyof typeof STATUS

/** An answer that an AWS API gives instead of a result: status, `x-amzn-errortype`, and `{"message"}` with `fields`. */
export class AwsError extends Error {
  override name = 'AwsError' as const
  readonly type: AwsErrorType
  readonly status: number
  readonly fields: Readonly<Record<string, string>>

  constructor(type: AwsErrorType, message: string, fields: Readonly<Record<string, string>> = {}) {
    super(message)
    this.type = type
    this.status = STATUS[type]
    this.fields = fields
  }
}

export function invalid(message: string): AwsError {
  return new AwsError('InvalidRequestException', message)
}

export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message)
}

/** The exception of the data plane for the code of a shadow's error document. */
export function shadowErrorType(code: 400 | 404 | 409 | 413 | 415): AwsErrorType {
  return SHADOW_ERRORS[code]
}

const SHADOW_ERRORS = {
  400: 'InvalidRequestException',
  404: 'ResourceNotFoundException',
  409: 'ConflictException',
  413: 'RequestEntityTooLargeException',
  415: 'UnsupportedDocumentEncodingException',
} as const
