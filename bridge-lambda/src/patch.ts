import { emptyObject, isJsonObject, type JsonObject, sameJson } from './json.ts'

/**
 * The smallest `reported` section that turns `from` into `to` under AWS IoT's merge rules: objects merge deeply,
 * null removes a key, everything else (arrays too) is replaced (AWS IoT developer guide, "Device Shadow service documents").
 * So a key of a nested object that is gone must be named with null. Undefined when there is nothing to write.
 * Neither side may hold null as a value of an object; `to` comes from `withoutNulls`, and a shadow holds none.
 */
export function patchBetween(from: JsonObject, to: JsonObject): JsonObject | undefined {
  const patch = emptyObject()
  let isEmpty = true
  for (const key of Object.keys(from)) {
    if (Object.hasOwn(to, key)) continue
    patch[key] = null
    isEmpty = false
  }
  for (const key of Object.keys(to)) {
    const change = Object.hasOwn(from, key) ? changeBetween(from[key], to[key]) : to[key]
    if (change === undefined) continue
    patch[key] = change
    isEmpty = false
  }
  return isEmpty ? undefined : patch
}

function changeBetween(from: unknown, to: unknown): unknown {
  if (isJsonObject(from) && isJsonObject(to)) return patchBetween(from, to)
  return sameJson(from, to) ? undefined : to
}
