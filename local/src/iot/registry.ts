import { randomUUID } from 'node:crypto'
import { isThingName } from '@pesebre/contract/names'
import type { MakeArn } from './arn.ts'
import { AwsError, invalid, notFound } from './aws-error.ts'
import { isObject, type JsonObject, sameJson } from './json.ts'
import { cutPage, type PageRequest } from './paging.ts'
import type { Store } from './store.ts'
import type { ThingTypes } from './thing-types.ts'

/** Attributes of a thing without and with a type (Developer Guide, "Thing types"). */
const ATTRIBUTES_MAX = { untyped: 3, typed: 50 } as const
/** AWS IoT API Reference, AttributePayload. */
const ATTRIBUTE_NAME = /^[a-zA-Z0-9_.,@/:#=[\]-]{1,128}$/
const ATTRIBUTE_VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/

type Row = { name: string; id: string; type: string | null; attributes: string; version: number }
type Attributes = Record<string, string>

/** What policies may ask about a thing. */
export type ThingFacts = {
  readonly name: string
  readonly type: string | undefined
  readonly attributes: Attributes
}

export type ThingFilter = {
  readonly type: string | null
  readonly attribute: string | null
  readonly value: string | null
  /** Whether `value` is only the beginning. */
  readonly prefix: boolean
}

export type Registry = ReturnType<typeof createRegistry>

type Options = { store: Store; types: ThingTypes; arn: MakeArn }

/** Things (AWS IoT API Reference: CreateThing and its kin). Arguments are request bodies, answers are API responses. */
export function createRegistry({ store, types, arn }: Options) {
  const { db } = store
  const select = db.prepare('SELECT * FROM things WHERE name = ?')
  const insert = db.prepare('INSERT INTO things VALUES (?, ?, ?, ?, 1)')
  const update = db.prepare(
    'UPDATE things SET type = ?, attributes = ?, version = version + 1 WHERE name = ?',
  )
  const remove = db.prepare('DELETE FROM things WHERE name = ?')
  const principal = db.prepare('SELECT 1 FROM thing_principals WHERE thing = ? LIMIT 1')
  const list = db.prepare(`
    SELECT * FROM things WHERE name > ?1 AND (?2 IS NULL OR type = ?2) AND (?3 IS NULL
      OR json_extract(attributes, '$."' || ?3 || '"') = ?4
      OR (?5 AND substr(json_extract(attributes, '$."' || ?3 || '"'), 1, length(?4)) = ?4))
    ORDER BY name LIMIT ?6`)

  const find = (name: string) => select.get(name) as Row | undefined

  function get(name: string): Row {
    const row = find(name)
    if (row === undefined) throw notFound(`Thing ${name} does not exist`)
    return row
  }

  function requireVersion(row: Row, expected: unknown): void {
    if (expected === undefined || expected === row.version) return
    throw new AwsError(
      'VersionConflictException',
      `The version for thing ${row.name} does not match the expected version`,
    )
  }

  function summary(row: Row) {
    return {
      thingName: row.name,
      ...(row.type !== null && { thingTypeName: row.type }),
      thingArn: arn('thing', row.name),
      attributes: JSON.parse(row.attributes) as Attributes,
      version: row.version,
    }
  }

  return {
    /** Repeated with the same type and attributes it succeeds, with others it is refused. */
    create(name: string, body: JsonObject) {
      if (!isThingName(name)) throw invalid(`Value '${name}' at 'thingName' failed to satisfy constraint`)
      const type = optionalText(body, 'thingTypeName')
      const attributes = present(attributesOf(body))
      requireCount(attributes, type)
      const row = find(name)
      if (row !== undefined && (row.type !== type || !sameJson(JSON.parse(row.attributes), attributes))) {
        const different = row.type === type ? 'attributes' : 'type'
        throw new AwsError(
          'ResourceAlreadyExistsException',
          `Thing ${name} already exists in account with different ${different}`,
          { resourceId: row.id, resourceArn: arn('thing', name) },
        )
      }
      if (row === undefined) {
        if (type !== null) types.requireUsable(type)
        store.change(() => insert.run(name, randomUUID(), type, JSON.stringify(attributes)))
      }
      return { thingName: name, thingArn: arn('thing', name), thingId: get(name).id }
    },
    describe(name: string) {
      const row = get(name)
      return { defaultClientId: name, thingId: row.id, ...summary(row) }
    },
    update(name: string, body: JsonObject) {
      const row = get(name)
      requireVersion(row, body['expectedVersion'])
      const given = optionalText(body, 'thingTypeName')
      if (given !== null && body['removeThingType'] === true) {
        throw invalid(`A thing type cannot be set and removed at once: ${given}`)
      }
      if (given !== null && given !== row.type) types.requireUsable(given)
      const type = body['removeThingType'] === true ? null : (given ?? row.type)
      const before = JSON.parse(row.attributes) as Attributes
      const payload = body['attributePayload']
      const merge = isObject(payload) && payload['merge'] === true
      const attributes =
        payload === undefined ? before : present({ ...(merge ? before : {}), ...attributesOf(body) })
      requireCount(attributes, type)
      store.change(() => update.run(type, JSON.stringify(attributes), name))
      return {}
    },
    /** A thing that does not exist is deleted already. Its shadows stay, as they do on AWS. */
    delete(name: string, expectedVersion: number | undefined) {
      const row = find(name)
      if (row === undefined) return {}
      requireVersion(row, expectedVersion)
      if (principal.get(name) !== undefined) {
        throw invalid(`Cannot delete. Thing ${name} is still attached to one or more principals`)
      }
      store.change(() => remove.run(name))
      return {}
    },
    list(request: PageRequest, { type, attribute, value, prefix }: ThingFilter) {
      if (attribute !== null && !ATTRIBUTE_NAME.test(attribute)) {
        throw invalid(`Value '${attribute}' at 'attributeName' failed to satisfy constraint`)
      }
      const rows = list.all(
        request.after,
        type,
        attribute,
        value ?? '',
        prefix ? 1 : 0,
        request.limit + 1,
      ) as Row[]
      const page = cutPage(rows, request, (row) => row.name)
      return { things: page.items.map(summary), ...(page.next && { nextToken: page.next }) }
    },
    facts(name: string): ThingFacts | undefined {
      const row = find(name)
      return row && { name, type: row.type ?? undefined, attributes: JSON.parse(row.attributes) }
    },
    require: (name: string): void => void get(name),
  }
}

function attributesOf(body: JsonObject): Attributes {
  const payload = body['attributePayload']
  const attributes = isObject(payload) ? payload['attributes'] : undefined
  if (attributes === undefined || attributes === null) return {}
  if (!isObject(attributes)) throw invalid('Attributes must be an object of strings: attributePayload')
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTE_NAME.test(name)) throw invalid(`Invalid attribute name: ${name}`)
    if (typeof value !== 'string' || !ATTRIBUTE_VALUE.test(value)) {
      throw invalid(`Invalid value of attribute ${name}: ${JSON.stringify(value)}`)
    }
  }
  return attributes as Attributes
}

/** An attribute with an empty value is removed (AWS IoT API Reference, AttributePayload: attributes). */
function present(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''))
}

function requireCount(attributes: Attributes, type: string | null): void {
  const max = type === null ? ATTRIBUTES_MAX.untyped : ATTRIBUTES_MAX.typed
  const count = Object.keys(attributes).length
  if (count > max) {
    throw invalid(
      `Too many attributes for a thing ${type === null ? 'without' : 'with'} a type, at most ${max}: ${count}`,
    )
  }
}

function optionalText(body: JsonObject, key: string): string | null {
  const value = body[key] ?? null
  if (value !== null && typeof value !== 'string') throw invalid(`Not a string: ${key}`)
  return value
}
