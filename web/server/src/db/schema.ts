import type { ColumnType, Generated } from 'kysely'

/**
 * The tables, as Kysely types. One file for all of them, as one migration after the other makes them (migrations/).
 * Times are milliseconds since 1970, booleans 0 or 1, JSON is text: the same on SQLite and on MySQL.
 * Ids are opaque text (ids.ts); devices go by their thing name.
 */
export type Tables = {
  users: UsersTable
  sessions: SessionsTable
  invitations: InvitationsTable
  stables: StablesTable
  members: MembersTable
  horses: HorsesTable
  devices: DevicesTable
  calibrations: CalibrationsTable
  schedules: SchedulesTable
  feeds: FeedsTable
  alarms: AlarmsTable
  notification_settings: NotificationSettingsTable
  push_subscriptions: PushSubscriptionsTable
  audit: AuditTable
  idempotency: IdempotencyTable
  settings: SettingsTable
  series: SeriesTable
  roll_ups: RollUpsTable
  raw_rows: RawRowsTable
  thing_numbers: ThingNumbersTable
  assignments_seen: AssignmentsSeenTable
  archive_index: ArchiveIndexTable
}

type Nullable<T> = ColumnType<T | null, T | null | undefined, T | null>
type Milliseconds = number
type Json = string
type Flag = Generated<number>

type UsersTable = {
  id: string
  /** Lower case; unique. */
  email: string
  name: string
  /** PHC text of argon2id (auth/passwords.ts); null: signs in by OIDC only. */
  password_hash: Nullable<string>
  role: 'admin' | 'user'
  language: 'es' | 'en'
  oidc_issuer: Nullable<string>
  oidc_subject: Nullable<string>
  created_at: Milliseconds
  /** May not sign in from then on. */
  disabled_at: Nullable<Milliseconds>
}

type SessionsTable = {
  /** SHA-256 of the token, hexadecimal: who reads the table cannot sign in. */
  token_hash: string
  user_id: string
  method: 'password' | 'oidc' | 'invitation'
  user_agent: Nullable<string>
  created_at: Milliseconds
  /** Last use, in steps of a few minutes. */
  seen_at: Milliseconds
  /** Ends then, whether used or not. */
  expires_at: Milliseconds
}

type InvitationsTable = {
  id: string
  /** SHA-256 of the token in the link, hexadecimal. */
  token_hash: string
  /** `setup` makes the first admin, `stable` a member of a stable, `account` a user. */
  kind: 'setup' | 'stable' | 'account'
  stable_id: Nullable<string>
  /** A role in the stable, or of the system. */
  role: Nullable<string>
  email: Nullable<string>
  invited_by: Nullable<string>
  created_at: Milliseconds
  expires_at: Milliseconds
  used_at: Nullable<Milliseconds>
  used_by: Nullable<string>
}

type StablesTable = {
  id: string
  name: string
  /** IANA zone: days and schedules are its. */
  zone: string
  created_at: Milliseconds
  /** Given up: seen nowhere but in the audit. */
  archived_at: Nullable<Milliseconds>
}

type MembersTable = {
  stable_id: string
  user_id: string
  role: 'owner' | 'groom' | 'vet'
  created_at: Milliseconds
}

type HorsesTable = {
  id: string
  stable_id: string
  name: string
  weight_kg: Nullable<number>
  /** YYYY-MM-DD. */
  born: Nullable<string>
  notes: Nullable<string>
  /** Prefix of its picture's objects in the bucket; null: none. */
  picture_key: Nullable<string>
  picture_at: Nullable<Milliseconds>
  /** Grams; null: what the weight allows. */
  meal_max_g: Nullable<number>
  day_max_g: Nullable<number>
  created_at: Milliseconds
  /** Given away: seen nowhere but in the ledger. */
  archived_at: Nullable<Milliseconds>
}

type DevicesTable = {
  thing: string
  kind: 'feeder' | 'camera' | 'waterer' | 'sensor'
  /** Device number (identity); null where the kind has none. */
  number: Nullable<number>
  name: string
  /** A horse has at most one of each kind: unique with `kind`. */
  horse_id: Nullable<string>
  state: 'active' | 'disabled' | 'revoked' | 'replaced'
  registered_by: Nullable<string>
  registered_at: Milliseconds
  first_seen_at: Nullable<Milliseconds>
  /** The device's own word, never a gateway's or a restart's. */
  last_seen_at: Nullable<Milliseconds>
  /** Of its certificate, for those that speak MQTT. */
  certificate_id: Nullable<string>
  replaced_by: Nullable<string>
}

type CalibrationsTable = {
  id: string
  thing: string
  /** What was asked of the feeder, grams. */
  asked_g: number
  /** What the person weighed, grams. */
  weighed_g: number
  /** weighed / asked, times what was in force before. */
  factor: number
  user_id: Nullable<string>
  at: Milliseconds
}

