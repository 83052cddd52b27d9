import type { CameraSummary } from '@pesebre/contract/api/horse'
import type { Deps } from '../deps.ts'
import type { Relay } from './relay.ts'

/** What the cards of horses show of their cameras, by horse. */
export async function cameraCards(
  { sql }: Deps['db'],
  relay: Pick<Relay, 'status'>,
  horses: readonly string[],
): Promise<ReadonlyMap<string, CameraSummary>> {
  if (horses.length === 0) return new Map()
  const rows = await sql
    .selectFrom('devices')
    .select(['thing', 'name', 'state', 'horse_id', 'first_seen_at', 'last_seen_at'])
    .where('kind', '=', 'camera')
    .where('horse_id', 'in', horses)
    .execute()
  return new Map(
    rows.map((row) => {
      const { connected, state, pictureAt } = relay.status(row.thing)
      const isSeen = row.first_seen_at !== null || connected !== null || pictureAt !== null
      return [
        row.horse_id!,
        {
          thing: row.thing,
          name: row.name,
          state: summaryOf({ isActive: row.state === 'active', isSeen, connected, state }),
          lastSeen: later(row.last_seen_at, pictureAt),
          pictureAt,
        },
      ]
    }),
  )
}

function summaryOf(o: {
  isActive: boolean
  isSeen: boolean
  connected: boolean | null
  state: ReturnType<Relay['status']>['state']
}): CameraSummary['state'] {
  if (!o.isActive) return 'disabled'
  if (o.state === 'streaming') return 'streaming'
  if (o.connected === false || o.state === 'silent') return 'offline'
  return o.isSeen ? 'idle' : 'new'
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b)
}
