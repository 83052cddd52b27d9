/** A JSON object as plain data: made without a prototype, so that `__proto__` and `constructor` are keys like any other. */
export type JsonObject = { [key: string]: unknown }

/**
 * How deep a value may nest before we refuse to walk it. AWS IoT refuses far less than this by itself;
 * the limit only keeps our own recursion off the end of the stack.
 */
const WALK_DEPTH_MAX = 32

export function emptyObject(): JsonObject {
  return Object.create(null)
}

/** A JSON object, as against an array, null or a scalar. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Same JSON value, whatever the order of the keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((x, i) => sameJson(x, b[i]))
  if (!isJsonObject(a) || !isJsonObject(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
}

/**
 * The value as a shadow keeps it: keys whose value is null do not exist there, at any depth of objects.
 * Arrays are kept as they are; AWS IoT treats them as one value.
 */
export function withoutNulls(value: unknown): unknown {
  if (!isJsonObject(value)) return value
  const kept = emptyObject()
  for (const key of Object.keys(value)) {
    if (value[key] !== null) kept[key] = withoutNulls(value[key])
  }
  return kept
}

/** An object in which there is no scalar and no array, such as `{}` or `{"a":{}}`. */
export function isHollow(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every(isHollow)
}

/**
 * Why a parsed value cannot be written to a shadow, or undefined if it can. JSON.parse makes Infinity of 1e400,
 * and JSON.stringify would make null of it, which would *remove* the key.
 */
export function unwritable(value: unknown, path = '', depth = 0): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `number out of range at ${path}`
  if (typeof value !== 'object' || value === null) return undefined
  if (depth === WALK_DEPTH_MAX) return `nested deeper than ${WALK_DEPTH_MAX} levels at ${path.slice(0, 100)}`
  for (const [key, inner] of Object.entries(value)) {
    const problem = unwritable(inner, `${path}/${key}`, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}
