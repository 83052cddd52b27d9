/**
 * AWS IoT Core policies as pure functions: a document is parsed, bound to one connection's variables, and asked.
 * Source: Developer Guide, "AWS IoT Core policies", "policy actions", "action resources" and "policy variables";
 * IAM User Guide, "Policy evaluation logic" and "Condition operators".
 */
import { isObject } from './json.ts'
import { bindCondition, type Condition, parseCondition } from './policy-condition.ts'
import { pattern, type Variables } from './policy-pattern.ts'

export type Policy = { readonly statements: readonly Statement[] }

type Statement = {
  readonly allow: boolean
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions: readonly Condition[]
}

/** Policies with the variables of one connection filled in. */
export type BoundPolicies = readonly BoundStatement[]

type BoundStatement = {
  readonly allow: boolean
  readonly actions: readonly RegExp[]
  readonly resources: readonly RegExp[]
}

/** A document that cannot be evaluated here; the message says which part. */
export class PolicyError extends Error {
  override name = 'PolicyError' as const
}

const STATEMENT_KEYS = new Set(['Sid', 'Effect', 'Action', 'Resource', 'Condition'])

/**
 * Reads a policy document. What this file does not evaluate (NotAction, NotResource, condition operators that are
 * not listed) is refused instead of ignored: a policy must not mean less here than on AWS.
 * @throws PolicyError
 */
export function parsePolicy(text: string): Policy {
  const document = parseJson(text)
  if (!isObject(document)) throw new PolicyError('Policy document is malformed: not a JSON object')
  const version = document['Version']
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    throw new PolicyError(`Policy document is malformed: Version ${JSON.stringify(version)}`)
  }
  const statements = document['Statement']
  const list = Array.isArray(statements) ? statements : [statements]
  return { statements: list.map(parseStatement) }
}

/** Fills in variables and settles conditions, which all depend on the connection alone. */
export function bindPolicies(policies: readonly Policy[], variables: Variables): BoundPolicies {
  const bound: BoundStatement[] = []
  for (const { statements } of policies) {
    for (const { allow, actions, resources, conditions } of statements) {
      if (!conditions.every((condition) => bindCondition(condition, variables))) continue
      bound.push({
        allow,
        actions: actions.map((action) => pattern(action, variables, 'i')).filter((one) => one !== undefined),
        resources: resources.map((one) => pattern(one, variables)).filter((one) => one !== undefined),
      })
    }
  }
  return bound
}

/**
 * Whether an action is allowed: a Deny that matches wins over every Allow, and what nothing allows is denied.
 * @param action for example `iot:Publish`
 * @param resource ARN, for example `arn:aws:iot:us-east-1:000000000000:topic/cameras/gate/events`
 */
export function isAllowed(policies: BoundPolicies, action: string, resource: string): boolean {
  let allowed = false
  for (const statement of policies) {
    if (!statement.actions.some((one) => one.test(action))) continue
    if (!statement.resources.some((one) => one.test(resource))) continue
    if (!statement.allow) return false
    allowed = true
  }
  return allowed
}

function parseStatement(value: unknown): Statement {
  if (!isObject(value)) throw new PolicyError('Policy document is malformed: a Statement is not an object')
  const unknownKey = Object.keys(value).find((key) => !STATEMENT_KEYS.has(key))
  if (unknownKey !== undefined) throw new PolicyError(`Policy document is malformed: ${unknownKey}`)
  const effect = value['Effect']
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw new PolicyError(`Policy document is malformed: Effect ${JSON.stringify(effect)}`)
  }
  const actions = texts(value['Action'], 'Action')
  const resources = texts(value['Resource'], 'Resource')
  const badAction = actions.find((action) => action !== '*' && !/^iot:[A-Za-z*?]+$/.test(action))
  if (badAction !== undefined) throw new PolicyError(`Policy document is malformed: Action ${badAction}`)
  const badResource = resources.find((resource) => resource !== '*' && !resource.startsWith('arn:'))
  if (badResource !== undefined)
    throw new PolicyError(`Policy document is malformed: Resource ${badResource}`)
  return { allow: effect === 'Allow', actions, resources, conditions: parseConditions(value['Condition']) }
}

function parseConditions(value: unknown): Condition[] {
  if (value === undefined) return []
  if (!isObject(value)) throw new PolicyError('Policy document is malformed: Condition')
  return Object.entries(value).flatMap(([operator, keys]) => {
    if (!isObject(keys)) throw new PolicyError(`Policy document is malformed: Condition ${operator}`)
    return Object.entries(keys).map(([key, wanted]) => {
      const condition = parseCondition(operator, key, texts(wanted, `Condition ${operator}`))
      if (condition === undefined)
        throw new PolicyError(`Policy document is malformed: Condition ${operator}`)
      return condition
    })
  })
}

/** A string or a list of strings; an empty list is only for conditions. */
function texts(value: unknown, what: string): string[] {
  const list = Array.isArray(value) ? value : [value]
  const found = list.map((one) => (typeof one === 'boolean' ? String(one) : one))
  if (
    !found.every((one) => typeof one === 'string') ||
    (found.length === 0 && !what.startsWith('Condition'))
  ) {
    throw new PolicyError(`Policy document is malformed: ${what}`)
  }
  return found
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
