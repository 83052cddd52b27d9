import { FIELD_MAX, FIELD_PATTERN } from '@pesebre/contract/api/history'
import type { Fields } from './rules.ts'

/** Fields of one report that are taken; what comes after is left out. */
export const FIELDS_MAX = 64

const NAME = new RegExp(FIELD_PATTERN)

/**
 * Flattens a state: keys of nested objects are joined by dots, lists and null are left out, and so are names that no question
 * could ask for.
 */
export function flatten(state: unknown): Fields {
  const fields: Fields = {}
  let count = 0
  walk(state, '')
  return fields

  function walk(value: unknown, path: string): void {
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') {
      if (count >= FIELDS_MAX || path.length > FIELD_MAX || !NAME.test(path)) return
      if (typeof value === 'number' && !Number.isFinite(value)) return
      fields[path] = value
      count++
      return
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`)
  }
}

/** A field as a chart takes it: yes is 1 and no is 0. Undefined for texts. */
export function numberOf(value: Fields[string] | undefined): number | undefined {
  return typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : undefined
}
