import type { Tables } from '../db/schema.ts'

/** What a backup holds, in an order in which rows find those that they refer to. */
export const KEPT = [
  'users',
  'stables',
  'members',
  'invitations',
  'horses',
  'devices',
  'calibrations',
  'schedules',
  'feeds',
  'alarms',
  'notification_settings',
  'push_subscriptions',
  'settings',
  'assignments_seen',
  'audit',
] as const satisfies readonly (keyof Tables)[]

/**
 * What it does not hold, and why. A test says so when a table is in neither list.
 * Sessions: who has signed out since would be signed in again. History: the archive in S3 makes it again (history-main.ts).
 */
export const LEFT_OUT = [
  'sessions',
  'idempotency',
  'series',
  'roll_ups',
  'raw_rows',
  'thing_numbers',
  'archive_index',
] as const satisfies readonly (keyof Tables)[]
