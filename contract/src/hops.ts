/** The words for what a report passes: the same in `pesebre probe` and on the page of hops. */

/** What a report passes on its way from a device to its shadow, in this order. */
export const HOPS = ['gateway', 'journal', 'queue', 'bridge', 'shadow'] as const
export type Hop = (typeof HOPS)[number]

/** With them, what the web server leans on: dead letters, AWS IoT over MQTT, its database, and S3. */
export const SERVICES = [...HOPS, 'dead-letters', 'mqtt', 'database', 's3'] as const
export type Service = (typeof SERVICES)[number]

/** `slow`: it works, and somebody should look. `unknown`: it was not asked, or cannot be. */
export const HOP_STATES = ['ok', 'slow', 'broken', 'unknown'] as const
export type HopState = (typeof HOP_STATES)[number]

/** What the steps say when they are well. */
export const HOP_NOTES = {
  gateway: 'ready',
  journal: 'the report is on disk',
  bridge: 'has written the report',
  shadow: 'shows that very report',
} as const

/** What a queue says that can be asked. */
export function queueNote(waiting: number): string {
  return `reachable, ${waiting} waiting`
}

/** Why a report does not come out of a queue, by what the queue holds. Undefined: it holds nothing. */
export function stuckNote({ waiting, inFlight }: { waiting: number; inFlight: number }): string | undefined {
  if (waiting > 0) return `${waiting} messages wait in the queue: does the bridge run?`
  if (inFlight > 0) return `the bridge has taken ${inFlight} messages and not finished: see its log`
  return undefined
}
