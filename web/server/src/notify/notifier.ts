import type { Channels, NotificationKind, PushMessage } from '@pesebre/contract/api/notification'
import type { Language } from '@pesebre/contract/api/values'
import type { FastifyBaseLogger } from 'fastify'
import type { Alarms } from '../alarms/alarms.ts'
import type { AlarmRow } from '../alarms/store.ts'
import type { Database } from '../db/database.ts'
import type { Places } from '../feeding/feeders.ts'
import { type FeedRow, gramsOf } from '../feeding/timeline.ts'
import type { SendMail } from './mail.ts'
import { isUrgent, type NotificationSettings } from './settings.ts'
import { messageOf, type Occasion } from './texts.ts'
import { push, type VapidKeys } from './web-push.ts'

export type NotifierOptions = {
  readonly db: Database
  readonly settings: NotificationSettings
  readonly alarms: Pick<Alarms, 'open' | 'claim'>
  readonly places: Pick<Places, 'of'>
  readonly keys: VapidKeys
  /** Undefined: no mail. */
  readonly mail?: SendMail | undefined
  /** Where people reach the server. */
  readonly origin: string
  readonly now: () => number
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  readonly push?: typeof push
}

type Person = {
  readonly id: string
  readonly email: string
  readonly language: Language
  readonly zone: string
  readonly channels: Channels
}

type Message = { readonly occasion: Omit<Occasion, 'zone'>; readonly thing: string; readonly path: string }

const MINUTE_MS = 60_000
/** A push service keeps a message for a phone that is off for so long, seconds. */
const TTL_S = 12 * 3600
/** Whom nobody has told of anything for so long is forgotten: larger than any cool-down, milliseconds. */
const FORGET_MS = 8 * 86_400_000
const OPERATORS_ZONE = 'UTC'

/** Tells people: of alarms at once, and again until somebody has acknowledged them; of portions, those who want that. */
export function createNotifier(options: NotifierOptions) {
  const { db, settings, alarms, places, keys, mail, origin, now, log } = options
  const send = options.push ?? push
  /** When somebody was told last of something: user, kind, thing. */
  const toldAt = new Map<string, number>()

  /** Looks at every alarm that nobody has acknowledged, and tells those whose cool-down is over. */
  async function round(): Promise<void> {
    for (const [key, at] of toldAt) if (now() - at > FORGET_MS) toldAt.delete(key)
    for (const row of alarms.open()) await tellAlarm(row)
  }

  async function tellAlarm(row: AlarmRow): Promise<void> {
    const kind = row.kind as NotificationKind
    const time = now()
    const due = (await peopleOf(row.stable_id, kind)).filter((person) => isDue(person, row, time))
    if (due.length === 0 || !(await alarms.claim(row, time))) return
    const of = row.horse ?? row.name ?? row.thing.replace(/^pesebre-gateway-/, '')
    const detail = JSON.parse(row.detail) as Occasion['detail']
    const occasion = {
      kind,
      of,
      detail,
      at: time,
      isAgain: row.notified_at !== null && row.notified_at >= row.updated_at,
    }
    const path = row.horse_id === null ? '/alarms' : `/horses/${row.horse_id}`
    await tell(due, { occasion, thing: row.thing, path })
  }

  /** After a start nobody remembers whom was told when: then the alarm's own time counts. What happened anew is told at once. */
  function isDue(
    { id, channels }: Person,
    { thing, kind, notified_at, updated_at }: AlarmRow,
    time: number,
  ): boolean {
    const last = toldAt.get(keyOf(id, kind, thing)) ?? notified_at
    if (last === null) return true
    return time - last >= channels.cooldown * MINUTE_MS && (channels.cooldown > 0 || updated_at > last)
  }

  /** A portion that was given. */
  async function tellFed(row: FeedRow): Promise<void> {
    if (row.state !== 'done' && row.state !== 'partial') return
    const place = await places.of(row.thing)
    if (place?.stable == null || place.horse === null) return
    const time = now()
    const people = (await peopleOf(place.stable, 'fed')).filter(({ id, channels }) => {
      const last = toldAt.get(keyOf(id, 'fed', row.thing)) ?? Number.NEGATIVE_INFINITY
      return time - last >= channels.cooldown * MINUTE_MS
    })
    const detail = { grams: gramsOf(row) }
    const occasion = {
      kind: 'fed',
      of: place.horse.name,
      detail,
      at: row.updated_at,
      isAgain: false,
    } as const
    await tell(people, { occasion, thing: row.thing, path: `/horses/${place.horse.id}` })
  }

  /** Members of a stable who want this kind; admins, of what belongs to no stable. */
  async function peopleOf(stable: string | null, kind: NotificationKind): Promise<Person[]> {
    const people = db.sql
      .selectFrom('users')
      .select(['users.id', 'users.email', 'users.language'])
      .where('users.disabled_at', 'is', null)
    const rows =
      stable === null
        ? (await people.where('users.role', '=', 'admin').execute()).map((row) => ({
            ...row,
            zone: OPERATORS_ZONE,
          }))
        : await people
            .innerJoin('members', 'members.user_id', 'users.id')
            .innerJoin('stables', 'stables.id', 'members.stable_id')
            .select('stables.zone')
            .where('members.stable_id', '=', stable)
            .execute()
    const wishes = await settings.of(rows.map(({ id }) => id))
    return rows
      .map((row): Person => ({ ...row, channels: wishes.get(row.id)![kind] }))
      .filter(({ channels }) => channels.push || (channels.email && mail !== undefined))
  }

  async function tell(people: readonly Person[], { occasion, thing, path }: Message): Promise<void> {
    const { kind } = occasion
    for (const { id } of people) toldAt.set(keyOf(id, kind, thing), now())
    await Promise.all(
      people.map(async ({ id, email, language, zone, channels }) => {
        const { title, body } = messageOf({ ...occasion, zone }, language)
        const message: PushMessage = {
          title,
          body,
          tag: `${kind}/${thing}`,
          url: path,
          lang: language,
          urgent: isUrgent(kind),
        }
        await Promise.all([
          channels.push ? pushTo(id, message) : undefined,
          channels.email && mail !== undefined
            ? mail({ to: email, subject: title, text: `${body}\n\n${origin}${path}\n` }).catch(
                (error: unknown) => log.warn({ err: error, kind }, 'a message could not be mailed'),
              )
            : undefined,
        ])
      }),
    )
    if (people.length > 0) log.info({ kind, thing, people: people.length }, 'people told')
  }

  async function pushTo(user: string, message: PushMessage): Promise<void> {
    const text = JSON.stringify(message)
    for (const target of await settings.subscriptionsOf(user)) {
      const urgent = { isUrgent: message.urgent, ttl_s: TTL_S }
      const pushed = await send(target, text, { keys, subject: subjectOf(origin), now: now(), ...urgent })
      if (pushed === 'gone') await settings.drop(target.id)
      if (pushed === 'failed')
        log.warn({ service: new URL(target.endpoint).hostname }, 'a message could not be pushed')
    }
  }

  return { round, tellAlarm, tellFed }
}

export type Notifier = ReturnType<typeof createNotifier>

function keyOf(user: string, kind: string, thing: string): string {
  return `${user} ${kind} ${thing}`
}

/** Push services want an address that they can complain to; one of this machine is none (RFC 8292 section 2.1). */
function subjectOf(origin: string): string {
  return origin.startsWith('https:') ? origin : 'mailto:pesebre@localhost'
}
