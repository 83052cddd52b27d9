import Type from 'typebox'
import {
  EmailSchema,
  IdSchema,
  LanguageSchema,
  NameSchema,
  nullable,
  TimeSchema,
  ZoneSchema,
} from './values.ts'

/** `owner` may everything in the stable; `groom` sees, feeds and acknowledges; `vet` sees. */
export const StableRoleSchema = Type.Enum(['owner', 'groom', 'vet'])
export type StableRole = Type.Static<typeof StableRoleSchema>

export const StableSchema = Type.Object({
  id: IdSchema,
  name: Type.String(),
  zone: Type.String(),
  /** Of who asks. Admins count as owners everywhere. */
  role: StableRoleSchema,
  horses: Type.Integer(),
  createdAt: TimeSchema,
})
export type Stable = Type.Static<typeof StableSchema>

/** POST /api/stables: who makes it is its owner. */
export const StableCreateSchema = Type.Object(
  { name: NameSchema, zone: ZoneSchema },
  { additionalProperties: false },
)

/** PATCH /api/stables/{stable} */
export const StableChangeSchema = Type.Object(
  { name: Type.Optional(NameSchema), zone: Type.Optional(ZoneSchema) },
  { additionalProperties: false },
)

export const MemberSchema = Type.Object({
  user: IdSchema,
  name: Type.String(),
  email: Type.String(),
  role: StableRoleSchema,
  since: TimeSchema,
})
export type Member = Type.Static<typeof MemberSchema>

/** GET /api/stables/{stable}/members */
export const MembersSchema = Type.Object({
  members: Type.Array(MemberSchema),
  /** Who was invited and has not come yet. Owners see them, others get an empty list. */
  invitations: Type.Array(
    Type.Object({
      id: IdSchema,
      role: StableRoleSchema,
      email: nullable(Type.String()),
      createdAt: TimeSchema,
      expires: TimeSchema,
    }),
  ),
})

/** POST /api/stables/{stable}/members: invites by a link that is good once, for a week. */
export const MemberInviteSchema = Type.Object(
  {
    role: StableRoleSchema,
    /** The link is then good for this address only, and is sent there where mail is set up. */
    email: Type.Optional(EmailSchema),
    /** Of the mail. */
    language: Type.Optional(LanguageSchema),
  },
  { additionalProperties: false },
)

/** The answer to an invitation: the only time that the link is shown. */
export const InviteLinkSchema = Type.Object({
  id: IdSchema,
  link: Type.String(),
  expires: TimeSchema,
  /** Whether it was also sent by mail. */
  mailed: Type.Boolean(),
})

/** PATCH /api/stables/{stable}/members/{user} */
export const MemberChangeSchema = Type.Object({ role: StableRoleSchema }, { additionalProperties: false })
