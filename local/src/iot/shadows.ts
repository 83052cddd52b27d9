import { isThingName } from '@pesebre/contract/names'
import { AwsError, invalid, shadowErrorType } from './aws-error.ts'
import type { JsonObject } from './json.ts'
import { cutPage, type PageRequest } from './paging.ts'
import {
  deleteShadow,
  getShadow,
  type Sections,
  type Shadow,
  type ShadowError,
  updateShadow,
  VERSION_MEMORY_MS,
} from './shadow.ts'
import type { Store } from './store.ts'
import { isShadowName, type ShadowId, type ShadowOperation, shadowPrefix } from './topics.ts'

type Row = { version: number; state: string; metadata: string; deleted: number | null }

/** What an operation gives: a response document as JSON text, or the error document. */
type Reply =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: ShadowError }

export type Shadows = ReturnType<typeof createShadows>

type Options = {
  store: Store
  now: () => number
  /** Publishes a message; the text is asked for only when somebody listens. */
  publish: (topic: string, text: () => string) => void
}

/** Shadows as they are kept: reads, applies the rules of shadow.ts, writes, then publishes and answers. */
export function createShadows({ store, now, publish }: Options) {
  const { db } = store
  const select = db.prepare(
    'SELECT version, state, metadata, deleted FROM shadows WHERE thing = ? AND name = ?',
  )
  const write = db.prepare('INSERT OR REPLACE INTO shadows VALUES (?, ?, ?, ?, ?, ?)')
  const names = db.prepare(
    "SELECT name FROM shadows WHERE thing = ?1 AND name > ?2 AND name <> '' AND deleted IS NULL ORDER BY name LIMIT ?3",
  )

  // Nobody can see a version any more that was to be remembered until now.
  db.prepare('DELETE FROM shadows WHERE deleted < ?').run(now() - VERSION_MEMORY_MS)

  function read({ thing, name }: ShadowId): Shadow | undefined {
    const row = select.get(thing, name ?? '') as Row | undefined
    if (row === undefined) return undefined
    const { version, deleted } = row
    return {
      version,
      state: JSON.parse(row.state) as Sections,
      metadata: JSON.parse(row.metadata) as Sections,
      ...(deleted !== null && { deletedAt: deleted }),
    }
  }

  const operations: Record<ShadowOperation, (id: ShadowId, payload: Uint8Array) => Reply> = {
    get(id, payload) {
      const outcome = getShadow(read(id), id.name ?? id.thing, { payload, now: now() })
      return outcome.ok ? { ok: true, text: JSON.stringify(outcome.value) } : outcome
    },

    update(id, payload) {
      const outcome = updateShadow(read(id), payload, now())
      if (!outcome.ok) return outcome
      const { shadow, stateText, accepted, delta, documents } = outcome.value
      write.run(id.thing, id.name ?? '', shadow.version, stateText, JSON.stringify(shadow.metadata), null)
      const text = JSON.stringify(accepted)
      const prefix = `${shadowPrefix(id)}/update`
      publish(`${prefix}/accepted`, () => text)
      if (delta !== undefined) publish(`${prefix}/delta`, () => JSON.stringify(delta))
      publish(`${prefix}/documents`, () => JSON.stringify(documents))
      return { ok: true, text }
    },

    delete(id, payload) {
      const outcome = deleteShadow(read(id), id.name ?? id.thing, { payload, now: now() })
      if (!outcome.ok) return outcome
      const { shadow, accepted } = outcome.value
      write.run(id.thing, id.name ?? '', shadow.version, '{}', '{}', shadow.deletedAt ?? null)
      const text = JSON.stringify(accepted)
      publish(`${shadowPrefix(id)}/delete/accepted`, () => text)
      return { ok: true, text }
    },
  }

  return {
    /**
     * An operation over REST. A thing need not be in the registry to have shadows: AWS does "not enforce a mapping
     * between a thing's registry name and its use of [...] shadow state" (Developer Guide, "Managing devices").
     * @returns the response document as JSON text
     * @throws AwsError
     */
    call(operation: ShadowOperation, id: ShadowId, payload: Uint8Array): string {
      if (!isThingName(id.thing)) throw invalid(`Invalid thing name: ${id.thing}`)
      if (id.name !== undefined && !isShadowName(id.name)) throw invalid(`Invalid shadow name: ${id.name}`)
      const reply = operations[operation](id, payload)
      if (reply.ok) return reply.text
      throw new AwsError(shadowErrorType(reply.error.code), reply.error.message)
    },
    /** A request over MQTT, answered by a message on `accepted` or `rejected`. */
    onMessage(operation: ShadowOperation, id: ShadowId, payload: Uint8Array): void {
      const reply = operations[operation](id, payload)
      const topic = `${shadowPrefix(id)}/${operation}`
      // Without a timestamp, as in the examples of the guide ("Using shadows", "Optimistic locking").
      if (!reply.ok) publish(`${topic}/rejected`, () => JSON.stringify(reply.error))
      else if (operation === 'get') publish(`${topic}/accepted`, () => reply.text)
    },
    /** ListNamedShadowsForThing: the classic shadow is not in it, and a thing that is not known has none. */
    listNamed(thing: string, request: PageRequest): JsonObject {
      if (!isThingName(thing)) throw invalid(`Invalid thing name: ${thing}`)
      const rows = names.all(thing, request.after, request.limit + 1) as { name: string }[]
      const page = cutPage(rows, request, ({ name }) => name)
      return {
        results: page.items.map(({ name }) => name),
        ...(page.next && { nextToken: page.next }),
        timestamp: Math.floor(now() / 1000),
      }
    },
  }
}
