import type { StableRole } from '@pesebre/contract/api/stable'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { type Identity, identify } from './auth/identify.ts'
import { checkOrigin, checkWrite } from './auth/own-site.ts'
import type { SignedIn } from './auth/sessions.ts'
import type { Database } from './db/database.ts'
import type { Deps } from './deps.ts'
import { Problem } from './problems.ts'

const EVERYBODY = ['owner', 'groom', 'vet'] as const
const HANDS_ON = ['owner', 'groom'] as const
const OWNERS = ['owner'] as const

/**
 * THE table of who may do what. A route names one of these as `config: { access: '<permission>' }`; a route without one,
 * or one with a list of roles and no stable, horse, thing or alarm in its path, refuses to start.
 * `anyone`: without signing in. `signed-in`: about oneself. `admin`: admins only. A list: members of the stable that the
 * path leads to, in these roles; admins count as owners of every stable.
 */
export const PERMISSIONS = {
  public: 'anyone',
  /** Nothing is done in the name of the session that the browser may have: no CSRF header. */
  'sign-in': 'anyone',
  self: 'signed-in',
  'stable.create': 'signed-in',
  'stable.read': EVERYBODY,
  'stable.change': OWNERS,
  'members.read': EVERYBODY,
  'members.change': OWNERS,
  /** Leaving is everybody's right; putting somebody else out is checked in the route. */
  'members.leave': EVERYBODY,
  'stable.audit': OWNERS,
  'horse.read': EVERYBODY,
  'horse.create': OWNERS,
  'horse.change': OWNERS,
  'horse.picture': HANDS_ON,
  'feed.read': EVERYBODY,
  'feed.give': HANDS_ON,
  'feed.cancel': HANDS_ON,
  'schedule.read': EVERYBODY,
  'schedule.change': OWNERS,
  'limits.change': OWNERS,
  calibrate: HANDS_ON,
  'history.read': EVERYBODY,
  'camera.view': EVERYBODY,
  'alarm.read': EVERYBODY,
  'alarm.acknowledge': HANDS_ON,
  fleet: 'admin',
  users: 'admin',
  audit: 'admin',
  operate: 'admin',
} as const satisfies Record<string, 'anyone' | 'signed-in' | 'admin' | readonly StableRole[]>

export type Permission = keyof typeof PERMISSIONS

/** The stable that a request is about, and what its user is there. */
export type Scope = {
  readonly stable: string
  readonly role: StableRole
  /** Of the path, or whose device it is. */
  readonly horse?: string
  readonly thing?: string
  readonly alarm?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use this route (access.ts). */
    access?: Permission
  }
  interface FastifyRequest {
    identity: Identity | null
    scope: Scope | null
  }
  interface FastifyInstance {
    /** Every registered route, for the test that wants a row for each. */
    accessTable: { method: string; url: string; access: Permission }[]
  }
}

/** Writes of these may change what somebody may see: members, roles, sessions, horses and their devices. */
const CHANGES_RIGHTS: ReadonlySet<Permission> = new Set([
  'sign-in',
  'self',
  'stable.create',
  'stable.change',
  'members.change',
  'members.leave',
  'horse.create',
  'horse.change',
  'fleet',
  'users',
])

/** Of them, those that change nothing for anybody else. */
const OWN: ReadonlySet<Permission> = new Set(['sign-in', 'self'])

const SCOPED = /:(stable|horse|thing|alarm)\b/

/** Puts the check before every route of `app`. Call it before the first route is registered. */
export function guardRoutes(app: FastifyInstance, deps: Deps): void {
  app.decorate('accessTable', [])
  app.decorateRequest('identity', null)
  app.decorateRequest('scope', null)
  app.addHook('onRoute', (route) => {
    const access = permissionOf(route)
    for (const method of [route.method].flat()) app.accessTable.push({ method, url: route.url, access })
  })
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access
    // Nothing is registered at that address: the not-found handler answers.
    if (access === undefined) return
    checkOrigin(request.method, request.headers, deps.origin)
    request.identity = (await identify(deps, request.headers)) ?? null
    if (access !== 'sign-in') checkWrite(request.method, request.headers, request.identity)
    const rule = PERMISSIONS[access]
    if (rule === 'anyone') return
    const user = userOf(request)
    if (rule === 'signed-in') return
    if (rule === 'admin') {
      if (user.role !== 'admin') throw new Problem('forbidden')
      return
    }
    const scope = await findScope(deps.db, user, request.params as Record<string, string>)
    // Who does not belong to the stable learns no more than who asks for what never was.
    if (scope === undefined) throw new Problem('not-found')
    if (!(rule as readonly string[]).includes(scope.role)) throw new Problem('forbidden')
    request.scope = scope
  })
  app.addHook('onResponse', async (request, reply) => {
    const { access } = request.routeOptions.config
    const isWrite = request.method !== 'GET' && request.method !== 'HEAD'
    if (access !== undefined && isWrite && reply.statusCode < 400 && CHANGES_RIGHTS.has(access))
      deps.onRightsChange?.(OWN.has(access) ? request.identity?.user.id : undefined)
  })
}

