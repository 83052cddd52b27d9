/** Reading and writing maps whose keys are numbers in CBOR and names in JSON. `numbered.ts` says which maps. */

/** Thrown inside, turned into a text at the border of numbered.ts. The message is a path and what is wrong there. */
export class Malformed extends Error {}

/** Checks one value and returns it as the contract names it; `where` is its path. Throws Malformed. */
export type Read<T> = (value: unknown, where: string) => T

/** How to write one value as CBOR has it. */
export type Write = (value: never) => unknown

/** Which number stands for each name. */
export type Keys<T> = { readonly [Name in keyof T]-?: number }

/** Reads an integer between two bounds, both included. */
export function integer(min: number, max: number): Read<number> {
  return (value, where) => {
    // The CBOR library makes a bigint of every integer of eight bytes.
    const number = typeof value === 'bigint' ? Number(value) : value
    if (Number.isInteger(number) && (number as number) >= min && (number as number) <= max)
      return number as number
    throw new Malformed(`${where}: not an integer from ${min} to ${max}`)
  }
}

/** Reads true or false. */
export const boolean: Read<boolean> = (value, where) => {
  if (typeof value === 'boolean') return value
  throw new Malformed(`${where}: not true or false`)
}

/** Reads a text of a form. */
export function text(form: RegExp): Read<string> {
  return (value, where) => {
    if (typeof value === 'string' && form.test(value)) return value
    throw new Malformed(`${where}: not a text of the form ${form.source}`)
  }
}

/** Reads so many bytes, or twice as many hex digits, as hex digits. */
export function bytes(length: number): Read<string> {
  return (value, where) => {
    if (value instanceof Uint8Array && value.length === length)
      return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('')
    if (typeof value === 'string' && value.length === 2 * length && /^[0-9a-f]*$/.test(value)) return value
    throw new Malformed(`${where}: not ${length} bytes`)
  }
}

/** The bytes that hex digits stand for. */
export function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
}

/** Reads a word of a table, or its number. With `unknown`, a number beyond the table reads as this prefix and the number. */
export function oneOf<T extends string>(table: Readonly<Record<string, number>>, unknown?: string): Read<T> {
  const names = namesOf(table)
  return (value, where) => {
    if (typeof value === 'number') {
      const name = names.get(value)
      if (name !== undefined) return name as T
      if (unknown !== undefined && Number.isInteger(value) && value >= 0 && value <= 0xff)
        return `${unknown}${value}` as T
    }
    if (typeof value === 'string') {
      if (Object.hasOwn(table, value)) return value as T
      if (unknown !== undefined && value.startsWith(unknown) && /^\d{1,3}$/.test(value.slice(unknown.length)))
        return value as T
    }
    throw new Malformed(`${where}: not one of ${Object.keys(table).join(', ')}`)
  }
}

/** Reads a list of at most so many elements. */
export function list<T>(max: number, read: Read<T>): Read<T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw new Malformed(`${where}: not a list`)
    if (value.length > max) throw new Malformed(`${where}: more than ${max}`)
    return value.map((element, index) => read(element, `${where}/${index}`))
  }
}

/**
 * Reads a map: a Map or an object whose keys are numbers (as texts, too: an object has no others) or names. A key that is
 * not in the table is left out, as is one whose value is null: a newer device must not be refused by an older gateway.
 */
export function map<T extends object>(
  keys: Keys<T>,
  fields: { readonly [Name in keyof T]-?: Read<NonNullable<T[Name]>> },
  required: readonly (keyof T & string)[],
): Read<T> {
  const names = namesOf(keys as Keys<Record<string, unknown>>)
  return (value, where) => {
    const named: Record<string, unknown> = {}
    for (const [key, raw] of entriesOf(value, where)) {
      const name = typeof key === 'string' && Object.hasOwn(keys, key) ? key : names.get(numberOf(key))
      if (name === undefined || raw === null || raw === undefined) continue
      if (Object.hasOwn(named, name)) throw new Malformed(`${where}/${name}: stands there twice`)
      named[name] = fields[name as keyof T](raw, `${where}/${name}`)
    }
    for (const name of required) {
      if (!Object.hasOwn(named, name)) throw new Malformed(`${where}/${name}: missing`)
    }
    return named as T
  }
}

/** The entries of a Map or an object. Throws Malformed for anything else. */
export function entriesOf(value: unknown, where: string): Iterable<[unknown, unknown]> {
  if (value instanceof Map) return value
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value))
    return Object.entries(value)
  throw new Malformed(`${where || '/'}: not a map`)
}

/** The number that a key is, or is the text of; -1 when it is none. */
export function numberOf(key: unknown): number {
  if (typeof key === 'number') return key
  return typeof key === 'string' && /^(0|[1-9]\d{0,8})$/.test(key) ? Number(key) : -1
}

/** Turns a table round. */
export function namesOf(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, number]) => [number, name]))
}

/** Writes the fields of an object into a Map under their numbers, in the order of the numbers. Absent ones stay absent. */
export function numberFields<T extends object>(
  value: T,
  keys: Keys<T>,
  writes: { readonly [Name in keyof T]?: Write } = {},
): Map<number, unknown> {
  const numbered = new Map<number, unknown>()
  for (const name of Object.keys(keys) as (keyof T)[]) {
    const raw = value[name]
    if (raw === undefined) continue
    const write = writes[name] as ((value: unknown) => unknown) | undefined
    numbered.set(keys[name], write === undefined ? raw : write(raw))
  }
  return numbered
}
