import Type from 'typebox'
import { StableRoleSchema } from './stable.ts'
import { UserSchema } from './user.ts'
import { EmailSchema, IdSchema, LanguageSchema, NameSchema, nullable, PasswordSchema } from './values.ts'

/** POST /api/session */
export const SignInSchema = Type.Object(
  { email: Type.String({ maxLength: 254 }), password: Type.String({ maxLength: 256 }) },
  { additionalProperties: false },
)
export type SignIn = Type.Static<typeof SignInSchema>

/** GET and POST /api/session: who is signed in. */
export const SessionSchema = Type.Object({
  /** null: nobody is. */
  user: nullable(UserSchema),
  /** Goes into the header `x-csrf` of everything that changes something; null with a bearer token, which needs none. */
  csrf: nullable(Type.String()),
  /** The stables of this user. */
  stables: Type.Array(
    Type.Object({ id: IdSchema, name: Type.String(), zone: Type.String(), role: StableRoleSchema }),
  ),
  /** Whether signing in elsewhere is set up (GET /api/oidc/login), and what the button says. */
  oidc: nullable(Type.Object({ name: Type.String() })),
  /** Whether there is no admin yet, so that the link in the server's log is needed. */
  needsSetup: Type.Boolean(),
})
export type Session = Type.Static<typeof SessionSchema>

/** DELETE /api/session: where the browser goes to sign out of the provider, too; null where it need not. */
export const SignedOutSchema = Type.Object({ next: nullable(Type.String()) })

/** POST /api/setup: makes the first admin, once. Answers as POST /api/session. */
export const SetupSchema = Type.Object(
  {
    token: Type.String({ maxLength: 64 }),
    name: NameSchema,
    email: EmailSchema,
    password: PasswordSchema,
    language: Type.Optional(LanguageSchema),
  },
  { additionalProperties: false },
)

/**
 * GET /api/invitations/{token}. The link that people get is `<web>/invitation#<token>`: what stands after `#` is in no
 * server's log.
 */
export const InvitationSchema = Type.Object({
  kind: Type.Enum(['stable', 'account']),
  stable: nullable(Type.Object({ id: IdSchema, name: Type.String() })),
  role: Type.String(),
  /** Who invites. */
  by: Type.String(),
  /** Given when the invitation is for this address only. */
  email: nullable(Type.String()),
  expires: Type.Integer(),
})
export type Invitation = Type.Static<typeof InvitationSchema>

/**
 * POST /api/invitations/{token}: somebody who is signed in sends `{}` and joins as who they are; somebody new sends the
 * rest and gets an account and a session. Answers as POST /api/session.
 */
export const AcceptSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    email: Type.Optional(EmailSchema),
    password: Type.Optional(PasswordSchema),
    language: Type.Optional(LanguageSchema),
  },
  { additionalProperties: false },
)