function permissionOf(route: RouteOptions): Permission {
  const access = route.config?.access
  if (access === undefined || !Object.hasOwn(PERMISSIONS, access))
    throw new Error(`Cannot register a route without config.access: ${route.method} ${route.url}`)
  if (Array.isArray(PERMISSIONS[access]) && !SCOPED.test(route.url))
    throw new Error(`Cannot tell the stable of a route: ${route.method} ${route.url}`)
  return access
}

/** Who asks. @throws Problem 401 */
export function userOf(request: FastifyRequest): SignedIn {
  if (request.identity === null) throw new Problem('not-signed-in')
  return request.identity.user
}

/** The stable that the path leads to. Only for routes whose permission is a list of roles. */
export function scopeOf(request: FastifyRequest): Scope {
  if (request.scope === null) throw new Error(`Route without a scope: ${request.url}`)
  return request.scope
}

/** Whether a role is among those that a permission names: for sockets, which have no routes. */
export function allows(permission: Permission, role: StableRole): boolean {
  const rule: unknown = PERMISSIONS[permission]
  return Array.isArray(rule) && rule.includes(role)
}

/**
 * What `user` is in the stable that one of these ids leads to; undefined when there is no such thing, or they do not
 * belong there. Horses that were given away, and devices without a horse, lead nowhere.
 */
export async function findScope(
  db: Database,
  user: Pick<SignedIn, 'id' | 'role'>,
  of: { stable?: string; horse?: string; thing?: string; alarm?: string },
): Promise<Scope | undefined> {
  const found = await findStable(db, of)
  if (found === undefined) return undefined
  if (user.role === 'admin') return { ...found, role: 'owner' }
  const member = await db.sql
    .selectFrom('members')
    .select('role')
    .where('stable_id', '=', found.stable)
    .where('user_id', '=', user.id)
    .executeTakeFirst()
  return member && { ...found, role: member.role }
}

async function findStable(
  { sql }: Database,
  of: { stable?: string; horse?: string; thing?: string; alarm?: string },
): Promise<Omit<Scope, 'role'> | undefined> {
  if (of.stable !== undefined) {
    const row = await sql
      .selectFrom('stables')
      .select('id')
      .where('id', '=', of.stable)
      .where('archived_at', 'is', null)
      .executeTakeFirst()
    return row && { stable: row.id }
  }
  const horses = sql.selectFrom('horses').select('horses.stable_id').where('horses.archived_at', 'is', null)
  if (of.horse !== undefined) {
    const row = await horses.where('horses.id', '=', of.horse).executeTakeFirst()
    return row && { stable: row.stable_id, horse: of.horse }
  }
  if (of.thing !== undefined) {
    const row = await horses
      .innerJoin('devices', 'devices.horse_id', 'horses.id')
      .select('horses.id')
      .where('devices.thing', '=', of.thing)
      .executeTakeFirst()
    return row && { stable: row.stable_id, horse: row.id, thing: of.thing }
  }
  if (of.alarm === undefined) return undefined
  const row = await sql
    .selectFrom('alarms')
    .select(['stable_id', 'thing', 'horse_id'])
    .where('id', '=', of.alarm)
    .executeTakeFirst()
  if (row === undefined || row.stable_id === null) return undefined
  return {
    stable: row.stable_id,
    thing: row.thing,
    alarm: of.alarm,
    ...(row.horse_id !== null && { horse: row.horse_id }),
  }
}
