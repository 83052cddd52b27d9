import type { OutgoingHttpHeaders } from 'node:http'
import type { StableRole } from '@pesebre/contract/api/stable'
import { pino } from 'pino'
import type { App } from '../../web/server/src/app.ts'
import { createApp } from '../../web/server/src/app.ts'
import { beginSession } from '../../web/server/src/auth/sessions.ts'
import { csrfOf } from '../../web/server/src/auth/tokens.ts'
import type { Database } from '../../web/server/src/db/database.ts'
import type { Deps } from '../../web/server/src/deps.ts'
import { newId } from '../../web/server/src/ids.ts'
import { openTestDatabase } from './test-database.ts'

export const ORIGIN = 'http://localhost:8080'

/** Who asks. `stranger` is signed in and belongs to another stable; `nobody` is not signed in. */
export type Who = 'admin' | StableRole | 'stranger' | 'nobody'

export type Answer = {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly text: string
  /** Of a body that is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not there.
  readonly json: any
}

/**
 * The web server on a database in memory, with somebody of every role, a stable with one horse (feeder and camera
 * assigned), and a second stable that belongs to the stranger. No socket: `ask` goes straight to the routes.
 */
export type WebApp = {
  readonly app: App
  readonly db: Database
  /** Ids of the users. */
  readonly users: Readonly<Record<Exclude<Who, 'nobody'>, string>>
  readonly stable: string
  readonly horse: string
  readonly feeder: string
  readonly camera: string
  readonly otherStable: string
  readonly otherHorse: string
  /** The clock: begins at 2026-11-20 12:00 UTC and stands still. */
  readonly clock: { now: number }
  /** Cookie and CSRF header of somebody. */
  headers(who: Who): Record<string, string>
  /** One request as a page of ours sends it. @param route `GET /api/me` */
  ask(who: Who, route: string, more?: { body?: unknown; headers?: Record<string, string> }): Promise<Answer>
  close(): Promise<void>
}

/** @param more parts that the test is about; a database among them is furnished */
export async function openWebApp(more: Partial<Deps> = {}): Promise<WebApp> {
  const clock = { now: Date.parse('2026-11-20T12:00:00Z') }
  const db = more.db ?? (await openTestDatabase())
  const world = await furnish(db, clock.now)
  const app = await createApp({
    now: () => clock.now,
    log: pino({ level: 'silent' }),
    origin: ORIGIN,
    ...more,
    db,
  })

  function headers(who: Who): Record<string, string> {
    const token = who === 'nobody' ? undefined : world.tokens[who]
    return token === undefined ? {} : { cookie: `session=${token}`, 'x-csrf': csrfOf(token) }
  }

  return {
    app,
    db,
    clock,
    ...world,
    headers,
    async ask(who, route, { body, headers: own = {} } = {}) {
      const [method, url] = route.split(' ')
      const answer = await app.inject({
        method: method as 'GET',
        url: url!,
        headers: { origin: ORIGIN, ...headers(who), ...own },
        ...(body !== undefined && { payload: body as object }),
      })
      const isJson = /json/.test(String(answer.headers['content-type']))
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        json: isJson ? answer.json() : undefined,
      }
    },
    async close() {
      await app.close()
      await db.close()
    },
  }
}

async function furnish(db: Database, now: number) {
  return db.write(async (tx) => {
    const users = {} as Record<Exclude<Who, 'nobody'>, string>
    const tokens = {} as Record<Exclude<Who, 'nobody'>, string>
    for (const who of ['admin', 'owner', 'groom', 'vet', 'stranger'] as const) {
      const id = newId('usr')
      await tx
        .insertInto('users')
        .values({
          id,
          email: `${who}@stable.example`,
          name: who,
          role: who === 'admin' ? 'admin' : 'user',
          language: 'en',
          created_at: now,
        })
        .execute()
      users[who] = id
      const session = { user: id, method: 'password', userAgent: 'test', before: undefined } as const
      tokens[who] = await beginSession(tx, now, session)
    }
    const [stable, otherStable] = [newId('stb'), newId('stb')]
    const [horse, otherHorse] = [newId('hrs'), newId('hrs')]
    const zone = 'Europe/Madrid'
    await tx
      .insertInto('stables')
      .values([
        { id: stable, name: 'Las Encinas', zone, created_at: now },
        { id: otherStable, name: 'El Soto', zone, created_at: now },
      ])
      .execute()
    await tx
      .insertInto('members')
      .values([
        ...(['owner', 'groom', 'vet'] as const).map((role) => ({
          stable_id: stable,
          user_id: users[role],
          role,
          created_at: now,
        })),
        { stable_id: otherStable, user_id: users.stranger, role: 'owner', created_at: now },
      ])
      .execute()
    await tx
      .insertInto('horses')
      .values([
        { id: horse, stable_id: stable, name: 'Bella', weight_kg: 500, created_at: now },
        { id: otherHorse, stable_id: otherStable, name: 'Trueno', created_at: now },
      ])
      .execute()
    const [feeder, camera] = ['feeder-00000001', 'camera-00000001']
    const common = { state: 'active', horse_id: horse, registered_at: now } as const
    await tx
      .insertInto('devices')
      .values([
        { ...common, thing: feeder, kind: 'feeder', number: 1, name: "Bella's feeder" },
        { ...common, thing: camera, kind: 'camera', number: 1, name: "Bella's camera" },
      ])
      .execute()
    return { users, tokens, stable, horse, feeder, camera, otherStable, otherHorse }
  })
}
