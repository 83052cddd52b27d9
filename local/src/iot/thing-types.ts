import { randomUUID } from 'node:crypto'
import type { MakeArn } from './arn.ts'
import { AwsError, invalid, notFound } from './aws-error.ts'
import { type JsonObject, sameJson } from './json.ts'
import { cutPage, type PageRequest } from './paging.ts'
import type { Store } from './store.ts'

/** A deprecated thing type may be deleted after this, milliseconds (Developer Guide, "Delete a thing type"). */
export const DEPRECATION_WAIT_MS = 5 * 60 * 1000
const SEARCHABLE_MAX = 3

type Row = { name: string; id: string; properties: string; created: number; deprecated: number | null }

export type ThingTypes = ReturnType<typeof createThingTypes>

/** Thing types of the registry (AWS IoT API Reference: CreateThingType and its kin). Answers are API responses. */
export function createThingTypes({ store, arn, now }: { store: Store; arn: MakeArn; now: () => number }) {
  const { db } = store
  const select = db.prepare('SELECT * FROM thing_types WHERE name = ?')
  const insert = db.prepare('INSERT INTO thing_types VALUES (?, ?, ?, ?, NULL)')
  const list = db.prepare(
    'SELECT * FROM thing_types WHERE name > ?1 AND (?2 IS NULL OR name = ?2) ORDER BY name LIMIT ?3',
  )
  const deprecate = db.prepare('UPDATE thing_types SET deprecated = ? WHERE name = ?')
  const remove = db.prepare('DELETE FROM thing_types WHERE name = ?')
  const things = db.prepare('SELECT 1 FROM things WHERE type = ? LIMIT 1')

  const find = (name: string) => select.get(name) as Row | undefined

  function get(name: string): Row {
    const row = find(name)
    if (row === undefined) throw notFound(`Thing type ${name} does not exist`)
    return row
  }

  function describe(row: Row) {
    return {
      thingTypeName: row.name,
      thingTypeId: row.id,
      thingTypeArn: arn('thingtype', row.name),
      thingTypeProperties: JSON.parse(row.properties) as JsonObject,
      thingTypeMetadata: {
        deprecated: row.deprecated !== null,
        creationDate: row.created / 1000,
        ...(row.deprecated !== null && { deprecationDate: row.deprecated / 1000 }),
      },
    }
  }

  return {
    /** Repeated with the same properties it succeeds, with others it is refused. */
    create(name: string, properties: JsonObject) {
      const searchable = properties['searchableAttributes']
      if (Array.isArray(searchable) && searchable.length > SEARCHABLE_MAX) {
        throw invalid(`A thing type has at most ${SEARCHABLE_MAX} searchable attributes: ${name}`)
      }
      const row = find(name)
      if (row !== undefined && !sameJson(JSON.parse(row.properties), properties)) {
        throw new AwsError(
          'ResourceAlreadyExistsException',
          `Thing type ${name} already exists with different properties`,
          {
            resourceId: row.id,
            resourceArn: arn('thingtype', name),
          },
        )
      }
      if (row === undefined)
        store.change(() => insert.run(name, randomUUID(), JSON.stringify(properties), now()))
      const { id } = get(name)
      return { thingTypeName: name, thingTypeArn: arn('thingtype', name), thingTypeId: id }
    },
    describe: (name: string) => describe(get(name)),
    list(request: PageRequest, name: string | null) {
      const rows = list.all(request.after, name, request.limit + 1) as Row[]
      const page = cutPage(rows, request, (row) => row.name)
      return { thingTypes: page.items.map(describe), ...(page.next && { nextToken: page.next }) }
    },
    deprecate(name: string, undo: boolean) {
      get(name)
      store.change(() => deprecate.run(undo ? null : now(), name))
      return {}
    },
    delete(name: string) {
      const { deprecated } = get(name)
      if (deprecated === null || now() - deprecated < DEPRECATION_WAIT_MS) {
        throw invalid(`Thing type ${name} can be deleted 5 minutes after it was deprecated`)
      }
      if (things.get(name) !== undefined) throw invalid(`Thing type ${name} still has things`)
      store.change(() => remove.run(name))
      return {}
    },
    /** For a thing that is to get this type. */
    requireUsable(name: string) {
      if (get(name).deprecated !== null) throw invalid(`Cannot use a deprecated thing type: ${name}`)
    },
  }
}