type SchedulesTable = {
  thing: string
  version: number
  zone: string
  /** `[{minute, grams, days}]` */
  slots: Json
  user_id: Nullable<string>
  created_at: Milliseconds
}

/**
 * The ledger: a row is never removed, and what a person asked for never changes.
 * Rows of commands are keyed (thing, n), rows of the schedule (thing, slot, local_date).
 */
type FeedsTable = {
  id: string
  thing: string
  horse_id: Nullable<string>
  stable_id: Nullable<string>
  source: 'command' | 'schedule' | 'device'
  n: Nullable<number>
  /** Local minute since 1970 on the schedule's wall clock: day * 1440 + minute. */
  occurrence: Nullable<number>
  /** Minute of day of the slot. */
  slot: Nullable<number>
  /** YYYY-MM-DD in the schedule's zone. */
  local_date: Nullable<string>
  planned_g: Nullable<number>
  actual_g: Nullable<number>
  state: string
  reason: Nullable<string>
  /** Asked above a cap, on purpose. */
  override: Flag
  user_id: Nullable<string>
  user_name: Nullable<string>
  /** When it was asked for, or was due. */
  at: Milliseconds
  not_after: Nullable<Milliseconds>
  /** `[{state, at}]`, in order. */
  states: Json
  updated_at: Milliseconds
  /** SHA-256 of user and Idempotency-Key; unique. Null: nobody asked over HTTP. */
  key_hash: Nullable<string>
}

type AlarmsTable = {
  id: string
  thing: string
  kind: string
  horse_id: Nullable<string>
  stable_id: Nullable<string>
  /** `<thing>/<kind>` while active, null when cleared: unique, so there is one active alarm of a kind. */
  active_key: Nullable<string>
  /** How often it was seen again while active. */
  count: Generated<number>
  detail: Json
  raised_at: Milliseconds
  updated_at: Milliseconds
  cleared_at: Nullable<Milliseconds>
  acknowledged_at: Nullable<Milliseconds>
  acknowledged_by: Nullable<string>
  notified_at: Nullable<Milliseconds>
}

type NotificationSettingsTable = {
  user_id: string
  kind: string
  push: number
  email: number
  cooldown_min: number
}

type PushSubscriptionsTable = {
  id: string
  user_id: string
  /** SHA-256 of the endpoint, hexadecimal: an endpoint is too long for an index. */
  endpoint_hash: string
  endpoint: string
  p256dh: string
  auth: string
  user_agent: Nullable<string>
  created_at: Milliseconds
  failed_at: Nullable<Milliseconds>
}

type AuditTable = {
  id: Generated<number>
  at: Milliseconds
  user_id: Nullable<string>
  /** As they were called then. */
  user_name: string
  stable_id: Nullable<string>
  /** Verb and noun, as in `horse.create`. */
  action: string
  /** Id of what it was done to. */
  subject: Nullable<string>
  detail: Json
  address: Nullable<string>
}

type IdempotencyTable = {
  user_id: string
  key: string
  /** SHA-256 of method, path and body: the same key for something else is refused. */
  request_hash: string
  /** 0 while the first request runs. */
  status: number
  answer: Json
  created_at: Milliseconds
}

/** One value per name: keys of Web Push and the like. */
type SettingsTable = {
  name: string
  value: string
}

/** A field of a thing while it was at a horse. */
type SeriesTable = {
  id: Generated<number>
  thing: string
  /** Empty: at no horse. */
  horse_id: string
  /** Empty: how often it reported at all. */
  field: string
}

type RollUpsTable = {
  series_id: number
  /** Start of the hour, milliseconds since 1970. */
  hour: Milliseconds
  min: number
  max: number
  sum: number
  count: number
  /** Of the series without a field: the interval that was promised last, seconds; 0 if none was. */
  last: number
  last_at: Milliseconds
}

/** Reports of the last 30 days, each once. */
type RawRowsTable = {
  thing: string
  seq: number
  at: Milliseconds
  received: Milliseconds
  /** Empty: at no horse. */
  horse_id: string
  interval_s: Nullable<number>
  /** As the rules of the index left it. */
  state: Json
}

/** How much is in the archive of each thing, and its newest report. */
type ThingNumbersTable = {
  thing: string
  type: string
  reports: number
  seq: number
  at: Milliseconds
  received: Milliseconds
  gateway: string
  state: Json
}

/** Since when a device has been at which horse, as the index came to know it: the archive does not say. */
type AssignmentsSeenTable = {
  thing: string
  since: Milliseconds
  /** Empty: at none. */
  horse_id: string
}

/** Objects of the archive that are in the index. */
type ArchiveIndexTable = {
  object: string
  /** -1: it could not be read. */
  rows_taken: number
  done_at: Milliseconds
}
