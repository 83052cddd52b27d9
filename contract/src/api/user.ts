import Type from 'typebox'
import {
  EmailSchema,
  IdSchema,
  LanguageSchema,
  NameSchema,
  nullable,
  PasswordSchema,
  TimeSchema,
} from './values.ts'

/** What somebody may do to the system, apart from their stables. */
export const SystemRoleSchema = Type.Enum(['admin', 'user'])
export type SystemRole = Type.Static<typeof SystemRoleSchema>

export const UserSchema = Type.Object({
  id: IdSchema,
  email: Type.String(),
  name: Type.String(),
  role: SystemRoleSchema,
  language: LanguageSchema,
  /** Whether they have a password; if not, they sign in elsewhere. */
  hasPassword: Type.Boolean(),
})
export type User = Type.Static<typeof UserSchema>

/** PATCH /api/me. A new password needs the one before, and ends all other sessions. */
export const MeChangeSchema = Type.Object(
  {
    name: Type.Optional(NameSchema),
    language: Type.Optional(LanguageSchema),
    password: Type.Optional(PasswordSchema),
    oldPassword: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { additionalProperties: false },
)

/** GET /api/users, for admins. */
export const UserRowSchema = Type.Object({
  ...UserSchema.properties,
  createdAt: TimeSchema,
  disabledAt: nullable(TimeSchema),
  /** Last use of a session that is still there. */
  seenAt: nullable(TimeSchema),
  stables: Type.Array(Type.Object({ id: IdSchema, name: Type.String(), role: Type.String() })),
})
export type UserRow = Type.Static<typeof UserRowSchema>

/** POST /api/users: invites somebody; the answer has the link. */
export const UserInviteSchema = Type.Object(
  { email: EmailSchema, role: SystemRoleSchema },
  { additionalProperties: false },
)

/** PATCH /api/users/{user}. Either change ends their sessions. */
export const UserChangeSchema = Type.Object(
  { role: Type.Optional(SystemRoleSchema), disabled: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
)

/** GET /api/audit (all of it, admins) and GET /api/stables/{stable}/audit (owners): newest first. */
export const AuditRowSchema = Type.Object({
  id: Type.Integer(),
  at: TimeSchema,
  /** null: the server itself. */
  user: nullable(Type.Object({ id: IdSchema, name: Type.String() })),
  stable: nullable(Type.Object({ id: IdSchema, name: Type.String() })),
  /** Noun and verb: `session.create`, `horse.change`, `feed.create` ... */
  action: Type.String(),
  subject: nullable(Type.String()),
  /** What people call the subject, and what it was brought together with: a device and its horse. Empty: nobody knows any more. */
  about: Type.Array(Type.String()),
  /** What of it changed. */
  detail: Type.Record(Type.String(), Type.Unknown()),
})
export type AuditRow = Type.Static<typeof AuditRowSchema>

export const AuditPageSchema = Type.Object({
  rows: Type.Array(AuditRowSchema),
  /** Goes into `before` for the next page; null at the end. */
  next: nullable(Type.Integer()),
})
