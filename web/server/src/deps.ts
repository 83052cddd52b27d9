import type { Hops } from '@pesebre/contract/api/hop'
import type { AlarmSummary, CameraSummary, FeederSummary, MealSummary } from '@pesebre/contract/api/horse'
import type { FastifyBaseLogger } from 'fastify'
import type { Alarms } from './alarms/alarms.ts'
import type { Oidc } from './auth/oidc.ts'
import type { SignedIn } from './auth/sessions.ts'
import type { Relay } from './camera/relay.ts'
import type { Database } from './db/database.ts'
import type { Devices } from './devices/devices.ts'
import type { Feeding } from './feeding/feeding.ts'
import type { Pictures } from './pictures/pictures.ts'

/**
 * All that the HTTP API needs of the world: made by main.ts, and by test/fakes/web-app.ts for tests.
 * Each part of the server adds what it needs; what is optional here is a part that may be away.
 */
export type Deps = {
  readonly db: Database
  /** Milliseconds since 1970: a test may set it. */
  readonly now: () => number
  readonly log: FastifyBaseLogger
  /** Where people reach the server: `https://stable.example`, without a path. */
  readonly origin: string
  /** Who a bearer token is of; throws Problem 401 when it is not good. Undefined: bearer tokens are not set up. */
  readonly bearer?: ((token: string) => Promise<SignedIn>) | undefined
  /** Signing in at an OpenID provider; undefined: not set up. */
  readonly oidc?: Oidc | undefined
  /** Sends an invitation; false when it could not be sent. Undefined: there is no mail. */
  readonly mailInvitation?: (mail: {
    to: string
    by: string
    link: string
    language: 'es' | 'en'
  }) => Promise<boolean>
  /** Origins that pages may load pictures from and send them to, beside our own: the bucket's. */
  readonly pictureOrigins?: readonly string[]
  /** Directory of the built web/app; undefined: the API alone. */
  readonly appDir?: string | undefined
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustProxy?: readonly string[]
  readonly limits?: Partial<Limits>
  /** What the cards of horses show, per horse; each by its part of the server. */
  readonly cards?: CardSources
  /** Commands, schedules and the ledger; undefined: AWS IoT is not set up. */
  readonly feeding?: Feeding | undefined
  /** Undefined: AWS IoT is not set up. */
  readonly alarms?: Alarms | undefined
  /** Public key of Web Push, base64url. */
  readonly pushKey?: string | undefined
  readonly hasMail?: boolean
  /** Told after each write that may change what one user, or anybody, may see: whoever keeps sockets open looks again. */
  readonly onRightsChange?: (user?: string) => void
  /** The administration of devices; undefined: AWS IoT is not set up. */
  readonly devices?: Devices | undefined
  /** Reports that the gateways have taken since the server began to ask them; undefined: no gateway is set. */
  readonly reports?: () => { total: number; perMinute: number } | undefined
  /** Pictures of horses; undefined: no bucket is set. */
  readonly pictures?: Pictures | undefined
  /** A horse's card is another now: told to who watches its stable. */
  readonly onHorseChange?: (horse: { stable: string; horse: string }) => void
  /** Looks at every hop; undefined: nobody does. */
  readonly hops?: () => Promise<Hops>
  /** Cameras, and who watches them; undefined: AWS IoT is not set up. */
  readonly relay?: Pick<Relay, 'snapshot' | 'status'> | undefined
}

/** Limits on what arrives. */
export type Limits = {
  /** Largest body, bytes (design/promises.md, Limits). */
  readonly bodyMax: number
  /** A request must have arrived whole within this, milliseconds. */
  readonly requestTimeoutMs: number
  /** Requests of one address in a minute. */
  readonly ratePerMinute: number
}

/** Each takes ids of horses and answers for those that it knows something of. */
export type CardSources = {
  readonly feeders?: (horses: readonly string[]) => Promise<ReadonlyMap<string, FeederSummary>>
  readonly cameras?: (horses: readonly string[]) => Promise<ReadonlyMap<string, CameraSummary>>
  readonly meals?: (
    horses: readonly string[],
  ) => Promise<ReadonlyMap<string, { last: MealSummary | null; next: MealSummary | null }>>
  readonly alarms?: (horses: readonly string[]) => Promise<ReadonlyMap<string, AlarmSummary[]>>
}
