import type { Digest } from './messaging/digest.ts'
import type { Outgoing } from './messaging/outgoing.ts'
import type { Random } from './messaging/random.ts'
import type { Recent } from './messaging/recent.ts'
import type { Tally } from './outcomes.ts'
import type { Settings } from './settings.ts'

/** What the server and the client role of one endpoint have in common. */
export interface Shared {
  readonly settings: Settings
  readonly tally: Tally
  readonly digest: Digest
  readonly recent: Recent
  readonly outgoing: Outgoing
  readonly random: Random
}
