import Type from 'typebox'

/** Values that many resources share. Times are milliseconds since 1970, minutes are of the day, amounts are grams. */

export const TimeSchema = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970' })
/** YYYY-MM-DD; whether the day exists is checked by who takes it. */
export const DateSchema = Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' })
/** An opaque id: prefix and 16 characters of base32. */
export const IdSchema = Type.String({ pattern: '^[a-z]{3}_[a-z2-7]{16}$' })
/** What a person calls something. */
export const NameSchema = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' })
export const EmailSchema = Type.String({ maxLength: 254, pattern: '^[^\\s@]{1,64}@[^\\s@]+\\.[^\\s@.]+$' })
/** NIST SP 800-63B section 3.1.1: a length, and no rules about kinds of characters. */
export const PasswordSchema = Type.String({ minLength: 10, maxLength: 256 })
export const LanguageSchema = Type.Enum(['es', 'en'])
/** IANA zone, as in Europe/Madrid. */
export const ZoneSchema = Type.String({ maxLength: 64, pattern: '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$' })

export type Language = Type.Static<typeof LanguageSchema>

/** `null` where there is none. */
export function nullable<T extends Type.TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}
