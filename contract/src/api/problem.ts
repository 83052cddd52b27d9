import Type from 'typebox'

/**
 * What an answer of 400 or above carries: RFC 9457, `application/problem+json`.
 * `type` is stable and is what a program decides by; `title` and `detail` are English for people who debug.
 */
export const ProblemSchema = Type.Object({
  /** `/problems/<name>` */
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String()),
  /** What is wrong with which field: JSON pointers into the body, or names of parameters. */
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() }))),
  /** Seconds after which to try again. */
  retryAfter: Type.Optional(Type.Integer()),
  /** Of a refused meal: why (REFUSE_REASONS and the server's own). */
  reason: Type.Optional(Type.String()),
  /** Of the largest amount allowed, grams. */
  max: Type.Optional(Type.Integer()),
  /** Of a daily cap: grams that may still be given. */
  left: Type.Optional(Type.Integer()),
  /** Of the command that is in the way. */
  n: Type.Optional(Type.Integer()),
  /** How that one stands. */
  state: Type.Optional(Type.String()),
  /** The device that is in the way. */
  thing: Type.Optional(Type.String()),
  /** Of the request, as in the server's log. */
  request: Type.Optional(Type.String()),
})
export type Problem = Type.Static<typeof ProblemSchema>
