import { pattern, type Variables } from './policy-pattern.ts'

/** One key of a Condition block. */
export type Condition = {
  readonly set: 'all' | 'any' | undefined
  readonly ifExists: boolean
  readonly negated: boolean
  /** How one value is compared with one wanted value. */
  readonly compare: Compare
  readonly key: string
  readonly wanted: readonly string[]
}

type Compare = (value: string, wanted: string, variables: Variables) => boolean

const like: Compare = (value, wanted, variables) => pattern(wanted, variables)?.test(value) ?? false
/** Variables count in a plain comparison, too; wildcards do not. */
const equal: Compare = (value, wanted, variables) =>
  wanted.includes('${') ? like(value, wanted.replace(/[*?]/g, '$${$&}'), variables) : value === wanted

/** IAM User Guide, "Condition operators": those that AWS IoT policies use for text, ARNs and booleans. */
const OPERATORS: Readonly<Record<string, { readonly compare: Compare; readonly negated: boolean }>> = {
  StringEquals: { compare: equal, negated: false },
  StringNotEquals: { compare: equal, negated: true },
  StringLike: { compare: like, negated: false },
  StringNotLike: { compare: like, negated: true },
  ArnEquals: { compare: like, negated: false },
  ArnNotEquals: { compare: like, negated: true },
  ArnLike: { compare: like, negated: false },
  ArnNotLike: { compare: like, negated: true },
  Bool: { compare: (value, wanted) => value === wanted.toLowerCase(), negated: false },
}

/** @returns undefined for an operator that is not in the table */
export function parseCondition(
  operator: string,
  key: string,
  wanted: readonly string[],
): Condition | undefined {
  const found = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator)
  const rule = found?.[2] === undefined ? undefined : OPERATORS[found[2]]
  if (found === null || rule === undefined) return undefined
  const set = found[1] === undefined ? undefined : found[1] === 'ForAllValues' ? 'all' : 'any'
  return { ...rule, set, ifExists: found[3] !== undefined, key, wanted }
}

/**
 * Whether a condition holds. With a set operator, the values of the connection are tested one by one: all of them
 * (none at all passes), or any of them (none at all fails).
 */
export function bindCondition(condition: Condition, variables: Variables): boolean {
  const { set, ifExists, negated, compare, wanted } = condition
  const values = variables.get(condition.key)
  if (values === undefined) return ifExists || set === 'all' || (set === undefined && negated)
  const passes = (value: string) => wanted.some((one) => compare(value, one, variables)) !== negated
  return set === 'any' ? values.some(passes) : values.every(passes)
}
