import { FIELD_MAX, FIELD_PATTERN } from '@pesebre/contract/api/history'
import Type from 'typebox'
import { Value } from 'typebox/value'

/** Which reports a rule is about: all, those of a thing type, those of things whose name fits (`*` stands for any text). */
const Selection = {
  /** What people call the rule: it stands in errors. */
  name: Type.String({ minLength: 1, maxLength: 64 }),
  type: Type.Optional(Type.String({ minLength: 1 })),
  things: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
}
const Field = Type.String({ pattern: FIELD_PATTERN, maxLength: FIELD_MAX })
const strict = { additionalProperties: false }

/** What is done to reports on their way from the archive into the database. The archive itself keeps them as they came. */
export const RuleSchema = Type.Union([
  /** Leaves a field out; without `field`, the whole report. */
  Type.Object({ ...Selection, rule: Type.Literal('drop'), field: Type.Optional(Field) }, strict),
  /** Gives a field another name. */
  Type.Object({ ...Selection, rule: Type.Literal('rename'), field: Field, to: Field }, strict),
  /** Multiplies a number and adds to it: `value * factor + offset`. */
  Type.Object(
    {
      ...Selection,
      rule: Type.Literal('scale'),
      field: Field,
      factor: Type.Number(),
      offset: Type.Optional(Type.Number()),
    },
    strict,
  ),
  /** Adds the horse that the device was at: without this rule no horse has a history. */
  Type.Object({ ...Selection, rule: Type.Literal('add-horse') }, strict),
])
export type Rule = Type.Static<typeof RuleSchema>

/** What happens without a file of rules. */
export const STANDARD_RULES: readonly Rule[] = [{ name: 'horse', rule: 'add-horse' }]

export const RULES_MAX = 100

/** A report as the rules see it: nested fields by their keys, joined by dots. */
export type Fields = Record<string, number | boolean | string>

/** What is left of a report; undefined when it is dropped. */
export type Ruled = { fields: Fields; addHorse: boolean } | undefined

/**
 * Reads rules from JSON, a list.
 * @throws Error that names every rule that is wrong
 */
export function parseRules(text: string): Rule[] {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    throw new Error(`Cannot read the rules: no JSON: ${(cause as Error).message}`, { cause })
  }
  if (!Array.isArray(given)) throw new Error('Cannot read the rules: not a list')
  if (given.length > RULES_MAX) throw new Error(`Cannot read the rules: more than ${RULES_MAX}`)
  const names = new Set<string>()
  const wrong = given.flatMap((rule: unknown, i) => {
    if (!Value.Check(RuleSchema, rule)) return [`  rule ${i + 1}: ${whatIsWrong(rule)}`]
    if (names.has(rule.name)) return [`  rule ${i + 1}: the name stands there twice: ${rule.name}`]
    names.add(rule.name)
    return []
  })
  if (wrong.length > 0) throw new Error(`Cannot read the rules:\n${wrong.join('\n')}`)
  return given as Rule[]
}

/** Applies the rules in their order. */
export function applyRules(
  rules: readonly Rule[],
  report: { thing: string; type: string },
  given: Fields,
): Ruled {
  const fields = { ...given }
  let addHorse = false
  for (const rule of rules) {
    if (!isAbout(rule, report)) continue
    if (rule.rule === 'add-horse') addHorse = true
    else if (rule.rule === 'drop') {
      if (rule.field === undefined) return undefined
      delete fields[rule.field]
    } else {
      const value = fields[rule.field]
      if (value === undefined) continue
      if (rule.rule === 'rename') {
        delete fields[rule.field]
        fields[rule.to] = value
      } else if (typeof value === 'number') fields[rule.field] = value * rule.factor + (rule.offset ?? 0)
    }
  }
  return { fields, addHorse }
}

function isAbout({ type, things }: Rule, report: { thing: string; type: string }): boolean {
  if (type !== undefined && type !== report.type) return false
  return things === undefined || fits(report.thing, things)
}

/** Whether a name fits a pattern. Without a regular expression: those can take for ever on a pattern that somebody made up. */
function fits(name: string, pattern: string): boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return name === pattern
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last))
    return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0 || found + part.length > name.length - last.length) return false
    at = found + part.length
  }
  return true
}

function whatIsWrong(rule: unknown): string {
  const kind = (rule as { rule?: unknown } | null)?.rule
  const schema = RuleSchema.anyOf.find((one) => one.properties.rule.const === kind)
  if (schema === undefined) return 'rule: allowed: drop, rename, scale, add-horse'
  return Value.Errors(schema, rule)
    .map(({ instancePath, message }) => `${instancePath || '/'} ${message}`)
    .join('; ')
}
